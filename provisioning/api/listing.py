"""Queries: filter, order and page, from the URL of a GET or the body of a `.search`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db.models import QuerySet

from audit.patience import TooSlow, within
from provisioning import pages, queries
from provisioning.api.authentication import Caller
from provisioning.api.endpoints import ENDPOINTS, Endpoint
from provisioning.scim import filters, limits, messages, paths
from provisioning.scim.errors import ScimError, invalid_syntax, invalid_value, kind, too_many
from provisioning.scim.projection import Projection
from provisioning.scim.schemas import ResourceType, any_type

Parameters = dict[str, str]
_TEXTS = ("filter", "sortby", "sortorder", "cursor")
_NUMBERS = ("startindex", "count")
_LISTS = ("attributes", "excludedattributes")
MOST_MS = 3_000  # Entra ID and Okta wait for a minute, a worker should not


def parameters_of(body: object) -> Parameters:
    """Return the parameters of a SearchRequest's body, names in lower case. Raises ScimError."""
    if not isinstance(body, dict):
        raise invalid_syntax(f"The body must be a JSON object, not {kind(body)}.")
    asked: Parameters = {}
    for key, value in body.items():
        name = key.lower()
        if value is None:
            continue
        if name in _TEXTS and isinstance(value, str):
            asked[name] = value
        elif name in _NUMBERS and type(value) is int:
            asked[name] = str(value)
        elif name in _LISTS and isinstance(value, list):
            if not all(isinstance(each, str) for each in value):
                raise invalid_value(f"{key} must be a list of strings.")
            asked[name] = ",".join(value)
        elif name in (*_TEXTS, *_NUMBERS, *_LISTS):
            raise invalid_value(f"{key} cannot be {kind(value)}.")
    return asked


def listing(endpoint: Endpoint, asked: Parameters) -> dict[str, Any]:
    """Return the ListResponse of a query over one resource type. Raises ScimError."""
    projection = _projection(asked, endpoint.type)
    order = _order(asked, endpoint.type)
    text = asked.get("filter")
    tree = None if text is None else filters.parse(text, endpoint.type)
    found = _looked_up(endpoint, tree, order, asked)
    if found is not None:
        resources = endpoint.resources(found, projection)
        return messages.list_response(resources, len(found), 1)
    rows = endpoint.rows if tree is None else endpoint.matching(tree)
    with _bounded(tree, order):
        page, start = _page(endpoint, rows, order, asked)
    return messages.list_response(
        endpoint.resources(page.rows, projection),
        page.total,
        start,
        next_cursor=page.next_cursor,
        previous_cursor=page.previous_cursor,
    )


def _looked_up(
    endpoint: Endpoint, tree: filters.Filter | None, order: pages.Order, asked: Parameters
) -> list[Any] | None:
    """Return the whole result of `attribute eq "text"` when it fits the first page, else None.

    The same answer as by the general way, for half of the CPU: 0.9 against 1.6 ms.
    """
    if tree is None or order.path is not None or "cursor" in asked:
        return None
    start, count = _index(asked)
    if start != 1 or not count or not (equal := queries.only_equals(tree, endpoint.type)):
        return None
    found = endpoint.equal(*equal, limit=count + 1)
    return found if len(found) <= count else None


def _page(
    endpoint: Endpoint, rows: QuerySet[Any], order: pages.Order, asked: Parameters
) -> tuple[pages.Page, int | None]:
    """Return a page and its startIndex, which is None for a page by cursor. Raises ScimError."""
    if "cursor" in asked:
        if "startindex" in asked:
            raise invalid_value("Ask for a page by startIndex or by cursor, not by both.")
        query = (
            str(endpoint.caller.provider.pk), endpoint.name, asked.get("filter", ""),
            asked.get("sortby", "").lower(), asked.get("sortorder", "").lower(),
        )  # fmt: skip
        count = _cursor_count(asked)
        return pages.by_cursor(rows, order, asked["cursor"], count, query=query), None
    start, count = _index(asked)
    return pages.by_index(rows, order, start, count), start


@contextmanager
def _bounded(tree: filters.Filter | None, order: pages.Order) -> Iterator[None]:
    """Give up on what no index serves after a few seconds. Raises ScimError tooMany."""
    if order.path is None and (tree is None or queries.is_served(tree)):
        yield
        return
    try:
        with within(MOST_MS):
            yield
    except TooSlow:
        raise too_many(
            "The query takes too long in a directory of this size: compare userName, externalId, "
            "emails.value or another indexed attribute with eq or sw, and do not sort."
        ) from None


def listing_of_all(caller: Caller, asked: Parameters) -> dict[str, Any]:
    """Return the ListResponse of a query over users and groups; without an order, users first.

    An attribute that only one of the types has is without a value in the other (RFC 7644
    §3.4.2.1). Raises ScimError.
    """
    if "cursor" in asked:
        raise ScimError(
            "The root is paged by startIndex: follow cursors at /Users or at /Groups.",
            scim_type="invalidCursor",
        )
    start, count = _index(asked)
    endpoints = [make(caller) for make in ENDPOINTS.values()]
    every = any_type(caller.user_type, caller.group_type)
    order = _order(asked, every)
    text = asked.get("filter")
    tree = None if text is None else filters.parse(text, every)
    parts = [_part(endpoint, tree, order) for endpoint in endpoints]
    resources: list[dict[str, Any]] = []
    total = 0
    if order.path is None:
        for endpoint, part in zip(endpoints, parts, strict=True):
            with _bounded(part.tree, part.order):
                left = count - len(resources)
                page = pages.by_index(part.rows, part.order, max(start - total, 1), left)
            total += page.total
            resources += endpoint.resources(page.rows, _projection(asked, endpoint.type))
    else:
        with _bounded(tree, order):
            places, total = pages.merged([(p.rows, p.order) for p in parts], start, count)
        shown: dict[tuple[int, Any], dict[str, Any]] = {}
        for number, endpoint in enumerate(endpoints):
            ids = [pk for place, pk in places if place == number]
            rows = list(endpoint.rows.filter(pk__in=ids))
            answers = endpoint.resources(rows, _projection(asked, endpoint.type))
            shown |= {(number, row.pk): answer for row, answer in zip(rows, answers, strict=True)}
        resources = [shown[place] for place in places if place in shown]
    return messages.list_response(resources, total, start)


class _Part(NamedTuple):
    """What a query of the root asks of one type."""

    tree: filters.Filter | None
    rows: QuerySet[Any]
    order: pages.Order


def _part(endpoint: Endpoint, tree: filters.Filter | None, order: pages.Order) -> _Part:
    own = None if tree is None else filters.narrowed(tree, endpoint.type)
    rows = endpoint.rows if own is None else endpoint.matching(own)
    path = order.path and endpoint.type.paths.get(order.path.name.lower())
    return _Part(own, rows, pages.Order(path, order.descending))


def _projection(asked: Parameters, type: ResourceType) -> Projection:
    return Projection.parse(asked.get("attributes"), asked.get("excludedattributes"), type)


def _order(asked: Parameters, type: ResourceType) -> pages.Order:
    """Return the order of sortBy and sortOrder; the latter alone changes nothing."""
    direction = asked.get("sortorder", "ascending").lower()
    if direction not in ("ascending", "descending"):
        raise invalid_value("sortOrder is ascending or descending.")
    text = asked.get("sortby")
    if not text:
        return pages.Order()
    path = type.find(text.strip())
    if path is None or not path.kept:
        raise paths.unknown(text, type)
    return pages.Order(path, direction == "descending")


def _index(asked: Parameters) -> tuple[int, int]:
    """Return startIndex and count, clamped (RFC 7644 §3.4.2.4). Raises ScimError."""
    start = _whole("startIndex", asked.get("startindex", "1"))
    count = _whole("count", asked.get("count", str(limits.PAGE_DEFAULT)))
    return max(start, 1), min(max(count, 0), limits.PAGE_MAXIMUM)


def _cursor_count(asked: Parameters) -> int:
    """Return the count of a page by cursor (RFC 9865 §2.1). Raises ScimError invalidCount."""
    try:
        count = _whole("count", asked.get("count", str(limits.PAGE_DEFAULT)))
    except ScimError as error:
        raise ScimError(error.detail, scim_type="invalidCount") from None
    if count < 1:
        raise ScimError(f"count must be from 1 to {limits.PAGE_MAXIMUM}.", scim_type="invalidCount")
    return min(count, limits.PAGE_MAXIMUM)


def _whole(name: str, text: str) -> int:
    """Read a number of the query; a huge one is as good as the largest."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    if not (digits.isascii() and digits.isdecimal()):
        raise invalid_value(f"{name} must be a whole number.")
    return sign * int(digits[:12]) if len(digits) <= 12 else sign * 10**12
