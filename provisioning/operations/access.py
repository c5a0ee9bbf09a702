"""Refused SCIM requests: counted by network and minute, so that nobody floods the trail."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from audit import journal, patience
from audit.actors import Actor, Origin
from audit.types import EventType, Outcome
from provisioning.models import AuthenticationFailure

MOST_FAILURES_A_MINUTE = 30
MOST_EVENTS_A_MINUTE = 20
NOTE_MS = 250  # how long a count may wait for other writers


def note_failures(origin: Origin, count: int) -> int:
    """Count refused requests; return how many their network has had in this minute.

    Raises OperationalError when other writers keep the database busy.
    """
    address = origin.network or "unknown"
    minute = timezone.now().replace(second=0, microsecond=0)
    row = AuthenticationFailure.objects.filter(address=address, minute=minute)
    with patience.soon(NOTE_MS):
        if not row.update(count=F("count") + count):
            try:
                with transaction.atomic():
                    AuthenticationFailure.objects.create(
                        address=address, minute=minute, count=count, user_agent=origin.user_agent
                    )
            except IntegrityError:  # another worker made the row first
                row.update(count=F("count") + count)
        return row.values_list("count", flat=True).first() or count


class _ScimService:
    """The SCIM service, as the target of an event."""

    audit_kind = "service"
    audit_id = "scim"
    audit_label = "SCIM"


def record_failures() -> int:
    """Record the refused requests of each past minute; return how many events that took.

    Each network has its event, those that asked most first; past a number one more tells of all
    others, so that nobody floods the trail from many addresses either.
    """
    this_minute = timezone.now().replace(second=0, microsecond=0)
    past = AuthenticationFailure.objects.filter(minute__lt=this_minute - timedelta(seconds=1))
    recorded = 0
    for minute in past.order_by("minute").values_list("minute", flat=True).distinct():
        with transaction.atomic():
            rows = list(
                AuthenticationFailure.objects.select_for_update()
                .filter(minute=minute)
                .order_by("-count", "address")
            )
            told, others = rows[:MOST_EVENTS_A_MINUTE], rows[MOST_EVENTS_A_MINUTE:]
            for row in told:
                _record(_origin(row), row.count, minute, **_network(row))
            if others:
                _record(Origin(), sum(r.count for r in others), minute, addresses=len(others))
            AuthenticationFailure.objects.filter(pk__in=[row.pk for row in rows]).delete()
            recorded += len(told) + bool(others)
    return recorded


def _record(origin: Origin, requests: int, minute: datetime, **more: Any) -> None:
    journal.record(
        EventType.AUTHENTICATION_FAILED,
        actor=replace(ANONYMOUS, origin=origin),
        target=_ScimService(),
        outcome=Outcome.FAILURE,
        requests=requests,
        minute=minute.isoformat(timespec="minutes"),
        **more,
    )


def _origin(row: AuthenticationFailure) -> Origin:
    address = None if row.address == "unknown" else row.address
    return Origin(ip_address=address, user_agent=row.user_agent)


def _network(row: AuthenticationFailure) -> dict[str, str]:
    return {"network": f"{row.address}/64"} if ":" in row.address else {}


ANONYMOUS = Actor("anonymous", "", "—")
