"""Refused SCIM requests: counted by address and minute, so that nobody floods the trail."""

from dataclasses import replace
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from audit import journal
from audit.actors import Actor, Origin
from audit.types import EventType, Outcome
from provisioning.models import AuthenticationFailure

MOST_FAILURES_A_MINUTE = 30


def note_failures(origin: Origin, count: int) -> int:
    """Count refused requests; return how many their address has had in this minute."""
    address = origin.ip_address or "unknown"
    minute = timezone.now().replace(second=0, microsecond=0)
    row = AuthenticationFailure.objects.filter(address=address, minute=minute)
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
    """Record one event for each address and past minute; return how many."""
    this_minute = timezone.now().replace(second=0, microsecond=0)
    past = AuthenticationFailure.objects.filter(minute__lt=this_minute - timedelta(seconds=1))
    recorded = 0
    for row_id in past.order_by("minute").values_list("pk", flat=True):
        with transaction.atomic():
            row = AuthenticationFailure.objects.select_for_update().filter(pk=row_id).first()
            if row is None:  # another worker was first
                continue
            address = None if row.address == "unknown" else row.address
            origin = Origin(ip_address=address, user_agent=row.user_agent)
            journal.record(
                EventType.AUTHENTICATION_FAILED,
                actor=replace(ANONYMOUS, origin=origin),
                target=_ScimService(),
                outcome=Outcome.FAILURE,
                requests=row.count,
                minute=row.minute.isoformat(timespec="minutes"),
            )
            row.delete()
            recorded += 1
    return recorded


ANONYMOUS = Actor("anonymous", "", "—")
