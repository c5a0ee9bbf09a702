"""Months of long ago, with their events and seals, for the tests of retention."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from audit import journal, month_functions
from audit.actors import SYSTEM
from audit.evidence import keys, sealing, windows
from audit.evidence.verification import verify
from audit.models import Event
from audit.operations import retention
from audit.partitions import month_after
from audit.types import EventType
from tests.audit.test_evidence import decided, happen, tampering

THIS_MONTH = datetime.now(UTC).date().replace(day=1)
OLD = month_after(THIS_MONTH, -8)
NEXT = month_after(OLD)


def at(month, days=0.0):
    return datetime(month.year, month.month, 1, tzinfo=UTC) + timedelta(days=days)


def partition_of(month):
    if connection.vendor == "postgresql":
        month_functions.keep(connection, 3)
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS audit_event_{month:%Y_%m} PARTITION OF audit_event "
                f"FOR VALUES FROM ('{month}T00:00:00Z') TO ('{month_after(month)}T00:00:00Z')"
            )


def happened_at(*moments, sealed_at, monkeypatch):
    """Record an event per moment and seal them, as if it all had been then."""
    events = happen(len(moments))
    with tampering() as cursor:
        for event, moment in zip(events, moments, strict=True):
            told = moment.strftime("%Y-%m-%d %H:%M:%S.%f")
            zone = "+00" if connection.vendor == "postgresql" else ""
            cursor.execute(
                f"UPDATE audit_event SET performed_at = '{told}{zone}' WHERE id = {event.pk}"
            )
    decided(events)
    with monkeypatch.context() as patch:
        patch.setattr(sealing, "horizon", lambda: replace(windows.horizon(), now=sealed_at))
        assert sealing.seal_all() == 1
    return [event.pk for event in events]


def found():
    report = verify(trusted=keys.configured())
    return {where: finding.events for where, finding in report.findings.items()}


def claim(month, events, seals, parts):
    """Write an event as retention does, without removing anything."""
    with transaction.atomic():
        event = journal.record(
            EventType.TRAIL_TRIMMED, actor=SYSTEM, target=retention._Trail(),
            month=f"{month:%Y-%m}", events=events, seals=seals, parts=parts, carried=[],
        )  # fmt: skip
    decided([event])
    sealing.seal_all()


def delete(*ids):
    with tampering() as cursor:
        cursor.execute(f"DELETE FROM audit_event WHERE id IN ({','.join(map(str, ids))})")


def made(monkeypatch):
    """Seals 1–3: month OLD; 4: its end and the next one's begin; 5: the next month; 6: now."""
    for month in (OLD, NEXT):
        partition_of(month)
    ids = {}
    for n, day in enumerate((3, 10, 20), start=1):
        ids[n] = happened_at(
            *[at(OLD, day)] * 3, sealed_at=at(OLD, day + 0.001), monkeypatch=monkeypatch
        )
    end = at(NEXT)
    second = timedelta(seconds=1)
    ids[4] = happened_at(
        end - second, end - second, end + second,
        sealed_at=end + 2 * second, monkeypatch=monkeypatch,
    )  # fmt: skip
    ids[5] = happened_at(*[at(NEXT, 3)] * 3, sealed_at=at(NEXT, 3.001), monkeypatch=monkeypatch)
    ids[6] = [event.pk for event in happen(2)]
    now = Event.objects.filter(pk__in=ids[6])
    decided(list(now))
    sealing.seal_all()
    assert found() == {}
    yield ids
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for month in (OLD, NEXT):
                cursor.execute(f"DROP TABLE IF EXISTS audit_event_{month:%Y_%m}")
