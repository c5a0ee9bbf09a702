"""What the table of events asks: filters, pages by key, a capped count."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.conf import settings
from django.db import OperationalError
from django.db.models import Q, QuerySet
from django.utils import translation

from audit import keyset
from audit.models import Event
from audit.patience import TooSlow, told, within
from audit.search import WORD_BREAK, asked, fold
from audit.types import EventType

PAGE_SIZE = 50
MOST_COUNTED = 10_000
QUICK_MS = 3_000
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
)
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

    @property
    def is_countable_by_hour(self) -> bool:
        """Whether the hourly counters know the answer: they hold types and IdPs only."""
        return not (self.text or self.target or self.actor)


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
    filters: Filters, cursor: str = "", *, counted: Count | None = None, size: int = PAGE_SIZE
) -> keyset.Page[Event]:
    """Return a page of events, newest first. `counted` helps to find few ones. Raises TooSlow."""
    if counted and not counted.number:
        return keyset.Page([])
    are_few = bool(filters.text and counted and not counted.is_capped)
    try:
        return keyset.page(matching(filters), ORDER, cursor, size, are_few=are_few)
    except OperationalError as error:
        raise told(error) from error


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
