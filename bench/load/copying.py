"""PostgreSQL's COPY: rows as its text format, and indexes built after the rows instead of with."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection

AT_ONCE = 2_000
_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
WHERE i.indrelid = %s::regclass AND c.oid IS NULL AND NOT i.indisunique
"""
_REFERENCES = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype = 'f'
"""
# Tables are ours, and so are the definitions read back from the catalogue.


def copy(table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[int]:
    """Copy rows into a table; yield how many went in, a part at a time."""
    names, rows = ", ".join(columns), iter(rows)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as into:
        while some := list(islice(rows, AT_ONCE)):
            into.write("".join(map(line, some)))
            yield len(some)


def line(row: tuple[Any, ...]) -> str:
    """Return a row in COPY's text format."""
    cells = ["\\N" if value is None else str(value) for value in row]
    text = "\t".join(cells)
    if "\\" in text or text.count("\t") >= len(row) or "\n" in text or "\r" in text:
        # Seldom, so that the usual row is joined and looked through once.
        text = "\t".join(
            "\\N" if value is None else _SPECIAL.sub(lambda m: _ESCAPES[m[0]], str(value))
            for value in row
        )
    return f"{text}\n"


def without_limits() -> None:
    """Let this session take as long as it needs, with memory to build indexes."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("SET synchronous_commit = off")


@contextmanager
def indexed_afterwards(*tables: str) -> Iterator[None]:
    """Take what is neither unique nor a rule off some tables, and build it again after the block.

    References are checked once at the end, all together.
    """
    again = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(_REFERENCES, [table])
            for name, definition in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
                again.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
            cursor.execute(_INDEXES, [table])
            for name, definition in cursor.fetchall():
                cursor.execute(f"DROP INDEX {name}")
                again.insert(0, definition)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for statement in again:
                cursor.execute(statement)
            for table in tables:
                cursor.execute(f"VACUUM (ANALYZE) {table}")


def milliseconds(moment: datetime) -> int:
    """Return a moment as UUIDs of version 7 hold it."""
    return int(moment.timestamp() * 1000)
