"""Retention: whole months go, and nothing else can be passed off as that."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit import journal, month_functions
from audit.actors import SYSTEM
from audit.evidence import sealing
from audit.models import Event
from audit.operations import retention
from audit.operations.verification import verify_some
from audit.partitions import month_after
from audit.types import EventType
from tests.audit.old_months import NEXT, OLD, THIS_MONTH, at, found
from tests.audit.test_evidence import happen, tampering

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _three_months(settings, transactional_db):
    settings.AUDIT_MONTHS = 3
    yield
    month_functions.keep(connection, 0)


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
