"""The application's own role in PostgreSQL, made as docs/settings.md says."""

import re

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from audit import partitions
from audit.models import Event
from audit.operations import retention
from provisioning.models.attributes import forget_types
from tests.conftest import make_idp
from tests.events import ROWS

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
FORBIDDEN = [
    "UPDATE audit_event SET actor_label = 'somebody else'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_event_rows ON audit_event",
    "DROP TABLE audit_event",
    "ALTER TABLE audit_event DETACH PARTITION {part}",
    "UPDATE {part} SET actor_label = 'somebody else'",
    "DELETE FROM {part}",
    "TRUNCATE {part}",
    "INSERT INTO {part} SELECT * FROM audit_event",
    "ALTER TABLE {part} DISABLE TRIGGER ALL",
    "DROP TABLE {part}",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RETURN OLD; END $$",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "UPDATE audit_seal SET count = 0",
    "DELETE FROM audit_seal",
    "TRUNCATE audit_seal",
    "DROP TRIGGER audit_seal_rows ON audit_seal",
    "SET session_replication_role = replica",
    "UPDATE audit_keeping SET months = 3",
    "SET ROLE alta_owner",
]


@pytest.fixture
def cursor():
    """A cursor of the application's role, once the page's SQL has run."""
    page = (settings.BASE_DIR / "docs/settings.md").read_text(encoding="utf-8")
    roles, grants = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    with connection.cursor() as cursor:
        for statement in roles.split(";"):
            if statement.strip().startswith("CREATE ROLE"):  # a transaction makes no database
                cursor.execute(statement)
        cursor.execute(grants)
        make_idp("okta")
        cursor.execute("SELECT tableoid::regclass::text FROM audit_event")
        cursor.part = cursor.fetchone()[0]
        # As the role had signed in: SET ROLE alone would leave a superuser's way back.
        cursor.execute("SET LOCAL SESSION AUTHORIZATION alta_app")
        yield cursor
        cursor.execute("RESET SESSION AUTHORIZATION")


def test_the_application_s_role_works_and_can_alter_no_event(cursor):
    for row in ROWS:
        if row.operation is retention.remove:  # the role may not arrange it; test_retention does
            continue
        forget_types()
        before = Event.objects.count()
        with transaction.atomic():
            row.arranged()()
            assert Event.objects.count() > before, row.id
            transaction.set_rollback(True)
    call_command("migrate", interactive=False, verbosity=0)
    assert partitions.make(connection) == 0
    assert partitions.make(connection, months_ahead=partitions.MONTHS_AHEAD + 1) == 1
    with pytest.raises(DatabaseError, match="may not be removed yet"), transaction.atomic():
        cursor.execute("SELECT audit_drop_month('2020-01-01')")
    for statement in FORBIDDEN:
        with (
            pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
            transaction.atomic(),
        ):
            cursor.execute(statement.format(part=cursor.part).replace("%", "%%"))
    assert Event.objects.get().actor_label == "Tests"
