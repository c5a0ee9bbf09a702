"""Which events a seal covers, and how they are read: windows over a position that only grows.

PostgreSQL: the position is the transaction id. All transactions below the oldest one that still
runs are over, so a window that ends there holds the same rows for ever, and nobody waits.
SQLite: the position is the id, because its one writer hands out ids in the order of commits.
"""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from operator import itemgetter
from typing import Any

from django.db import connection, transaction

from audit.evidence import serial
from audit.evidence.serial import Row

NO_END = 2**63 - 1
CHUNK = 2_000
SQLITE = "sqlite"
CONTROL = "has_function_privilege('pg_control_system()', 'EXECUTE')"


@dataclass(frozen=True, slots=True)
class Window:
    """The events with after_id < id ≤ upto_id and lo ≤ position < hi; None is no bound."""

    source: str
    lo: int | None = None
    hi: int | None = None
    after_id: int | None = None
    upto_id: int | None = None

    @property
    def position(self) -> str:
        """The column of the position, by where the events were written."""
        return "id" if self.source == SQLITE else "transaction_id"

    def where(self) -> tuple[str, list[Any]]:
        """Return the condition in SQL and its parameters."""
        bounds = (
            (f"{self.position} >= %s", self.lo),
            (f"{self.position} < %s", self.hi),
            ("id > %s", self.after_id or None),  # every id is greater than 0
            ("id <= %s", None if self.upto_id == NO_END else self.upto_id),
        )
        asked = [(sql, value) for sql, value in bounds if value is not None]
        # No operation of ours leaves a position empty; what does is found by itself.
        words = [f"{self.position} IS NOT NULL", *(sql for sql, _ in asked)]
        return " AND ".join(words), [value for _, value in asked]


@dataclass(frozen=True, slots=True)
class Horizon:
    """The present end of what can be sealed, and the database's clock.

    `beyond` is the first position that nobody in this database can have written yet.
    """

    source: str
    hi: int
    beyond: int
    now: datetime

    def begins_anew_after(self, source: str, hi: int) -> bool:
        """Whether positions began anew since a window: another cluster, or ids that went back."""
        return self.source != source or (self.source != SQLITE and self.hi < hi)


def horizon() -> Horizon:
    """Ask the database how far everything is decided."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cluster = "(SELECT system_identifier FROM pg_control_system())"
            cursor.execute(
                f"SELECT {cluster if _may_name_cluster() else '0'}::text,"  # noqa: S608
                " pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint,"
                " clock_timestamp() FROM pg_current_snapshot() AS now"
            )
            cluster_id, hi, beyond, now = cursor.fetchone()
            return Horizon(f"postgresql:{cluster_id}", hi, beyond, now)
        cursor.execute(
            "SELECT coalesce(max(id), 0) + 1, strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"
            " FROM audit_event",
            (),
        )
        hi, now = cursor.fetchone()
        return Horizon(SQLITE, hi, NO_END, datetime.fromisoformat(now).replace(tzinfo=UTC))


@cache
def _may_name_cluster() -> bool:
    """Whether this role may read which cluster it is in, as every role may by default."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {CONTROL}")
        return bool(cursor.fetchone()[0])


def holds_any(window: Window) -> bool:
    """Return whether a window holds an event."""
    where, values = window.where()
    with connection.cursor() as cursor:
        sql = f"SELECT EXISTS (SELECT 1 FROM audit_event WHERE {where})"  # noqa: S608
        cursor.execute(sql, values)
        return bool(cursor.fetchone()[0])


@contextmanager
def reading() -> Iterator[None]:
    """Read for as long as it takes, without keeping any writer waiting.

    PostgreSQL keeps the cursors of a transaction on the server; SQLite's would lock.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
        yield


class Stream:
    """The events of a window in the order of the tree: by position, then by id."""

    def __init__(
        self,
        window: Window,
        limit: int | None = None,
        within: tuple[datetime, datetime] | None = None,
    ) -> None:
        """Open it; `within` keeps to the events from one moment until before another."""
        where, values = window.where()
        if within:
            where += " AND performed_at >= %s AND performed_at < %s"
            values = [*values, *map(connection.ops.adapt_datetimefield_value, within)]
        self.place = serial.ID if window.source == SQLITE else serial.TRANSACTION
        self._key = itemgetter(self.place)
        self._cursor = connection.chunked_cursor()
        order = "id" if self.place == serial.ID else "transaction_id, id"
        sql = (
            f"SELECT {serial.columns(connection)} FROM audit_event"  # noqa: S608 — our own words
            f" WHERE {where} ORDER BY {order}"
        )
        if limit is not None:
            sql += f" LIMIT {limit:d}"
        self._cursor.execute(sql, values)
        self._rows: list[Row] = []
        self._at = 0

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def below(self, position: int) -> Iterator[list[Row]]:
        """Yield the next rows whose position is lower, a chunk at a time."""
        while True:
            if self._at == len(self._rows):
                self._rows, self._at = self._cursor.fetchmany(CHUNK), 0
                if not self._rows:
                    return
            end = bisect_left(self._rows, position, lo=self._at, key=self._key)
            if end > self._at:
                start, self._at = self._at, end
                yield self._rows[start:end]
            if end < len(self._rows):
                return
