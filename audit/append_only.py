"""What makes the trail append-only in the database itself, for migrations and for tests.

PostgreSQL: triggers refuse UPDATE, DELETE and TRUNCATE for everybody (ENABLE ALWAYS), and set the
time and the transaction of each new row. SQLite: triggers refuse UPDATE and DELETE.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

POSTGRESQL_FUNCTIONS = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE FUNCTION audit_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The same value as the column's default, by which the partition was chosen.
    NEW.performed_at := statement_timestamp();
    NEW.transaction_id := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
"""
POSTGRESQL = """
CREATE TRIGGER audit_event_stamp BEFORE INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_stamp();
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_stamp;
CREATE TRIGGER audit_event_rows BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_rows;
"""
# Not inherited by partitions, so each table needs its own.
POSTGRESQL_TRUNCATE = """
CREATE TRIGGER audit_event_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_event_truncate;
"""
POSTGRESQL_REMOVE = """
DROP TRIGGER IF EXISTS audit_event_stamp ON audit_event;
DROP TRIGGER IF EXISTS audit_event_rows ON audit_event;
"""
PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_event'::regclass
"""
SQLITE = (
    "CREATE TRIGGER audit_event_update BEFORE UPDATE ON audit_event "
    "BEGIN SELECT RAISE(ABORT, 'audit events are append-only: UPDATE refused'); END",
    "CREATE TRIGGER audit_event_delete BEFORE DELETE ON audit_event "
    "BEGIN SELECT RAISE(ABORT, 'audit events are append-only: DELETE refused'); END",
)
SQLITE_REMOVE = (
    "DROP TRIGGER IF EXISTS audit_event_update",
    "DROP TRIGGER IF EXISTS audit_event_delete",
)


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the table append-only."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL_FUNCTIONS + POSTGRESQL)
            cursor.execute(PARTITIONS)
            for table in ("audit_event", *(row[0] for row in cursor.fetchall())):
                cursor.execute(POSTGRESQL_TRUNCATE.format(table=table))
        else:
            for statement in SQLITE:
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Lift the guard: to drop the table, or to empty a test's database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL_REMOVE)
            cursor.execute(PARTITIONS)
            for table in ("audit_event", *(row[0] for row in cursor.fetchall())):
                cursor.execute(f"DROP TRIGGER IF EXISTS audit_event_truncate ON {table}")
        else:
            for statement in SQLITE_REMOVE:
                cursor.execute(statement)


# The seals -------------------------------------------------------------------------------------

SEAL_POSTGRESQL = """
CREATE TRIGGER audit_seal_rows BEFORE UPDATE OR DELETE ON audit_seal
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_seal ENABLE ALWAYS TRIGGER audit_seal_rows;
CREATE TRIGGER audit_seal_truncate BEFORE TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_seal ENABLE ALWAYS TRIGGER audit_seal_truncate;
"""
SEAL_POSTGRESQL_REMOVE = """
DROP TRIGGER IF EXISTS audit_seal_rows ON audit_seal;
DROP TRIGGER IF EXISTS audit_seal_truncate ON audit_seal;
"""
SEAL_SQLITE = tuple(statement.replace("audit_event", "audit_seal") for statement in SQLITE)
SEAL_SQLITE_REMOVE = tuple(
    statement.replace("audit_event", "audit_seal") for statement in SQLITE_REMOVE
)


def install_on_seals(connection: BaseDatabaseWrapper) -> None:
    """Make the table of seals append-only."""
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for statement in (SEAL_POSTGRESQL,) if is_postgresql else SEAL_SQLITE:
            cursor.execute(statement)


def remove_from_seals(connection: BaseDatabaseWrapper) -> None:
    """Lift the guard of the seals."""
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for statement in (SEAL_POSTGRESQL_REMOVE,) if is_postgresql else SEAL_SQLITE_REMOVE:
            cursor.execute(statement)


@contextmanager
def deleting(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let SQLite delete events for a block, inside the caller's transaction: nobody else sees it.

    For retention alone, which has recorded what goes (`audit.operations.retention`).
    """
    with connection.cursor() as cursor:
        cursor.execute(SQLITE_REMOVE[1])
        yield
        cursor.execute(SQLITE[1])


@contextmanager
def lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Lift the guards for a block: only tests empty or alter the tables."""
    remove(connection)
    remove_from_seals(connection)
    try:
        yield
    finally:
        install(connection)
        install_on_seals(connection)
