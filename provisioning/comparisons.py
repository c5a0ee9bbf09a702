"""One comparison of a filter → a condition on a column, which an index can serve.

Each is true or false, never NULL, so that `not` means the same in SQL as in the evaluator.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Right, StrIndex

from provisioning.models.fields import index_key, key_of
from provisioning.scim import filters

ALWAYS = Q(pk__isnull=False)
NEVER = Q(pk__isnull=True)
ORDERS = {"gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}
EQUALITY = {"eq", "ne"}
Term = filters.Comparison | filters.Present | filters.ValuePath


def text(term: Term, column: str, exact: bool) -> Q:
    """A text column of keys in which "" means no value."""
    if isinstance(term, filters.Present):
        return ~Q(**{column: ""})
    assert isinstance(term, filters.Comparison)  # noqa: S101 — the parser allows no brackets here
    value = str(term.value)
    return compare(column, term.operator, index_key(value) if exact else key_of(value), value)


def compare(column: str, operator: str, key: str, value: str) -> Q:
    present = ~Q(**{column: ""})
    if operator == "eq":
        return Q(**{column: key}) & present if key == "" else Q(**{column: key})
    if operator == "ne":
        return ~Q(**{column: key}) | Q(**{column: ""})
    if operator in ORDERS:
        return Q(**{f"{column}__{ORDERS[operator]}": key}) & present
    if value == "":
        return present
    if operator == "sw":
        return starts_with(column, key)
    if operator == "co":
        return Q(models.lookups.GreaterThan(StrIndex(column, Value(key)), 0))
    return Q(models.lookups.Exact(Right(column, len(key)), key))


def starts_with(column: str, prefix: str) -> Q:
    """Return `column sw prefix` as a range of keys, which a plain index serves."""
    where = Q(**{f"{column}__gte": prefix})
    for end in range(len(prefix) - 1, -1, -1):
        following = ord(prefix[end]) + 1
        if following == 0xD800:  # surrogates are not characters
            following = 0xE000
        if following <= 0x10FFFF:
            return where & Q(**{f"{column}__lt": prefix[:end] + chr(following)})
    return where


def flag(term: Term, column: str) -> Q:
    if isinstance(term, filters.Present):
        return Q(**{f"{column}__isnull": False})
    assert isinstance(term, filters.Comparison)  # noqa: S101
    where = Q(**{column: term.value})
    if term.operator == "eq":
        return where
    return ~where | Q(**{f"{column}__isnull": True})


def moment(term: filters.Comparison, column: str) -> Q:
    """A time, compared as resources show it, in whole milliseconds: a range an index serves."""
    assert isinstance(term.value, datetime)  # noqa: S101
    start = term.value.replace(microsecond=term.value.microsecond // 1_000 * 1_000)
    later = _since(column, min(start, _LAST_MOMENT) + _MILLISECOND)
    is_shown = start == term.value
    since = _since(column, start) if is_shown else later
    match term.operator:
        case "eq" | "ne":
            where = since & ~later if is_shown else NEVER
            return where if term.operator == "eq" else ~where
        case "gt":
            return later
        case "ge":
            return since
        case "lt":
            return ~since
        case _:
            return ~later


def _since(column: str, moment: datetime) -> Q:
    return Q(models.lookups.GreaterThanOrEqual(models.F(column), _Milliseconds(moment)))


_MILLISECOND = timedelta(milliseconds=1)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC) - _MILLISECOND


class _Milliseconds(Value):
    """A time in whole milliseconds.

    SQLite keeps times as text with none, three or six decimals: the shortest spelling of a moment
    comes before its others.
    """

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        moment = self.value.astimezone(UTC).replace(tzinfo=None)
        return "%s", [moment.isoformat(" ", "milliseconds" if moment.microsecond else "seconds")]


class _IdText(Func):
    """A UUID as the text that resources show."""

    output_field = models.CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='(%(expressions)s)::text COLLATE "C"')

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        sql = " || '-' || ".join(f"substr({column}, {at}, {size})" for at, size in parts)
        return f"({sql})", list(parameters) * len(parts)


def by_id(term: filters.Comparison, column: str) -> Q:
    """An id: `eq` by the index, the rest by its text."""
    value = str(term.value)
    if term.operator in EQUALITY:
        found = identifier(value)
        where = Q(**{column: found}) if found else NEVER
        return where if term.operator == "eq" else ~where
    text = _IdText(column)
    if term.operator in ORDERS:
        lookup = getattr(models.lookups, _ORDER_NAMES[term.operator])
        return Q(lookup(text, value))
    if value == "":
        return ALWAYS
    if term.operator == "co":
        return Q(models.lookups.GreaterThan(StrIndex(text, Value(value)), 0))
    if term.operator == "sw":
        return Q(models.lookups.Exact(StrIndex(text, Value(value)), 1))
    return Q(models.lookups.Exact(Right(text, len(value)), value))


_ORDER_NAMES = {
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}


def identifier(text: str) -> UUID | None:
    """Return the UUID that a canonical text is, or None: other spellings are other ids."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None
