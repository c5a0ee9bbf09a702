"""The events of an export, as tuples from a cursor of the database's side."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from audit.models import Event

AT_ONCE = 2_000  # rows that the database hands over


class Row(NamedTuple):
    """An event as it is exported; `changes` and `details` are the text of their JSON."""

    id: int
    at: datetime
    type: str
    category: str
    outcome: str
    actor_kind: str
    actor_id: str
    actor_label: str
    target_kind: str
    target_id: str
    target_label: str
    provider_id: UUID | None
    provider_kind: str
    provider_label: str
    request_id: str
    ip_address: str | None
    user_agent: str
    changes: str
    details: str


def ordered(events: QuerySet[Event]) -> QuerySet[Event, Any]:
    """Return events as the columns of Row, oldest first."""
    return (
        events.defer(None)
        .order_by("performed_at", "id")
        .values_list(
            "id", "performed_at", *Row._fields[2:17],
            Cast("changes", TextField()), Cast("details", TextField()),
        )
    )  # fmt: skip


@contextmanager
def reading(events: QuerySet[Event]) -> Iterator[Iterator[list[Row]]]:
    """Yield the rows in lists, of one moment, while other rows are written.

    On a connection of its own: its transaction only reads. So it has no id on PostgreSQL, which
    a seal would wait for, and on SQLite no lock that a writer would wait for.
    """
    reader = connection.copy()
    try:
        if reader.vendor == "postgresql":
            reader.ensure_connection()
            reader.set_autocommit(False)
            with reader.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SET LOCAL statement_timeout = 0")
                cursor.execute("SET LOCAL cursor_tuple_fraction = 1")
        compiler = ordered(events).query.get_compiler(connection=reader)
        found = compiler.results_iter(tuple_expected=True, chunked_fetch=True, chunk_size=AT_ONCE)
        yield _lists(found)
    finally:
        reader.close()


def _lists(found: Any) -> Iterator[list[Row]]:
    rows: list[Row] = []
    for values in found:
        rows.append(Row._make(values))
        if len(rows) == AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows
