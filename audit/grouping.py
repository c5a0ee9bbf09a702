"""The grouped view: one row an entity, the entity of the newest event first.

The newest-first index is walked in chunks, and of the entities met for the first time the index by
entity tells in one step which have a newer event, on an earlier page. So a page costs what it
shows and what it passes over, never the whole trail; a walk that meets nothing new stops after a
second, and the link to the next page takes it up.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connections
from django.db.models import DateTimeField, F, IntegerField, OuterRef, Q, QuerySet, Subquery

from audit import keyset
from audit.models import Event
from audit.patience import within
from audit.queries import ORDER, PAGE_SIZE, QUICK_MS, Count, Filters, matching

MOST_EVENTS = 1_000
LONGEST_WALK_S = 1.0
FIRST_CHUNK, LONGEST_CHUNK = 250, 4_000
KEYS = ("target_kind", "target_id", "performed_at", "pk")
Key = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Group:
    """An entity: its newest event that matches, how many do (up to a limit), the oldest."""

    newest: Event
    number: int
    is_capped: bool
    first_at: datetime


class Counted(Subquery):
    """How many rows a question finds."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def page(
    filters: Filters, cursor: str = "", *, counted: Count | None = None, size: int = PAGE_SIZE
) -> keyset.Page[Event]:
    """Return the newest matching event of each entity of a page. Raises TooSlow."""
    if counted and not counted.number:
        return keyset.Page([])
    if counted and not counted.is_capped:
        return _page_of_few(filters, cursor, size)
    place = keyset.place(cursor)
    if place and not place[0]:
        found, _end = _walk(filters, size + 1, place, older=False)
        if len(found) > size:
            return _page(found[:size][::-1], newer=True, older=True)
        place = None  # fewer than a page stand before: the first page shows them all
    found, end = _walk(filters, size + 1, place, older=True)
    if place and not found and not end:  # all that is left are older events of entities seen
        return keyset.Page([], keyset.cursor_at(ORDER.key(*place[1]), older=False))
    shown = _page(found[:size], newer=place is not None, older=len(found) > size)
    if len(found) <= size and end:  # the walk goes on from where its time was over
        return keyset.Page(shown.rows, shown.newer, keyset.cursor_at(ORDER.key(*end), older=True))
    return shown


def _walk(
    filters: Filters, wanted: int, place: tuple[bool, Key] | None, *, older: bool
) -> tuple[list[Key], Key | None]:
    """Return the keys of the newest events of entities beyond a place, and the last key seen.

    None for that when nothing is left. Raises TooSlow when one step takes too long.
    """
    end = time.monotonic() + LONGEST_WALK_S
    rows = matching(filters)
    order = ("-performed_at", "-pk") if older else ("performed_at", "pk")
    key = place[1] if place else None
    met: set[tuple[str, str]] = set()
    found: list[Key] = []
    size = FIRST_CHUNK
    with within(QUICK_MS):
        while len(found) < wanted:
            beyond = rows.filter(ORDER.beyond(rows, ORDER.key(*key), older=older)) if key else rows
            chunk = list(beyond.order_by(*order).values_list(*KEYS)[: size + 1])
            has_more, chunk = len(chunk) > size, chunk[:size]
            # Of each entity its newest event of the chunk: the first one met; walking up, the last.
            heads = {
                (kind, entity): (at, pk) for kind, entity, at, pk in chunk[:: -1 if older else 1]
            }
            keys = sorted((k for e, k in heads.items() if e not in met), reverse=older)
            if older:
                met |= heads.keys()
            found += _newest(filters, keys) if place else keys
            if not has_more:
                return found, None
            key, size = chunk[-1][2:], min(size * 2, LONGEST_CHUNK)
            if time.monotonic() > end:
                break
    return found[:wanted], key


def _newest(filters: Filters, keys: list[Key]) -> list[Key]:
    """Return those of some keys whose entity has no newer event that matches."""
    if not keys:
        return []
    known = set(not_passed(filters, keys))
    return [key for key in keys if key[1] in known]


def not_passed(filters: Filters, keys: list[Key]) -> QuerySet[Event, int]:
    """Return the ids of the same: a question that the index of entities answers."""
    newer = matching(filters).filter(
        Q(performed_at__gt=OuterRef("performed_at")) | Q(pk__gt=OuterRef("pk")),
        target_kind=OuterRef("target_kind"),
        target_id=OuterRef("target_id"),
        performed_at__gte=OuterRef("performed_at"),  # bounds the index, prunes partitions
    )
    # A value and not EXISTS, which PostgreSQL might turn into a join with the whole trail.
    passed = Subquery(newer.order_by().values("pk")[:1])
    left = _of(keys).alias(passed=passed).filter(passed=None).order_by()
    return left.values_list("pk", flat=True)


def _of(keys: list[Key]) -> QuerySet[Event]:
    """Return the events of some keys; their times spare the partitions that hold none."""
    found = Event.objects.defer("search").filter(pk__in=[pk for _at, pk in keys])
    if keys and connections[found.db].vendor == "postgresql":  # on SQLite a time is a text
        moments = [at for at, _pk in keys]
        found = found.filter(performed_at__gte=min(moments), performed_at__lte=max(moments))
    return found


def _page(keys: list[Key], *, newer: bool, older: bool) -> keyset.Page[Event]:
    if not keys:
        return keyset.Page([])
    events = sorted(_of(keys), key=lambda event: (event.performed_at, event.pk), reverse=True)
    return keyset.Page(
        events,
        keyset.cursor_of(ORDER, events[0], older=False) if newer else "",
        keyset.cursor_of(ORDER, events[-1], older=True) if older else "",
    )


def _page_of_few(filters: Filters, cursor: str, size: int) -> keyset.Page[Event]:
    """Return the same page where all that matches was counted and is few: it is read once."""
    newest: dict[tuple[str, str], Key] = {}
    with within(QUICK_MS):
        for kind, entity, at, pk in matching(filters).order_by().values_list(*KEYS):
            newest[kind, entity] = max(newest.get((kind, entity), (at, pk)), (at, pk))
    keys = sorted(newest.values(), reverse=True)
    start = _start(keys, cursor, size)
    shown = keys[start : start + size]
    return _page(shown, newer=start > 0, older=start + size < len(keys))


def _start(keys: list[Key], cursor: str, size: int) -> int:
    """Return where the page of a cursor begins; the first one when it leads nowhere."""
    if (place := keyset.place(cursor)) is None:
        return 0
    older, key = place
    start = sum(other >= key for other in keys) if older else sum(o > key for o in keys) - size
    return start if 0 < start < len(keys) else 0


def groups(filters: Filters, rows: list[Event]) -> Iterator[Group]:
    """Yield what the rows of a page say of their entities, in one query. Raises TooSlow."""
    if not rows:
        return
    with within(QUICK_MS):
        told = {pk: (number, first) for pk, number, first in counted(filters, rows)}
    for row in rows:
        number, first = told[row.pk]
        yield Group(row, min(number, MOST_EVENTS), number > MOST_EVENTS, first or row.performed_at)


def counted(filters: Filters, rows: list[Event]) -> QuerySet[Event, tuple[int, int, datetime]]:
    """Return the id of each row, how many events of its entity match, and when the oldest did."""
    same = matching(filters).filter(
        target_kind=OuterRef("target_kind"), target_id=OuterRef("target_id")
    )
    oldest = same.order_by("performed_at", "pk").values("performed_at")[:1]
    return (
        _of([(row.performed_at, row.pk) for row in rows])
        .annotate(
            number=Counted(same.order_by().values("pk")[: MOST_EVENTS + 1]),
            first_at=Subquery(oldest, output_field=DateTimeField()),
        )
        .order_by()
        .values_list("pk", F("number"), F("first_at"))
    )
