"""What somebody tries who wants retention to hide a deletion, or to stop the writers."""

import re
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, transaction

from audit import append_only, journal, month_functions, partitions
from audit import retention as claims
from audit.actors import SYSTEM
from audit.evidence import keys, sealing, windows
from audit.evidence.verification import verify
from audit.models import Event, Verification
from audit.operations import retention
from audit.operations.verification import verify_some
from audit.partitions import month_after
from audit.types import EventType
from tests.audit.old_months import (
    NEXT,
    OLD,
    THIS_MONTH,
    at,
    claim,
    delete,
    found,
    happened_at,
    partition_of,
)
from tests.audit.test_evidence import command, decided, happen, tampering

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _owner_s_word():
    yield
    month_functions.keep(connection, 0)


def remove_month(month):
    """Plan and remove; the owner's word was said already."""
    return retention.remove(retention.plan(month))


def test_an_honest_removal_verifies_clean(old):
    verify_some()
    remove_month(OLD)
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
    remove_month(OLD)
    delete(old[5][1])
    claim(OLD, 1, [5, 5], {"5": [old[5][1]]})
    assert found() != {}


def test_a_claim_with_a_wrong_count_is_found(old):
    delete(*old[1], *old[2], *old[3], *old[4][:2])
    claim(OLD, 99, [1, 4], {"4": old[4][:2]})
    assert found() != {}


def test_a_claim_that_is_not_sealed_counts_for_nothing(old, monkeypatch):
    delete(*old[1], *old[2], *old[3], *old[4][:2])
    monkeypatch.setattr(sealing, "seal_all", lambda: 0)
    claim(OLD, 11, [1, 4], {"4": old[4][:2]})
    (unproven,) = verify(trusted=keys.configured()).unproven  # neither clean nor an accusation
    assert unproven.is_sealed is False
    assert command()[0] == 2


def test_a_claim_for_a_young_month_is_found(old, monkeypatch):
    (gone,) = happened_at(at(THIS_MONTH), sealed_at=at(THIS_MONTH, 0.01), monkeypatch=monkeypatch)
    delete(gone)
    claim(THIS_MONTH, 1, [7, 7], {})
    assert found() != {}


def test_what_a_claim_leaves_is_still_compared(old):
    verify_some()
    remove_month(OLD)
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
    remove_month(OLD)
    assert all(each == {} for each in seen), seen
    assert found() == {}


def test_an_auditor_may_insist(old):
    verify_some()
    remove_month(OLD)
    decided([Event.objects.get(type="trail.trimmed")])
    sealing.seal_all()
    code, text = command()
    assert (code, f"11 events of {OLD:%Y-%m} were removed on" in text) == (0, True), text
    assert command("--no-retention")[0] == 1


def test_a_removal_is_known_after_its_own_event_was_removed(old, monkeypatch):
    """Retention's events grow old like others: the next one carries their claims on."""
    verify_some()
    then = month_after(THIS_MONTH, -4)
    partition_of(then)
    remove_month(OLD)
    told = Event.objects.get(type="trail.trimmed")
    others = Event.objects.filter(performed_at__gte=at(THIS_MONTH)).exclude(pk=told.pk)
    assert others.count() == 2  # seal 6: newer than the moment that is given to that event
    with tampering() as cursor:
        zone = "+00" if connection.vendor == "postgresql" else ""
        cursor.execute(
            f"UPDATE audit_event SET performed_at = '{then} 12:00:00.000000{zone}' "
            f"WHERE id = {told.pk}"
        )
        cursor.execute(
            "DELETE FROM audit_event WHERE id IN (%s, %s)", [other.pk for other in others]
        )
        cursor.execute("DELETE FROM audit_seal WHERE number = 6")
    decided([told])
    with monkeypatch.context() as patch:
        soon = at(then, 0.6)
        patch.setattr(sealing, "horizon", lambda: replace(windows.horizon(), now=soon))
        assert sealing.seal_all() == 1
    happen(1)
    Verification.objects.all().delete()
    verify_some()
    assert found() == {}
    try:
        remove_month(then)
        assert not Event.objects.filter(pk=told.pk).exists()
        decided([Event.objects.get(type="trail.trimmed")])
        sealing.seal_all()
        assert found() == {}
        assert {each.month for each in claims.removals()} == {OLD, then}
    finally:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE IF EXISTS audit_event_{then:%Y_%m}")


def test_a_month_that_is_not_verified_or_not_sealed_is_kept(old):
    with pytest.raises(retention.CannotTrim, match="not verified"):
        remove_month(OLD)
    verify_some()
    with tampering() as cursor:
        cursor.execute(f"UPDATE audit_event SET type = 'x' WHERE id = {old[2][0]}")
    verify_some()
    with pytest.raises(retention.CannotTrim, match="altered"):
        remove_month(OLD)
    assert Event.objects.filter(pk__in=old[1]).count() == 3


def test_a_removal_that_was_killed_goes_on(old, settings, monkeypatch):
    settings.AUDIT_MONTHS = 3
    if connection.vendor == "postgresql":
        return  # one transaction there
    verify_some()
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 4)
    inner, turns = append_only.deleting, []

    def killed(database):
        turns.append(1)
        if len(turns) > 1:
            raise KeyboardInterrupt
        return inner(database)

    with monkeypatch.context() as patch:
        patch.setattr(append_only, "deleting", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_month(OLD)
    sealing.seal_all()
    assert Event.objects.filter(performed_at__lt=at(NEXT)).count() == 7
    assert (found(), command()[0]) == ({}, 2)
    retention._finish()
    assert Event.objects.filter(performed_at__lt=at(NEXT)).count() == 0
    assert (found(), command()[0]) == ({}, 0)


def test_a_forged_claim_is_not_obeyed(old, settings):
    settings.AUDIT_MONTHS = 3
    claim(OLD, 1, [2, 2], {"2": [old[2][1]]})
    retention._finish()
    assert Event.objects.filter(pk__in=old[1]).count() == 3


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
        assert not Event.objects.filter(pk__in=[*usual, *in_default]).exists()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tgenabled FROM pg_trigger WHERE tgname = 'audit_event_rows'"
                " AND tgrelid = 'audit_event_other'::regclass"
            )
            assert cursor.fetchone()[0] == "A"  # guarded again, ALWAYS
        assert found() == {}
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS audit_event_{OLD:%Y_%m}")


@pytest.mark.postgresql
def test_nobody_may_drop_anything_where_the_trail_is_kept_for_ever(old, settings):
    """The restricted role can write any event: the owner's word, not that event, must allow it."""
    settings.AUDIT_MONTHS = 0
    month_functions.keep(connection, 0)
    with connection.cursor() as cursor:
        refused(cursor, "may not be removed", f"SELECT audit_drop_month('{OLD}')", events=11)


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
        with suppress(retention.CannotTrim, DatabaseError):
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
    assert not waits_behind_a_reader(lambda: remove_month(OLD))


@pytest.mark.postgresql
def test_a_long_reader_delays_new_partitions_and_no_writer(old):
    last = month_after(THIS_MONTH, partitions.MONTHS_AHEAD)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE audit_event_{last:%Y_%m}")
    try:
        assert not waits_behind_a_reader(lambda: partitions.make(connection))
    finally:
        partitions.make(connection)


# The application's role --------------------------------------------------------------------------


@pytest.fixture
def app(old):
    """A cursor of the application's role, as docs/settings.md sets it up, and the owner's word."""
    page = (django_settings.BASE_DIR / "docs/settings.md").read_text(encoding="utf-8")
    _roles, grants = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    verify_some()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE alta_app LOGIN")
        cursor.execute(grants)
        cursor.execute("SET LOCAL SESSION AUTHORIZATION alta_app")
        yield cursor
        cursor.execute("RESET SESSION AUTHORIZATION")
        transaction.set_rollback(True)


def refused(cursor, words, statement, *, events=None, month=OLD):
    """Send a statement, in a transaction that tells of a removal when `events` is given."""

    def send():
        with transaction.atomic():
            if events is not None:
                journal.record(
                    EventType.TRAIL_TRIMMED, actor=SYSTEM, target=retention._Trail(),
                    month=f"{month:%Y-%m}", events=events, seals=[1, 4], parts={}, carried=[],
                )  # fmt: skip
            cursor.execute(statement)

    with pytest.raises(DatabaseError, match=words):
        send()


@pytest.mark.postgresql
def test_the_application_s_role_removes_a_month_that_may_go_and_no_other(app):
    drop = f"SELECT audit_drop_month('{OLD}')"
    refused(app, "no event of this transaction", drop)
    refused(app, "no event of this transaction records the removal of 11 events", drop, events=10)
    young = month_after(THIS_MONTH, -3)
    refused(
        app, "may not be removed yet", f"SELECT audit_drop_month('{young}')", events=0, month=young
    )
    refused(
        app, "may not be removed yet", f"SELECT audit_drop_month('{OLD.replace(day=2)}')", events=11
    )
    refused(app, "permission denied|must be owner", f"DROP TABLE audit_event_{OLD:%Y_%m}")
    refused(app, "permission denied", "UPDATE audit_keeping SET months = 1")
    # Tables and functions of the session are not looked at by functions of the owner.
    app.execute(
        "CREATE TEMP TABLE audit_seal AS SELECT 99 AS number, 9223372036854775807 AS upto_id,"
        " 0::bigint AS after_id, 9223372036854775807 AS hi"
    )
    app.execute("SET LOCAL search_path = pg_temp, public")
    app.execute("SELECT hi FROM audit_seal")
    assert app.fetchone()[0] == 2**63 - 1
    refused(app, "no event of this transaction records the removal of 11 events", drop, events=10)
    app.execute("DROP TABLE pg_temp.audit_seal")
    app.execute("SET LOCAL search_path = public")
    assert remove_month(OLD).events == 11
    assert partitions.make(connection) == 0
    refused(app, "a month that is near", "SELECT audit_make_month('2090-01-01')")


@pytest.mark.postgresql
def test_the_application_s_role_cannot_remove_an_unsealed_month(app):
    app.execute("RESET SESSION AUTHORIZATION")
    with append_only.lifted(connection):
        app.execute("DELETE FROM audit_seal WHERE number > 3")
    app.execute("SET LOCAL SESSION AUTHORIZATION alta_app")
    refused(
        app, "2 events of this month are not sealed", f"SELECT audit_drop_month('{OLD}')", events=11
    )
