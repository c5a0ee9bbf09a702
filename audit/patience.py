"""How long a question may take that no index serves, on both databases."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

STEPS = 20_000  # of SQLite's machine between two looks at the clock: a fraction of a millisecond


class TooSlow(TimeoutError):
    """The database gave up: no index serves the question, and nothing bounds it."""


@contextmanager
def within(most_ms: int) -> Iterator[None]:
    """Give up on the queries of a block when one takes longer. Raises TooSlow.

    PostgreSQL times each statement, SQLite the whole block.
    """
    try:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {most_ms:d}")
                yield
        else:
            with _watched(time.monotonic() + most_ms / 1_000):
                yield
    except OperationalError as error:
        raise told(error) from error


@contextmanager
def soon(most_ms: int) -> Iterator[None]:
    """Run a block in a transaction that waits only shortly for other writers.

    Raises OperationalError when they do not let it; nothing of the block is kept then.
    """
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {most_ms:d}")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (usual,) = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {most_ms:d}")
        try:
            with transaction.atomic():
                yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual:d}")


@contextmanager
def _watched(end: float) -> Iterator[None]:
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)


def told(error: OperationalError) -> Exception:
    """Return TooSlow for a query that was given up, else the error itself."""
    is_over = getattr(error.__cause__, "sqlstate", "") == "57014" or str(error) == "interrupted"
    return TooSlow() if is_over else error
