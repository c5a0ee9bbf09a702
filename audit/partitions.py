"""Monthly partitions of the trail on PostgreSQL, made ahead of time."""

from datetime import UTC, date, datetime

from django.db.backends.base.base import BaseDatabaseWrapper

from audit.append_only import POSTGRESQL_TRUNCATE

MONTHS_AHEAD = 13
OWNS = """
SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'audit_event'::regclass
"""


def month_after(month: date, months: int = 1) -> date:
    """Return the first day of a later (or, when negative, earlier) month."""
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def make(connection: BaseDatabaseWrapper, months_ahead: int = MONTHS_AHEAD) -> int:
    """Make the partitions of this month and the following ones; return how many were made.

    A default partition takes what falls outside, so that no change fails for want of one. A role
    that does not own the table may not make any: the owner's set-up does.
    """
    if connection.vendor != "postgresql":
        return 0
    made = 0
    this_month = datetime.now(UTC).date().replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute(OWNS)
        if not cursor.fetchone()[0]:
            return 0
        for ahead in range(-1, months_ahead + 1):
            first = month_after(this_month, ahead)
            name = f"audit_event_{first:%Y_%m}"
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0] is None:
                # Identifiers and bounds are made here from a date, never from input.
                cursor.execute(
                    f"CREATE TABLE {name} PARTITION OF audit_event FOR VALUES "
                    f"FROM ('{first}T00:00:00Z') TO ('{month_after(first)}T00:00:00Z')"
                )
                cursor.execute(POSTGRESQL_TRUNCATE.format(table=name))
                made += 1
    return made
