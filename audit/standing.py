"""What is known of the trail right now: sealed until when, verified until when, broken or not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from audit.evidence import seals
from audit.evidence.windows import SQLITE
from audit.models import Event, Seal, Verification
from audit.presentation import finding_told

ALARMING = timedelta(seconds=60)  # for an event to wait for its seal


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest seal, the last verification, and since when an event waits for its seal."""

    seal: Seal | None
    verification: Verification
    unsealed_since: datetime | None

    @property
    def is_late(self) -> bool:
        """Whether something keeps the seals from being made."""
        waits_since = self.unsealed_since
        return waits_since is not None and timezone.now() - waits_since > ALARMING

    @property
    def findings(self) -> list[str]:
        """What the verification found, as sentences."""
        return [finding_told(finding) for finding in self.verification.findings]


def waiting() -> timedelta | None:
    """Return for how long the oldest event without a seal has waited; None when none does.

    For alerts: two questions that indexes answer. The page calls more than ALARMING late.
    """
    since = _unsealed_since(seals.newest())
    return None if since is None else timezone.now() - since


def now() -> Standing:
    """Ask: three questions that indexes answer."""
    seal = seals.newest()
    return Standing(
        seal,
        Verification.objects.filter(pk=1).first() or Verification(),
        _unsealed_since(seal),
    )


def _unsealed_since(seal: Seal | None) -> datetime | None:
    events = Event.objects.all()
    if seal and seal.source == SQLITE:
        events = events.filter(pk__gte=seal.hi).order_by("pk")
    elif seal:
        events = events.filter(transaction_id__gte=seal.hi).order_by("transaction_id")
    else:
        events = events.order_by("performed_at", "pk")
    return events.values_list("performed_at", flat=True).first()
