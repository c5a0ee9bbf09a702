"""The database itself refuses to change or delete an event."""

import pytest
from django.db import DatabaseError, connection, transaction

from audit import journal
from audit.actors import SYSTEM
from audit.models import Event
from audit.types import EventType
from provisioning.models import Provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    with transaction.atomic():
        return journal.record(
            EventType.PROVIDER_UPDATED, actor=SYSTEM, target=Provider.objects.first()
        )


def refused(statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor_label = 'somebody else'",
        "UPDATE audit_event SET id = id",
        "DELETE FROM audit_event",
    ],
)
def test_a_statement_that_changes_or_deletes_is_refused(event, statement):
    refused(statement)
    assert Event.objects.get().actor_label == "Alta"


def test_so_are_the_orm_and_the_model(event):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.update(type="x")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.all().delete()
    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()


@pytest.mark.postgresql
def test_partitions_are_guarded_like_the_whole(event):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM audit_event")
        partition = cursor.fetchone()[0]
    assert partition.startswith("audit_event_2")
    for statement in ("TRUNCATE {}", "DELETE FROM {}", "UPDATE {} SET type = 'x'"):
        refused(statement.format(partition))
    refused("TRUNCATE audit_event")


@pytest.mark.postgresql
def test_the_application_chooses_neither_time_nor_transaction(event):
    with connection.cursor() as cursor:
        cursor.execute("SELECT now(), pg_current_xact_id()::text::bigint")
        now, transaction_id = cursor.fetchone()
    forged = Event.objects.create(
        type="x", category="x", outcome="x", actor_kind="x", actor_id="x", actor_label="x",
        target_kind="x", target_id="x", target_label="x", transaction_id=1,
        performed_at=now.replace(day=1, hour=0, minute=0),
    )  # fmt: skip
    forged.refresh_from_db()
    assert forged.transaction_id == transaction_id
    assert abs((forged.performed_at - now).total_seconds()) < 60


@pytest.mark.postgresql
def test_the_coming_months_have_their_partitions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_event'::regclass")
        assert cursor.fetchone()[0] == 16  # last month, this one, 13 to come, and the default
