"""Put made events into the trail, several months beside each other.

On PostgreSQL each month is filled as a table of its own, indexed, and then attached: no trigger
of the trail is set aside, none is on it yet. The events come before the first seal; they bear ids
of transactions that this cluster has behind it, so the sealer takes them as it takes any others.
"""

import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import replace
from datetime import date
from itertools import chain, islice
from typing import Any

from django.db import connection, transaction

from audit.append_only import POSTGRESQL_TRUNCATE
from audit.models import Event, Seal
from audit.partitions import month_after
from bench.load.copying import AT_ONCE, copy, without_limits
from bench.load.events import COLUMNS, FIRST_TRANSACTION, Plan, Row, Trail

Told = Callable[[int], None]
EVENTS_A_TRANSACTION = 5_000
LOOKS_EVERY_S = 0.3
_INDEXES = """
SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
WHERE i.indrelid = 'audit_event'::regclass AND c.oid IS NULL
"""
_KEY = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'audit_event'::regclass AND contype = 'p'
"""
_NAMED = re.compile(r"CREATE INDEX (\S+) ON ONLY \S+ ")


class CannotLoad(Exception):
    """Why the trail takes no made events, in a sentence."""


def load(plan: Plan, told: Told, workers: int = 2) -> Plan:
    """Load a plan's events; return the plan with the ids it got. Raises CannotLoad.

    `told` gets the number of rows that are in, from time to time.
    """
    if Seal.objects.exists():
        raise CannotLoad("The trail is sealed already: made events have to come before that.")
    if connection.vendor != "postgresql":
        return _load_sqlite(plan, told)
    plan = _numbered(plan)
    _work.trail = Trail(plan)
    months = sorted(_work.trail.calendar.months, reverse=True)
    connection.close()  # the processes that are forked must not share it
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        waiting = {pool.submit(_fill, month) for month in months}
        while waiting:
            done, waiting = wait(waiting, LOOKS_EVERY_S)
            for one in done:
                one.result()
            told(_work.rows.value)
    for month in reversed(months):
        _attach(month)
    without_limits()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) audit_event")
    return plan


class _Work:
    """What the forked processes have in common."""

    trail: Trail

    def __init__(self) -> None:
        self.rows: Any = multiprocessing.get_context("fork").Value("q", 0)


_work = _Work()


def _numbered(plan: Plan) -> Plan:
    """Give a plan ids of events that nobody else gets, and of transactions before all others."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence('audit_event', 'id')")
        (sequence,) = cursor.fetchone()
        cursor.execute(
            "SELECT setval(%s, nextval(%s) + %s), pg_snapshot_xmin(pg_current_snapshot())::text",
            [sequence, sequence, plan.events],
        )
        last_id, oldest = map(int, cursor.fetchone())
    first = Event.objects.order_by("transaction_id").values_list("transaction_id", flat=True)
    oldest = min(oldest, first.first() or oldest)
    wanted = plan.events // EVENTS_A_TRANSACTION + 1
    transactions = min(wanted, oldest - FIRST_TRANSACTION)
    return replace(plan, first_id=last_id - plan.events, transactions=transactions)


def _fill(month: date) -> None:
    """Make a month's table, with its rows and indexes."""
    name = _name(month)
    without_limits()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_KEY)
        (key,) = cursor.fetchone()
        cursor.execute(_INDEXES)
        indexes = [definition for (definition,) in cursor.fetchall()]
        # A table that was made in this transaction: PostgreSQL may spare it the log.
        cursor.execute(f"CREATE TABLE {name}_new (LIKE audit_event INCLUDING DEFAULTS)")
        for count in copy(f"{name}_new", COLUMNS, _work.trail.rows(month)):
            with _work.rows.get_lock():
                _work.rows.value += count
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0]:  # what happened here already moves in
            cursor.execute(f"INSERT INTO {name}_new SELECT * FROM {name}")
        cursor.execute(f"ALTER TABLE {name}_new ADD {key}")
        for definition in indexes:
            cursor.execute(_NAMED.sub(rf"CREATE INDEX {name}_new_\1 ON {name}_new ", definition))


def _attach(month: date) -> None:
    """Let a filled table be the month's partition, instead of one that was there."""
    name = _name(month)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(f"ALTER TABLE {name}_new RENAME TO {name}")
        cursor.execute(
            f"ALTER TABLE audit_event ATTACH PARTITION {name} FOR VALUES "
            f"FROM ('{month}T00:00:00Z') TO ('{month_after(month)}T00:00:00Z')"
        )
        cursor.execute(POSTGRESQL_TRUNCATE.format(table=name))


def _name(month: date) -> str:
    return f"audit_event_{month:%Y_%m}"


def _load_sqlite(plan: Plan, told: Told) -> Plan:
    """Insert the rows: there is one table, whose triggers refuse changes but no rows."""
    last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    plan = replace(plan, first_id=last + 1)
    trail, done = Trail(plan), 0
    places = ", ".join(["%s"] * len(COLUMNS))
    sql = f"INSERT INTO audit_event ({', '.join(COLUMNS)}) VALUES ({places})"
    rows = chain.from_iterable(trail.rows(month) for month in trail.calendar.months)
    while some := [_for_sqlite(row) for row in islice(rows, AT_ONCE)]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(sql, some)
        done += len(some)
        told(done)
    return plan


def _for_sqlite(row: Row) -> Row:
    """Return a row as Django writes it there: times without a zone, ids without dashes."""
    id, moment, _, *rest = row
    idp = COLUMNS.index("provider_id") - 3
    rest[idp] = rest[idp] and rest[idp].replace("-", "")
    return (id, moment.removesuffix("+00"), None, *rest)
