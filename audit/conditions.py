"""What a filter of one column asks: «column.operator.value», as it stands in the address.

Conditions on one column with one operator are alternatives (any of them), or together what is
left out; all others hold at once.
"""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.moments import moment_text
from audit.presentation import TARGETS
from audit.search import beginning, begins
from audit.types import BY_KEY, Category, EventType, Outcome
from audit.words import PROVIDERS

Text = str | Promise
MOST_CONDITIONS = 20
LONGEST_VALUE = 200
LAST_ID = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 2000, 2999

OPERATORS: dict[str, Text] = {
    "is": pgettext_lazy("operator", "is"),
    "not": pgettext_lazy("operator", "is not"),
    "contains": pgettext_lazy("operator", "contains the words"),
    "begins": pgettext_lazy("operator", "begins with"),
    "in": pgettext_lazy("operator", "is in the network"),
    "since": pgettext_lazy("operator", "from"),
    "before": pgettext_lazy("operator", "before"),
    "empty": pgettext_lazy("operator", "is empty"),
    "filled": pgettext_lazy("operator", "is not empty"),
}
WITHOUT_VALUE = ("empty", "filled")
EXCLUDING = ("not",)
# One bound is the strictest of several, so these are never alternatives.
BOUNDS = ("since", "before")


class Wrong(ValueError):
    """A filter of the address that says nothing; its text tells a person why."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class Condition:
    """A column, what is asked of it, and the value it is compared with, checked."""

    column: str
    operator: str
    value: str = ""

    def __str__(self) -> str:
        parts = [self.column, self.operator]
        return ".".join([*parts, self.value] if self.value else parts)


@dataclass(frozen=True, slots=True)
class Column:
    """What can be asked of a column, and how a value of it is read and told.

    `index` tells whether an index leads to its rows; what none leads to is bounded in time.
    """

    label: Text
    operators: tuple[str, ...]
    asks: Callable[[str, str], Q]
    choices: Callable[[], dict[str, Text]] | None = None
    read: Callable[[str, str], str] = lambda operator, value: value
    index: bool = True


def parse(text: str) -> Condition:
    """Read a filter of the address. Raises Wrong with what to tell the person who asked."""
    column, _dot, rest = text.partition(".")
    operator, _dot, value = rest.partition(".")
    return make(column, operator, value)


def make(column: str, operator: str, value: str) -> Condition:
    """Check the parts of a filter. Raises Wrong."""
    if (known := COLUMNS.get(column)) is None:
        raise Wrong(_("There is no such column: “%(name)s”.") % {"name": column[:40]})
    if operator not in known.operators:
        asked = {"column": known.label, "operator": OPERATORS.get(operator, operator[:40])}
        raise Wrong(_("%(column)s cannot be asked this: “%(operator)s”.") % asked)
    if operator in WITHOUT_VALUE:
        return Condition(column, operator)
    value = value.strip()
    if not value:
        raise Wrong(_("Say which value."))
    if len(value) > LONGEST_VALUE or "\x00" in value:
        raise Wrong(_("The value is too long."))
    if known.choices and value not in known.choices():
        raise Wrong(_("%(column)s has no such value: “%(value)s”.") % _told(known, value))
    return Condition(column, operator, known.read(operator, value))


def told(condition: Condition) -> Text:
    """Return the value of a condition in words."""
    column = COLUMNS[condition.column]
    if column.choices:
        return column.choices().get(condition.value, condition.value)
    if condition.column == "time":
        return moment_text(datetime.fromisoformat(condition.value))
    return condition.value


def bounds(conditions: Iterable[Condition]) -> tuple[datetime | None, datetime | None]:
    """Return the first moment that the conditions on time let in, and the first they do not."""
    since = [datetime.fromisoformat(c.value) for c in conditions if _is(c, "time", "since")]
    before = [datetime.fromisoformat(c.value) for c in conditions if _is(c, "time", "before")]
    return (max(since) if since else None, min(before) if before else None)


def condition_of(conditions: Iterable[Condition]) -> Q:
    """Return what all the conditions ask together, but those on time: see `bounds`."""
    alike: dict[tuple[str, str], list[Condition]] = {}
    for condition in conditions:
        if condition.column != "time":
            alike.setdefault((condition.column, condition.operator), []).append(condition)
    every = Q()
    for (column, operator), some in alike.items():
        asked = [COLUMNS[column].asks(operator, condition.value) for condition in some]
        every &= _all(asked) if operator in EXCLUDING + BOUNDS else _any(asked)
    return every


def _is(condition: Condition, column: str, operator: str) -> bool:
    return (condition.column, condition.operator) == (column, operator)


def _any(asked: list[Q]) -> Q:
    found = asked[0]
    for other in asked[1:]:
        found |= other
    return found


def _all(asked: list[Q]) -> Q:
    found = asked[0]
    for other in asked[1:]:
        found &= other
    return found


def _told(column: Column, value: str) -> dict[str, Text]:
    return {"column": column.label, "value": value[:40]}


# How a value is read ---------------------------------------------------------------------------


def _address(operator: str, value: str) -> str:
    try:
        if operator == "in":
            return str(ipaddress.ip_network(value, strict=False))
        return str(ipaddress.ip_address(value))
    except ValueError:
        if operator == "in":
            raise Wrong(_("This is no network, such as 203.0.113.0/24.")) from None
        raise Wrong(_("This is no address, such as 203.0.113.7.")) from None


def _number(_operator: str, value: str) -> str:
    if not (value.isascii() and value.isdecimal() and int(value) <= LAST_ID):
        raise Wrong(_("This is no event number."))
    return str(int(value))


def _time(_operator: str, value: str) -> str:
    """Return the moment with its offset, so that a link means the same to everybody."""
    try:
        moment = datetime.fromisoformat(value.replace(" ", "+"))  # a + that nobody escaped
        if timezone.is_naive(moment):
            moment = timezone.make_aware(moment)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise Wrong(_("The year is from 2000 to 2999."))
    except (ValueError, OverflowError) as error:
        if isinstance(error, Wrong):
            raise
        raise Wrong(_("This is no date and time, such as 2026-11-25T10:30.")) from None
    if moment.utcoffset() == timedelta(0):
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return moment.isoformat()


# What is asked of the database -----------------------------------------------------------------


def _equal(column: str) -> Callable[[str, str], Q]:
    """Compare with one of a few words; an empty one is none."""

    def asks(operator: str, value: str) -> Q:
        equal = Q(**{column: value})
        return ~equal if operator in ("not", "filled") else equal

    return asks


def _of_category(operator: str, value: str) -> Q:
    # By the types, which an index serves; the hourly counters know them too.
    types = [type.key for type in EventType if type.category.key == value]
    return ~Q(type__in=types) if operator == "not" else Q(type__in=types)


def _text(column: str) -> Callable[[str, str], Q]:
    """Compare a text: the index of words leads to the rows, the column itself decides."""

    def asks(operator: str, value: str) -> Q:
        if operator == "not":
            return ~Q(**{column: value})
        found = Q(search__has_words=value)
        if operator == "is":
            return found & Q(**{column: value})
        if operator == "begins":
            return found & Q(**{f"{column}__iregex": beginning(value)})
        for pattern in begins(value):
            found &= Q(**{f"{column}__iregex": pattern})
        return found

    return asks


def _program(operator: str, value: str) -> Q:
    if operator != "contains":
        return _equal("user_agent")(operator, "")
    return _all([Q(user_agent__iregex=pattern) for pattern in begins(value)] or [Q()])


def _details(_operator: str, value: str) -> Q:
    found = Q()
    for pattern in begins(value, is_json=True):
        found &= Q(details_text__iregex=pattern) | Q(changes_text__iregex=pattern)
    return found


def _of_address(operator: str, value: str) -> Q:
    match operator:
        case "is":
            return Q(search__has_words=value, ip_address=value)
        case "not":
            return ~Q(ip_address=value) | Q(ip_address=None)
        case "in":
            found = Q(ip_address__in_network=value)
            if words := _octets(value):  # what every address of the network begins with
                found &= Q(search__has_words=words)
            return found
    return Q(ip_address__isnull=operator == "empty")


def _octets(network: str) -> str:
    found = ipaddress.ip_network(network)
    if found.version == 6 or found.prefixlen < 8:
        return ""
    octets = str(found.network_address).split(".")[: found.prefixlen // 8]
    return ".".join(octets) + ("." if len(octets) < 4 else "")


def _request(operator: str, value: str) -> Q:
    if operator == "is":
        return Q(search__has_words=value, request_id=value)
    return _equal("request_id")(operator, "")


def _by_number(operator: str, value: str) -> Q:
    return Q(**{{"is": "pk", "since": "pk__gte", "before": "pk__lt"}[operator]: int(value)})


def _never(operator: str, value: str) -> Q:
    raise AssertionError("time is asked by its bounds")


TEXT = ("contains", "begins", "is", "not")
CHOICE = ("is", "not")
COLUMNS: dict[str, Column] = {
    "activity": Column(
        _("Activity"), CHOICE, _equal("type"), lambda: {key: t.label for key, t in BY_KEY.items()}
    ),
    "type": Column(_("Type"), CHOICE, _equal("target_kind"), lambda: TARGETS),
    "category": Column(
        _("Category"), CHOICE, _of_category, lambda: {c.key: c.label for c in Category}
    ),
    "name": Column(pgettext_lazy("column", "Name"), TEXT, _text("target_label")),
    "by": Column(_("Performed by"), TEXT, _text("actor_label")),
    "status": Column(
        _("Status"), CHOICE, _equal("outcome"), lambda: {o.key: o.label for o in Outcome}
    ),
    "details": Column(_("Details"), ("contains",), _details, index=False),
    "idp": Column(
        _("IdP"), ("is", "not", *WITHOUT_VALUE), _equal("provider_kind"), lambda: dict(PROVIDERS)
    ),
    "address": Column(
        _("Address"), ("is", "not", "in", *WITHOUT_VALUE), _of_address, read=_address
    ),
    "program": Column(_("Program"), ("contains", *WITHOUT_VALUE), _program, index=False),
    "request": Column(_("Request id"), ("is", *WITHOUT_VALUE), _request),
    "number": Column(_("Event number"), ("is", *BOUNDS), _by_number, read=_number),
    "time": Column(_("Performed at"), BOUNDS, _never, read=_time),
}
TEXTS = {
    "details_text": Cast("details", TextField()),
    "changes_text": Cast("changes", TextField()),
}


def needs_texts(conditions: Iterable[Condition]) -> bool:
    """Return whether the JSON columns are asked as text."""
    return any(condition.column == "details" for condition in conditions)
