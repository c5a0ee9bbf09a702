"""What SQLite's planner must know of the tables; PostgreSQL finds it out by itself."""

from django.db import connection

from provisioning.models import User

WORTH_KNOWING = 1_000  # users: below, any plan is quick


def refresh() -> bool:
    """Let SQLite look at its tables again; return whether it did.

    Without it the planner takes one provider for ten users and reads them all to find an e-mail.
    `analysis_limit` keeps the look, and the write lock it takes, at some milliseconds.
    """
    if connection.vendor != "sqlite":
        return False
    if User.objects.values("pk")[:WORTH_KNOWING].count() < WORTH_KNOWING:
        return False
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA analysis_limit=400")
        cursor.execute("ANALYZE")
    return True
