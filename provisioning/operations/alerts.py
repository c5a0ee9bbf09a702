"""Raise and end alerts: what should not be, found by cheap questions every few minutes."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from audit import journal, standing
from audit.actors import SYSTEM
from audit.actors import Provider as AuditProvider
from audit.jobs import outbox
from audit.types import EventType
from provisioning.models import Alert, LoggedRequest, Provider, Token
from provisioning.models.requests import first_id_of

MAIL_JOB = "alert.mail"
SHORTEST = timedelta(minutes=30)  # so that what comes and goes does not mail each time
LEAST_REQUESTS = 20  # in an hour, before a share of refusals says anything
TRAIL = "trail"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """Something that should not be, now."""

    kind: Alert.Kind
    subject: str
    label: str
    provider: AuditProvider = field(default_factory=AuditProvider)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.kind.value, self.subject


def look() -> tuple[int, int]:
    """Raise what is new and end what is over; return how many of each.

    An alert, its event and its mail are one transaction; each happens once, whoever looks. A
    question that fails raises and ends nothing, keeps no other from being asked, and is raised in
    the end.
    """
    raised = ended = 0
    failure: Exception | None = None
    for detector, kinds in DETECTORS:
        try:
            present = {found.key: found for found in detector()}
        except Exception as error:
            failure = failure or error
            continue
        open_ones = Alert.objects.filter(ended_at=None, kind__in=kinds)
        still = {(alert.kind, alert.subject): alert for alert in open_ones}
        raised += sum(_raise(found) for key, found in present.items() if key not in still)
        for key, alert in still.items():
            if key not in present and alert.raised_at <= timezone.now() - SHORTEST:
                ended += _end(alert)
    if failure:
        raise failure
    return raised, ended


def _raise(found: Found) -> bool:
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                kind=found.kind,
                subject=found.subject,
                label=found.label,
                provider_kind=found.provider.kind,
                details=found.details,
            )
            journal.record(
                EventType.ALERT_RAISED,
                actor=SYSTEM,
                target=alert,
                provider=found.provider,
                alert=alert.kind,
                **found.details,
            )
            outbox.enqueue(MAIL_JOB, {"alert": alert.pk, "is_over": False}, key=f"{alert.pk}+")
    except IntegrityError:  # another worker was first
        return False
    return True


def _end(alert: Alert) -> bool:
    with transaction.atomic():
        open_one = Alert.objects.select_for_update().filter(pk=alert.pk, ended_at=None)
        if not open_one.exists():
            return False
        Alert.objects.filter(pk=alert.pk).update(ended_at=timezone.now())
        provider = AuditProvider()
        if alert.is_of_a_provider:
            provider = AuditProvider(UUID(alert.subject), alert.provider_kind, alert.label)
        journal.record(
            EventType.ALERT_ENDED,
            actor=SYSTEM,
            target=alert,
            provider=provider,
            alert=alert.kind,
        )
        outbox.enqueue(MAIL_JOB, {"alert": alert.pk, "is_over": True}, key=f"{alert.pk}-")
    return True


def _silent() -> list[Found]:
    """Return the IdPs that called before, may call, and have not for long."""
    if not settings.ALERT_SILENCE_HOURS:
        return []
    since = timezone.now() - timedelta(hours=settings.ALERT_SILENCE_HOURS)
    last = dict(
        Token.objects.usable()
        .order_by()
        .values_list("provider")
        .annotate(last=Max("last_used_at"))
        .filter(last__lt=since)
    )
    return [
        _of(provider, Alert.Kind.SILENT, hours=settings.ALERT_SILENCE_HOURS)
        for provider in (Provider.objects.filter(pk__in=last) if last else ())
    ]


def _errors() -> list[Found]:
    """Return the IdPs of whose requests in the last hour too many were refused.

    The provisioning log must hold them all for that, or a sample of the reads, which then counts
    for all of them; ids grow with time, so an hour is a range.
    """
    kept = settings.PROVISIONING_LOG_READS
    if not settings.ALERT_ERROR_PERCENT or settings.PROVISIONING_LOG != "all" or not kept:
        return []
    counts = (
        LoggedRequest.objects.filter(pk__gte=first_id_of(timezone.now() - timedelta(hours=1)))
        .order_by()
        .values_list("provider_id")
        .annotate(
            whole=Count("pk", filter=Q(is_sample=False)),
            sampled=Count("pk", filter=Q(is_sample=True)),
            refused=Count("pk", filter=Q(is_refusal=True)),
        )
    )
    many = {}
    for provider_id, whole, sampled, refused in counts:
        requests = whole + round(sampled / kept)
        percent = refused * 100 // max(requests, 1)
        if requests >= LEAST_REQUESTS and percent >= settings.ALERT_ERROR_PERCENT:
            many[provider_id] = (percent, requests)
    return [
        _of(
            provider, Alert.Kind.ERRORS, percent=many[provider.pk][0], requests=many[provider.pk][1]
        )
        for provider in (Provider.objects.filter(pk__in=many) if many else ())
    ]


def _trail() -> list[Found]:
    now = standing.now()
    found = []
    if now.is_late:
        found.append(Found(Alert.Kind.LATE_SEAL, TRAIL, "Alta"))
    if now.verification.broken_since:
        found.append(Found(Alert.Kind.TRAIL_BROKEN, TRAIL, "Alta"))
    return found


def _of(provider: Provider, kind: Alert.Kind, **details: Any) -> Found:
    return Found(kind, str(provider.pk), str(provider.label), provider.for_audit(), details)


DETECTORS = (
    (_silent, (Alert.Kind.SILENT,)),
    (_errors, (Alert.Kind.ERRORS,)),
    (_trail, (Alert.Kind.LATE_SEAL, Alert.Kind.TRAIL_BROKEN)),
)
