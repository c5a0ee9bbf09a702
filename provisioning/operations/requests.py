"""The provisioning log's own operations: what is old goes, and who takes a copy is recorded."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import journal
from audit.actors import SYSTEM, Actor
from audit.types import EventType
from provisioning.models import LoggedRequest, LostRequests
from provisioning.models.requests import first_id_of

AT_ONCE = 1_000  # rows in one transaction: other writers come in between
MOST = 1_000_000  # rows in one run; the next one goes on


class _ProvisioningLog:
    """The log itself, as the target of an event."""

    audit_kind = "service"
    audit_id = "provisioning-log"
    audit_label = "Provisioning log"


def forget(now: datetime | None = None) -> int:
    """Delete the requests that are older than PROVISIONING_LOG_DAYS; return how many.

    One event says how many there are, in the transaction of the first batch: an event that cannot
    be written deletes nothing. A run that breaks off is told again by the next one, with the rest.
    """
    before = (now or timezone.now()) - timedelta(days=settings.PROVISIONING_LOG_DAYS)
    LostRequests.objects.filter(hour__lt=before).delete()
    old = LoggedRequest.objects.filter(pk__lt=first_id_of(before)).order_by("pk")
    count = old.order_by().values("pk")[:MOST].count()
    deleted = 0
    while deleted < count:
        with transaction.atomic():
            if not deleted:
                journal.record(
                    EventType.LOG_TRIMMED,
                    actor=SYSTEM,
                    target=_ProvisioningLog(),
                    rows=count,
                    before=before.isoformat(timespec="seconds"),
                )
            ids = list(old.values_list("pk", flat=True)[:AT_ONCE])
            LoggedRequest.objects.filter(pk__in=ids).delete()
        if not ids:
            break
        deleted += len(ids)
    return deleted


@transaction.atomic
def note_export(format: str, asked: dict[str, Any], *, actor: Actor) -> None:
    """Record that somebody takes a copy of the log, and which part."""
    journal.record(
        EventType.LOG_EXPORTED,
        actor=actor,
        target=_ProvisioningLog(),
        format=format,
        filters=[f"{name}: {value}" for name, value in asked.items()],
    )
