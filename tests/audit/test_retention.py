"""Retention: whole months go, and nothing else can be passed off as that."""

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit import append_only, journal, month_functions, partitions
from audit.actors import SYSTEM
from audit.evidence import keys, sealing, windows
from audit.evidence.verification import verify
from audit.models import Event
from audit.operations import retention
from audit.operations.verification import verify_some
from audit.partitions import month_after
from audit.types import EventType
from tests.audit.test_evidence import decided, happen, tampering

pytestmark = pytest.mark.django_db(transaction=True)
THIS_MONTH = datetime.now(UTC).date().replace(day=1)
OLD = month_after(THIS_MONTH, -8)
NEXT = month_after(OLD)


def at(month, days=0.0):
    return datetime(month.year, month.month, 1, tzinfo=UTC) + timedelta(days=days)


def partition_of(month):
    if connection.vendor == "postgresql":
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


@pytest.fixture(autouse=True)
def _three_months(settings, transactional_db):
    settings.AUDIT_MONTHS = 3
    yield
    month_functions.keep(connection, 0)


@pytest.fixture
def old(monkeypatch):
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


def found():
    report = verify(trusted=keys.configured())
    return {where: finding.events for where, finding in report.findings.items()}


def claim(month, events, seals, parts):
    """Write an event as retention does, without removing anything."""
    with transaction.atomic():
        event = journal.record(
            EventType.TRAIL_TRIMMED, actor=SYSTEM, target=retention._Trail(),
            month=f"{month:%Y-%m}", events=events, seals=seals, parts=parts,
        )  # fmt: skip
    decided([event])
    sealing.seal_all()


def delete(*ids):
    with tampering() as cursor:
        cursor.execute(f"DELETE FROM audit_event WHERE id IN ({','.join(map(str, ids))})")


def test_an_honest_removal_verifies_clean(old):
    verify_some()
    retention.trim(OLD)
    assert found() == {}
    assert sorted(Event.objects.filter(performed_at__lt=at(NEXT)).values_list("pk")) == []
    assert Event.objects.filter(pk__in=old[4]).count() == 1


def test_one_row_of_an_old_month_cannot_be_passed_off_as_retention(old):
    """Retention removes whole months: a claim for a part of one proves a deletion."""
    delete(old[2][1])
    claim(OLD, 1, [2, 2], {"2": [old[2][1]]})
    assert found() != {}


def test_a_whole_seal_cannot_be_passed_off_as_retention_of_its_month(old):
    delete(*old[2])
    claim(OLD, 3, [2, 2], {})
    assert found() != {}


def test_a_second_claim_for_a_removed_month_hides_nothing_in_the_next_one(old):
    """The days after a month's end, in which a late seal of it may be made, are not free."""
    verify_some()
    retention.trim(OLD)
    delete(old[5][1])
    claim(OLD, 1, [5, 5], {"5": [old[5][1]]})
    assert found() != {}


def test_a_claim_with_a_wrong_count_is_found(old):
    delete(*old[1], *old[2], *old[3], *old[4][:2])
    claim(OLD, 99, [1, 4], {"4": old[4][:2]})
    assert found() != {}


def test_a_claim_for_a_young_month_is_found(old, monkeypatch):
    (gone,) = happened_at(at(THIS_MONTH), sealed_at=at(THIS_MONTH, 0.01), monkeypatch=monkeypatch)
    delete(gone)
    claim(THIS_MONTH, 1, [7, 7], {})
    assert found() != {}


def test_what_a_claim_leaves_is_still_compared(old):
    verify_some()
    retention.trim(OLD)
    with tampering() as cursor:
        cursor.execute(f"UPDATE audit_event SET type = 'x' WHERE id = {old[4][2]}")
    assert found() != {}


def test_a_verification_in_the_middle_of_a_removal_accuses_nobody(old, monkeypatch):
    """SQLite removes in several transactions: between them the trail is honest, too."""
    verify_some()
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 2)
    seen = []
    inner = append_only.deleting

    def watched(database):
        seen.append(found())
        return inner(database)

    monkeypatch.setattr(append_only, "deleting", watched)
    retention.trim(OLD)
    assert all(each == {} for each in seen), seen
    assert found() == {}


# PostgreSQL --------------------------------------------------------------------------------------


@pytest.mark.postgresql
def test_a_month_in_the_default_partition_does_not_stop_the_job(settings, monkeypatch):
    """Nobody made its partition in time: its events are kept or go, and later months still go."""
    settings.AUDIT_MONTHS = 3
    partition_of(OLD)
    elder = month_after(OLD, -1)
    in_default = happened_at(
        *[at(elder, 3)] * 2, sealed_at=at(elder, 3.001), monkeypatch=monkeypatch
    )
    usual = happened_at(*[at(OLD, 3)] * 2, sealed_at=at(OLD, 3.001), monkeypatch=monkeypatch)
    happen(1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tableoid::regclass::text FROM audit_event WHERE id = %s",
            [in_default[0]],
        )
        assert cursor.fetchone()[0] == "audit_event_other"
    verify_some()
    assert found() == {}
    try:
        retention.trim_due()
        assert not Event.objects.filter(pk__in=usual).exists()
        assert found() == {}
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS audit_event_{OLD:%Y_%m}")


@pytest.mark.postgresql
def test_nobody_may_drop_anything_where_the_trail_is_kept_for_ever(old):
    """The restricted role can write any event: the owner's word, not that event, must allow it."""
    month_functions.keep(connection, 0)
    with connection.cursor() as cursor, transaction.atomic():
        journal.record(
            EventType.TRAIL_TRIMMED, actor=SYSTEM, target=retention._Trail(),
            month=f"{OLD:%Y-%m}", events=11, seals=[1, 4], parts={},
        )  # fmt: skip
        with pytest.raises(DatabaseError, match="may not be removed yet"):
            cursor.execute("SELECT audit_drop_month(%s)", [OLD])
        transaction.set_rollback(True)


def waits_behind_a_reader(work):
    """Let a reader keep the trail open while `work` runs; return whether a writer had to wait."""
    reading, stop, written = threading.Event(), threading.Event(), threading.Event()

    def read():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM audit_event")
            reading.set()
            stop.wait(30)
        connection.close()

    def write():
        happen(1)
        written.set()
        connection.close()

    def go():
        with suppress(retention.CannotTrim):
            work()
        connection.close()

    reader, worker, writer = (threading.Thread(target=each) for each in (read, go, write))
    reader.start()
    assert reading.wait(20)
    worker.start()
    worker.join(1)
    writer.start()
    waited = not written.wait(5)
    stop.set()
    for thread in (reader, worker, writer):
        thread.join()
    return waited


@pytest.mark.postgresql
def test_a_long_reader_delays_a_removal_and_no_writer(old):
    verify_some()
    assert not waits_behind_a_reader(lambda: retention.trim(OLD))


@pytest.mark.postgresql
def test_a_long_reader_delays_new_partitions_and_no_writer(old):
    last = month_after(THIS_MONTH, partitions.MONTHS_AHEAD)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE audit_event_{last:%Y_%m}")
    try:
        assert not waits_behind_a_reader(lambda: partitions.make(connection))
    finally:
        partitions.make(connection)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("month", "events", "reason"),
    [
        (OLD, 10, "no event of this transaction records"),
        (OLD, None, "no event of this transaction records"),
        (THIS_MONTH, 0, "may not be removed yet"),
        (month_after(THIS_MONTH, -2), 0, "may not be removed yet"),
        (month_after(OLD, -9), 0, "is no partition"),
        (OLD.replace(day=2), 11, "may not be removed yet"),
    ],
)
def test_the_database_itself_refuses_what_is_not_a_whole_recorded_month(old, month, events, reason):
    month_functions.keep(connection, 3)
    with connection.cursor() as cursor, transaction.atomic():
        if events is not None:
            journal.record(
                EventType.TRAIL_TRIMMED, actor=SYSTEM, target=retention._Trail(),
                month=f"{month:%Y-%m}", events=events, seals=[1, 4], parts={},
            )  # fmt: skip
        with pytest.raises(DatabaseError, match=reason):
            cursor.execute("SELECT audit_drop_month(%s)", [month])
        transaction.set_rollback(True)
    assert Event.objects.filter(performed_at__lt=at(NEXT)).count() == 11


@pytest.mark.postgresql
def test_a_month_with_an_unsealed_event_stays(old, monkeypatch):
    (event,) = happen(1)
    with tampering() as cursor:
        cursor.execute(
            f"UPDATE audit_event SET performed_at = '{OLD} 12:00+00' WHERE id = {event.pk}"
        )
    month_functions.keep(connection, 3)
    with connection.cursor() as cursor, transaction.atomic():
        journal.record(
            EventType.TRAIL_TRIMMED, actor=SYSTEM, target=retention._Trail(),
            month=f"{OLD:%Y-%m}", events=12, seals=[1, 4], parts={},
        )  # fmt: skip
        with pytest.raises(DatabaseError, match="1 events of this month are not sealed"):
            cursor.execute("SELECT audit_drop_month(%s)", [OLD])
        transaction.set_rollback(True)


def test_the_command_says_what_would_go_and_then_removes_it(old, capsys):
    verify_some()
    call_command("audit_retention", "--dry-run")
    assert "11 events would be removed, of the seals 1 to 4." in capsys.readouterr().out
    call_command("audit_retention")
    sealing.seal_all()
    assert "11 events were removed" in capsys.readouterr().out
    call_command("audit_verify")
    assert f"Retention: 11 events of {OLD:%Y-%m} were removed on" in capsys.readouterr().out
    with pytest.raises(CommandError, match="tampered"):
        call_command("audit_verify", "--no-retention")


def test_a_month_that_is_not_verified_stays(old):
    with pytest.raises(retention.CannotTrim, match="not verified yet"):
        retention.trim(OLD)
    assert retention.trim_due() == 0


def test_the_trail_is_kept_for_ever_unless_the_setting_says_otherwise(old, settings):
    verify_some()
    settings.AUDIT_MONTHS = 0
    assert retention.due() == []
    settings.AUDIT_MONTHS = 24
    assert retention.due() == []
    settings.AUDIT_MONTHS = 3
    assert retention.due() == [OLD, NEXT]
    assert retention.trim_due() == 2
    sealing.seal_all()
    assert found() == {}
    assert retention.due() == []


def test_what_a_crash_left_is_removed_by_the_next_run(old, settings, monkeypatch):
    """SQLite: the event is there, and some of the rows still are."""
    verify_some()
    settings.AUDIT_MONTHS = 3
    with monkeypatch.context() as patch:
        patch.setattr(retention, "_delete", lambda month: None)
        retention.trim(OLD)
    sealing.seal_all()
    assert found() == {}
    retention.trim_due()
    assert not Event.objects.filter(performed_at__lt=at(NEXT)).exists()
