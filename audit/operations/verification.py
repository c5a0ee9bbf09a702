"""Alta's own verification, in parts: what is new first, then the whole chain by and by."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from audit import journal
from audit.actors import SYSTEM
from audit.evidence import keys
from audit.evidence.verification import Finding, Kind, Report, compare_heads, verify
from audit.models import Verification
from audit.types import EventType, Outcome

MOST_EVENTS = 100_000  # of each part: some seconds
MOST_FINDINGS = 20  # that are kept, shown and looked at again
MOST_NAMED = 10  # events of each
LOST = {Kind.HEAD_MISSING.key, Kind.HEAD_REPLACED.key}


def verify_some(most_events: int = MOST_EVENTS) -> bool:
    """Verify the newest seals and a part of the older ones; record once what is broken.

    Return whether the newest seals were reached. The findings of earlier runs are looked at
    again, and stay as long as they are true.
    """
    state = Verification.objects.filter(pk=1).first() or Verification()
    trusted = keys.configured()
    fresh = verify(trusted=trusted, after=state.through, most_events=most_events)
    # Behind the newest part: so the whole chain is read again in its turn, for ever.
    older = verify(
        trusted=trusted,
        after=min(state.again_from, state.through),
        through=max(state.through, 1),
        most_events=most_events,
    )
    if state.signature:
        head = {"seal": state.through, "signature": bytes(state.signature).hex()}
        compare_heads(fresh, [head])
    reports = [fresh, older, *_looked_at_again(state, trusted)]
    with transaction.atomic():
        _keep(state, fresh, older, _told(state, reports))
    return fresh.is_whole or fresh.last is None


def _looked_at_again(state: Verification, trusted: tuple[bytes, ...]) -> list[Report]:
    numbers = {finding["seal"] for finding in state.findings if finding["seal"]}
    return [verify(trusted=trusted, after=number - 1, through=number) for number in numbers]


def _told(state: Verification, reports: list[Report]) -> list[dict[str, Any]]:
    """Return the findings as JSON keeps them, each once.

    That the end of the chain was removed stays: later seals would hide it.
    """
    found: dict[Any, Finding] = {}
    for report in reports:
        found |= report.findings
    lost = [finding for finding in state.findings if finding["kind"] in LOST]
    known = {(finding["kind"], finding["seal"]) for finding in lost}
    told = [
        {
            "kind": finding.kind.key,
            "seal": finding.seal,
            "count": finding.count,
            "events": finding.events[:MOST_NAMED],
        }
        for finding in found.values()
        if (finding.kind.key, finding.seal) not in known
    ]
    return (lost + told)[:MOST_FINDINGS]


def _keep(
    state: Verification, fresh: Report, older: Report, findings: list[dict[str, Any]]
) -> None:
    known = {(finding["kind"], finding["seal"]) for finding in state.findings}
    news = [finding for finding in findings if (finding["kind"], finding["seal"]) not in known]
    state.checked_at = Now()
    state.findings = findings
    if fresh.last:
        state.through, state.through_at = fresh.last.number, fresh.last.made_at
        state.signature = fresh.last.signature
    reached_end = older.last is None or older.last.number >= state.through
    state.again_from = 0 if reached_end or older.last is None else older.last.number
    if not findings:
        state.broken_since = None
    elif state.broken_since is None:
        state.broken_since = Now()
    state.save()
    if news:
        journal.record(
            EventType.TRAIL_BROKEN,
            actor=SYSTEM,
            target=state,
            outcome=Outcome.FAILURE,
            findings=news,
        )
