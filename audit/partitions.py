"""Monthly partitions of the trail on PostgreSQL, made ahead of time."""

from datetime import UTC, date, datetime

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.patience import soon

MONTHS_AHEAD = 13
LOCK_MS = 300  # for which writers may have to wait; the next run tries again


def month_after(month: date, months: int = 1) -> date:
    """Return the first day of a later (or, when negative, earlier) month."""
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def make(connection: BaseDatabaseWrapper, months_ahead: int = MONTHS_AHEAD) -> int:
    """Make the partitions of this month and the following ones; return how many were made.

    A default partition takes what falls outside, so that no change fails for want of one. A role
    that may not call the function makes none: the owner's set-up does.
    """
    if connection.vendor != "postgresql":
        return 0
    made = 0
    this_month = datetime.now(UTC).date().replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_function_privilege(to_regprocedure('audit_make_month(date)'), 'EXECUTE')"
        )
        if not cursor.fetchone()[0]:
            return 0
        for ahead in range(-1, months_ahead + 1):
            month = month_after(this_month, ahead)
            cursor.execute("SELECT to_regclass(%s)", [f"audit_event_{month:%Y_%m}"])
            if cursor.fetchone()[0] is not None:
                continue
            try:
                with soon(LOCK_MS):
                    cursor.execute("SELECT audit_make_month(%s)", [month])
                    made += cursor.fetchone()[0]
            except OperationalError:  # somebody reads for long: writers must not queue behind us
                break
    return made
