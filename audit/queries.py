"""What the table of events asks: filters, pages by key, a capped count."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.functional import Promise

from audit import keyset
from audit.conditions import COLUMNS, TEXTS, Condition, condition_of, needs_texts
from audit.models import Event
from audit.patience import TooSlow, within
from audit.search import WORD_BREAK, asked, fold
from audit.types import EventType

PAGE_SIZE = 50
MOST_NEWS = 99
MOST_COUNTED = 10_000
QUICK_MS = 3_000
SECOND_TRY_MS = 1_000  # of a page whose rows took too long to be counted
# What an event can be about; named, so that the index (kind, id, time) serves an id alone.
TARGET_KINDS = (
    "token",
    "user",
    "group",
    "attribute",
    "provider",
    "account",
    "installation",
    "service",
    "trail",
    "view",
    "job",
    "alert",
)
# The columns that the hourly counters hold too, under the same names.
COUNTED = ("activity", "category", "idp")
ORDER = keyset.ByTime("performed_at")


@dataclass(frozen=True, slots=True)
class Filters:
    """What an auditor asks for. `until` is the first moment that is not asked for."""

    text: str = ""
    type: str = ""
    provider: str = ""
    target: str = ""
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def is_countable_by_hour(self) -> bool:
        """Whether the hourly counters know the answer: they hold types and IdPs only."""
        known = all(condition.column in COUNTED for condition in self.conditions)
        return known and not (self.text or self.target or self.actor)

    @property
    def unindexed(self) -> list[str | Promise]:
        """The names of the columns asked that no index leads to."""
        asked = {condition.column for condition in self.conditions}
        return [
            column.label for name, column in COLUMNS.items() if name in asked and not column.index
        ]


@dataclass(frozen=True, slots=True)
class Count:
    """How many events there are, or that there are more than were counted."""

    number: int
    is_capped: bool


def matching(filters: Filters) -> QuerySet[Event]:
    """Return the events that pass every filter."""
    events = Event.objects.defer("search")
    if filters.since:
        events = events.filter(performed_at__gte=filters.since)
    if filters.until:
        events = events.filter(performed_at__lt=filters.until)
    if filters.type:
        events = events.filter(type=filters.type)
    if filters.provider:
        events = events.filter(provider_kind=filters.provider)
    if filters.target:
        events = events.filter(target_kind__in=TARGET_KINDS, target_id=filters.target)
    if filters.actor:
        events = events.filter(actor_id=filters.actor)
    if filters.conditions:
        if needs_texts(filters.conditions):
            events = events.alias(**TEXTS)
        events = events.filter(condition_of(filters.conditions))
    words = []
    for word in asked(filters.text):
        if types := types_named(word):
            events = events.filter(Q(search__has_words=word) | Q(type__in=types))
        else:
            words.append(word)
    if words:
        events = events.filter(search__has_words=" ".join(words))
    return events


def page(
    filters: Filters,
    cursor: str = "",
    *,
    counted: Count | None = None,
    size: int = PAGE_SIZE,
    oldest_first: bool = False,
    most_ms: int = QUICK_MS,
) -> keyset.Page[Event]:
    """Return a page of events. `counted` helps to find few ones. Raises TooSlow."""
    if counted and not counted.number:
        return keyset.Page([])
    with within(most_ms):
        return keyset.page(
            matching(filters),
            ORDER,
            cursor,
            size,
            are_few=are_few(filters, counted),
            oldest_first=oldest_first,
        )


def are_few(filters: Filters, counted: Count | None) -> bool:
    """Return whether it is best to find all the events first and to sort them then."""
    asked = bool(filters.text or filters.conditions)
    return asked and counted is not None and not counted.is_capped


def news(filters: Filters, cursor: str) -> int:
    """Count the events newer than those of a page, a hundred at most. Raises TooSlow."""
    with within(QUICK_MS):
        newer = keyset.beyond(matching(filters), ORDER, cursor)
        return newer.order_by("performed_at", "pk").values("pk")[: MOST_NEWS + 1].count()


def beside(event: Event) -> tuple[Event | None, Event | None]:
    """Return the events of the same entity just before and just after one."""
    return of_the_same(event, older=True).first(), of_the_same(event, older=False).first()


def of_the_same(event: Event, *, older: bool) -> QuerySet[Event]:
    """Return the older, or newer, events of an event's entity, the nearest first."""
    same = Event.objects.defer("search").filter(
        target_kind=event.target_kind, target_id=event.target_id
    )
    beyond = same.filter(ORDER.beyond(same, ORDER.text(event), older=older))
    return beyond.order_by(*(("-performed_at", "-pk") if older else ("performed_at", "pk")))


def count(filters: Filters, most: int = MOST_COUNTED) -> Count | None:
    """Count the events, up to `most`; None when even that takes too long."""
    try:
        with within(QUICK_MS):
            number = matching(filters).order_by().values("pk")[: most + 1].count()
    except TooSlow:
        return None
    return Count(min(number, most), is_capped=number > most)


def types_named(word: str) -> tuple[str, ...]:
    """Return the event types whose name, in any language, has a word beginning with this one."""
    return tuple(
        key for key, words in _words_of_types().items() if any(w.startswith(word) for w in words)
    )


@cache
def _words_of_types() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {type.key: set() for type in EventType}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for type in EventType:
                texts = f"{type.label} {type.category.label} {type.key}"
                found[type.key] |= {w for w in WORD_BREAK.split(fold(texts)) if len(w) > 2}
    return {key: frozenset(words) for key, words in found.items()}
