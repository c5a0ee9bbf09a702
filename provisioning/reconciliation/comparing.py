"""Two streams in the order of their ids, the rows and the stories of their events, side by side."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from itertools import groupby
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction

from audit.models import Event
from provisioning.reconciliation.stories import Story, Told, differences, left_groups

CHUNK = 2_000
MOST_NAMED = 1_000


class Problem(Enum):
    """How a row and its events can disagree."""

    NO_EVENT = "there is a row, and no event tells how it came to be"
    NO_ROW = "its events say that it exists, and there is no row"
    NOT_GONE = "its events say that it is gone, and there is a row"
    DIFFERS = "the row is not what its events say"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A row without its event, or an event without its change."""

    kind: str
    id: str
    label: str
    problem: Problem
    attribute: str = ""
    told: Any = None
    kept: Any = None


@dataclass(slots=True)
class Result:
    """What was compared, and what did not fit."""

    rows: int = 0
    events: int = 0
    discrepancies: list[Discrepancy] = field(default_factory=list)
    more: int = 0  # discrepancies beyond those named
    untold: int = 0  # rows from before the oldest event that is kept
    departures: Counter[str] = field(default_factory=Counter)

    def add(self, discrepancy: Discrepancy) -> None:
        """Name a discrepancy, or count it once many are named."""
        if len(self.discrepancies) < MOST_NAMED:
            self.discrepancies.append(discrepancy)
        else:
            self.more += 1


class Kept(NamedTuple):
    """A row as a story tells it."""

    id: str
    label: str
    provider: str
    created_at: datetime
    values: dict[str, Any]


Adjust = Callable[[str, Story], None]


def compare(
    kind: str,
    rows: Iterable[Kept],
    result: Result,
    *,
    trimmed_until: datetime | None = None,
    adjust: Adjust | None = None,
    without_events: Story | None = None,
    on_rows: Callable[[int], None] = lambda count: None,
) -> None:
    """Compare the rows of a kind, in the order of their ids as texts, with their stories.

    Before `trimmed_until` the trail is no longer kept. `without_events` is how a row stands that
    no event made.
    """
    told = _stories(kind, result)
    story = next(told, None)
    for row in rows:
        result.rows += 1
        on_rows(1)
        while story is not None and story[0] < row.id:
            _without_row(kind, *story, result)
            story = next(told, None)
        if story is None or story[0] != row.id:
            if without_events:
                _both(kind, row, without_events, result, trimmed_until)
            elif trimmed_until and row.created_at < trimmed_until:
                result.untold += 1
            else:
                result.add(Discrepancy(kind, row.id, row.label, Problem.NO_EVENT))
            continue
        if adjust:
            adjust(row.id, story[1])
        if without_events:
            story[1].began = story[1].exists = True
        _both(kind, row, story[1], result, trimmed_until)
        story = next(told, None)
    while story is not None:
        _without_row(kind, *story, result)
        story = next(told, None)


def _both(
    kind: str, row: Kept, story: Story, result: Result, trimmed_until: datetime | None
) -> None:
    if not story.began and not (trimmed_until and row.created_at < trimmed_until):
        result.add(Discrepancy(kind, row.id, row.label, Problem.NO_EVENT))
        return
    if story.began and not story.exists:
        result.add(Discrepancy(kind, row.id, row.label, Problem.NOT_GONE))
        return
    found = differences(story, row.values)
    if story.provider and story.provider != row.provider:
        found["provider"] = (story.provider, row.provider)
    for name, (told, kept) in found.items():
        result.add(Discrepancy(kind, row.id, row.label, Problem.DIFFERS, name, told, kept))


def _without_row(kind: str, id: str, story: Story, result: Result) -> None:
    if story.exists:
        result.add(Discrepancy(kind, id, story.label, Problem.NO_ROW))


def _stories(kind: str, result: Result) -> Iterator[tuple[str, Story]]:
    """Yield (id, story) of all things of a kind, in the order of their ids as texts."""
    for target, events in groupby(_events(kind), key=lambda event: event.target):
        story = Story()
        for event in events:
            result.events += 1
            story.hear(event)
            left_groups(event, result.departures)
        yield target, story


def _events(kind: str) -> Iterator[Told]:
    rows = (
        Event.objects.filter(target_kind=kind, outcome="success")
        .order_by("target_id", "id")
        .values_list("id", "target_id", "target_label", "type", "changes", "details", "provider_id")
    )
    for id, target, label, type, changes, details, provider in rows.iterator(chunk_size=CHUNK):
        yield Told(id, target, label, type, changes, details, str(provider or ""))


@contextmanager
def one_moment() -> Iterator[None]:
    """Read everything as it was at one moment, for as long as it takes; writers do not wait."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SET LOCAL statement_timeout = 0")
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield
    else:
        # Not atomic(): that would take the one writer's lock.
        connection.ensure_connection()
        connection.connection.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            connection.connection.execute("ROLLBACK")


def as_json(value: Any) -> str:
    """Return a value as an operator reads it."""
    return orjson.dumps(value, default=str).decode()
