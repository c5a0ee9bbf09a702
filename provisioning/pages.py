"""Pages of a query: in any order, by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865).

By cursor a page is reached by the keys of the row before it, so that a deep page costs what the
first one costs; a page asked by index in the middle skips rows within an index.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from provisioning.models import Group, IndexedValue, Membership
from provisioning.models.users import EMAILS, custom_values
from provisioning.queries import GROUP_TEXTS, MOMENTS, USER_TEXTS
from provisioning.scim import limits, schemas
from provisioning.scim.errors import ScimError, invalid_path
from provisioning.scim.model import AttributePath

LONGEST_CURSOR = 12_000
_SALT = "alta.scim.cursor"
_MOMENT, _ID, _FLAG = "moment", "id", "flag"


@dataclass(frozen=True, slots=True)
class Order:
    """By what the rows of a query are sorted; the order of creation decides between equals.

    Missing values come last, and first when descending (RFC 7644 §3.4.2.3).
    """

    path: AttributePath | None = None
    descending: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The annotations and columns that the order compares, the most important first."""
        return ("pk",) if self.path is None else ("sort_missing", "sort_value", "pk")

    def applied(self, rows: QuerySet[Any], *, backwards: bool = False) -> QuerySet[Any]:
        """Return the rows in this order, or in its reverse."""
        sign = "-" if self.descending != backwards else ""
        if self.path is not None:
            value, missing = _sorted_by(self.path, rows.model)
            rows = rows.annotate(sort_value=value).annotate(sort_missing=missing)
        return rows.order_by(*(f"{sign}{name}" for name in self.fields))

    def after(self, keys: list[Any], *, backwards: bool = False) -> Q:
        """Return the condition of coming after a row of these keys."""
        operator = "lt" if self.descending != backwards else "gt"
        where = Q()
        equal = Q()
        for name, key in zip(self.fields, keys, strict=True):
            where |= equal & Q(**{f"{name}__{operator}": key})
            equal &= Q(**{name: key})
        return where

    def keys(self, row: Any) -> list[Any]:
        """Return a row's keys, as a cursor can hold them."""
        return [_packed(getattr(row, name)) for name in self.fields]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its rows, how many there are in all, and the cursors to its neighbours."""

    rows: list[Any]
    total: int
    next_cursor: str | None = None
    previous_cursor: str | None = None


def by_index(rows: QuerySet[Any], order: Order, start: int, count: int) -> Page:
    """Return the page that begins at a 1-based index.

    A page that begins at 1 and is not full tells the total by itself.
    """
    ordered = order.applied(rows)
    if start == 1 and count:
        page = list(ordered[: count + 1])
        if len(page) <= count:
            return Page(page, len(page))
        return Page(page[:count], rows.count())
    total = rows.count()
    if not count or start > total:
        return Page([], total)
    # The ids are read from an index alone, the rows of these ids after that.
    ids = list(ordered.values_list("pk", flat=True)[start - 1 : start - 1 + count])
    found = rows.model.objects.in_bulk(ids)
    return Page([found[one] for one in ids if one in found], total)


def merged(
    parts: Sequence[tuple[QuerySet[Any], Order]], start: int, count: int
) -> tuple[list[tuple[int, Any]], int]:
    """Return (number of the part, id) for a page of several queries sorted as one, and the total.

    A part whose order has no path lacks the attribute: its rows are without a value. Reads the
    keys of all rows before the page.
    """
    found: list[tuple[tuple[bool, Any, Any], int]] = []
    total = 0
    descending = any(order.descending for _, order in parts)
    for number, (rows, order) in enumerate(parts):
        total += rows.count()
        for *key, pk in order.applied(rows).values_list(*order.fields)[: start - 1 + count]:
            missing, value = key or (True, "")
            found.append(((bool(missing), "" if missing else value, pk), number))
    found.sort(reverse=descending)
    return [(number, pk) for (_, _, pk), number in found[start - 1 : start - 1 + count]], total


def by_cursor(
    rows: QuerySet[Any], order: Order, cursor: str, count: int, *, query: tuple[str, ...]
) -> Page:
    """Return the page after (or before) a cursor; "" is the first page.

    `query` is what the cursor is bound to besides `count`: IdP, resource type, filter, order.
    Raises ScimError invalidCursor, expiredCursor, invalidCount (RFC 9865 §2.1).
    """
    bound = hashlib.sha256("\0".join(query).encode(errors="surrogatepass")).hexdigest()[:32]
    keys, backwards = _opened(cursor, bound, count) if cursor else ([], False)
    ordered = order.applied(rows, backwards=backwards)
    if keys:
        ordered = ordered.filter(order.after(keys, backwards=backwards))
    page = list(ordered[: count + 1])
    more, page = len(page) > count, page[:count]
    if backwards:
        page.reverse()
    has_next, has_previous = (bool(keys), more) if backwards else (more, bool(keys))

    def sealed(row: Any, direction: int) -> str:
        return _sealed([direction, count, bound, *order.keys(row)])

    return Page(
        page,
        len(page) if not cursor and not more else rows.count(),
        sealed(page[-1], 0) if page and has_next else None,
        sealed(page[0], 1) if page and has_previous else None,
    )


def _sealed(content: list[Any]) -> str:
    """Sign a cursor; its characters are unreserved in a URL (RFC 3986 §2.3)."""
    return signing.dumps(content, salt=_SALT).replace(":", ".")


def _opened(cursor: str, bound: str, count: int) -> tuple[list[Any], bool]:
    if len(cursor) > LONGEST_CURSOR:
        raise _invalid_cursor()
    try:
        text = cursor.replace(".", ":")
        content = signing.loads(text, salt=_SALT, max_age=limits.CURSOR_TIMEOUT_S)
    except signing.SignatureExpired:
        detail = f"The cursor is older than {limits.CURSOR_TIMEOUT_S} seconds: begin again."
        raise ScimError(detail, scim_type="expiredCursor") from None
    except signing.BadSignature:
        raise _invalid_cursor() from None
    direction, of_count, of_query, *keys = content
    if of_query != bound:
        raise _invalid_cursor()
    if of_count != count:
        detail = f"count must stay {of_count} while a cursor is followed."
        raise ScimError(detail, scim_type="invalidCount")
    return [_unpacked(key) for key in keys], direction == 1


def _invalid_cursor() -> ScimError:
    return ScimError(
        "The cursor does not belong to this query: send the nextCursor of the page before, with "
        "the same filter, order and count, or an empty cursor for the first page.",
        scim_type="invalidCursor",
    )


def _packed(value: Any) -> Any:
    match value:
        case datetime():
            return {_MOMENT: value.isoformat()}
        case UUID():
            return {_ID: str(value)}
        case _:
            return value


def _unpacked(value: Any) -> Any:
    match value:
        case {"moment": str(text)}:
            return datetime.fromisoformat(text)
        case {"id": str(text)}:
            return UUID(text)
        case _:
            return value


def _sorted_by(path: AttributePath, model: type[Any]) -> tuple[Any, Any]:
    """Return the expressions of an attribute's value and of its being missing.

    Of several values the primary one counts, else the first (RFC 7644 §3.4.2.3). Raises ScimError.
    """
    never = Value(False, output_field=BooleanField())
    texts = GROUP_TEXTS if model is Group else USER_TEXTS
    name = path.name
    if name in texts:
        return F(texts[name][0]), _is(texts[name][0], "")
    if name == "id":
        return F("pk"), never
    if name == "active":
        value = Coalesce(F("is_active"), Value(False))
        return value, Case(When(is_active=None, then=Value(True)), default=Value(False))
    if name in MOMENTS:
        moment = F(MOMENTS[name])
        # SQLite keeps times as texts of two lengths: a cursor must hold the very text.
        return Cast(moment, TextField()) if connection.vendor == "sqlite" else moment, never
    if name in ("emails", "emails.value", "emails.type", "emails.display"):
        column = "value_key" if name == "emails" else f"{name.removeprefix('emails.')}_key"
        rows = IndexedValue.objects.filter(user=OuterRef("pk"), attribute=EMAILS)
        return _first(rows.order_by(F("is_primary").desc(nulls_last=True), "id"), column)
    if path.extension == schemas.CUSTOM and path.sub is None and path.name != schemas.CUSTOM:
        attribute = custom_values(path.attribute.name)
        rows = IndexedValue.objects.filter(user=OuterRef("pk"), attribute=attribute)
        return _first(rows.order_by("id"), "value_key")
    if name == "groups.display":
        memberships = Membership.objects.filter(user=OuterRef("pk")).order_by("id")
        return _first(memberships, "group__display_name_key")
    raise invalid_path(f"Resources cannot be sorted by {name}: name a single attribute.")


def _first(rows: QuerySet[Any], column: str) -> tuple[Any, Any]:
    value = Coalesce(Subquery(rows.values(column)[:1]), Value(""))
    return value, _is("sort_value", "")


def _is(column: str, value: str) -> Case:
    return Case(
        When(**{column: value}, then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
