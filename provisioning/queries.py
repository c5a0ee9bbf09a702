"""Parsed filter → Q over the rows of one provider, with the meaning of `filters.evaluate`.

Every text is compared by its Python-made key. Each condition is true or false, never NULL, so
that `not` means the same in SQL as in the evaluator.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Func, Q, QuerySet, Value
from django.db.models.functions import Right, StrIndex

from provisioning.models import Group, IndexedValue, Membership, User
from provisioning.models.fields import index_key, key_of
from provisioning.models.users import EMAILS, custom_values
from provisioning.scim import filters, schemas
from provisioning.scim.errors import invalid_filter, too_many
from provisioning.scim.keys import fold, sort_key

ALWAYS = Q(pk__isnull=False)
NEVER = Q(pk__isnull=True)
ORDERS = {"gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}
_EQUALITY = {"eq", "ne"}

# SCIM name → (column of keys, whether case matters)
USER_TEXTS = {
    "externalId": ("external_id", True),
    "userName": ("user_name_key", False),
    "displayName": ("display_name_key", False),
    "name.formatted": ("formatted_name_key", False),
    "name.familyName": ("family_name_key", False),
    "name.givenName": ("given_name_key", False),
    f"{schemas.ENTERPRISE}:department": ("department_key", False),
}
GROUP_TEXTS = {
    "externalId": ("external_id", True),
    "displayName": ("display_name_key", False),
}
EMAIL_TEXTS = {
    "emails.value": ("value_key", False),
    "emails.type": ("type_key", False),
    "emails.display": ("display_key", False),
}
VERSION = re.compile(r'W/"([1-9][0-9]{0,8})"')  # as `adapters.etag` writes it
MOMENTS = {"meta.created": "created_at", "meta.lastModified": "updated_at"}


# With more subqueries than this PostgreSQL takes seconds to weigh their orders against each other:
# fifty of them took 3 s, two hundred all of the time it had.
MOST_PLANNED = 8
_FENCE = 2**31 - 1  # a LIMIT that no result reaches, and that keeps a subquery by itself


def matching_users(tree: filters.Filter, users: QuerySet[User]) -> QuerySet[User]:
    """Return the users that meet a filter. Raises ScimError invalidFilter."""
    fenced = _subqueries(tree) > MOST_PLANNED
    return users.filter(_where(tree, partial(_user_leaf, fenced=fenced)))


def matching_groups(tree: filters.Filter, groups: QuerySet[Group]) -> QuerySet[Group]:
    """Return the groups that meet a filter. Raises ScimError invalidFilter."""
    fenced = _subqueries(tree) > MOST_PLANNED
    return groups.filter(_where(tree, partial(_group_leaf, fenced=fenced)))


def _subqueries(tree: filters.Filter) -> int:
    """Return how many terms ask another table."""
    match tree:
        case filters.And(terms) | filters.Or(terms):
            return sum(map(_subqueries, terms))
        case filters.Not(term):
            return _subqueries(term)
        case filters.Never():
            return 0
        case _:
            path = tree.path
            return int(path.attribute.multi_valued or path.extension == schemas.CUSTOM)


def matching_members(tree: filters.Filter, members: QuerySet[Membership]) -> QuerySet[Membership]:
    """Return the memberships whose member meets the filter of a PATCH's brackets."""
    return members.filter(_where(tree, _member_leaf))


Leaf = Callable[[filters.Comparison | filters.Present | filters.ValuePath], Q]


def _where(tree: filters.Filter, leaf: Leaf) -> Q:
    """Return the condition of a tree, written as flat as it can be.

    SQLite's parser gives up at a stack of 100: `not` goes down to the leaves, and the deepest term
    of each level comes first, where it costs one entry instead of three.
    """
    match tree:
        case filters.And(terms):
            return _joined(terms, leaf, Q.AND)
        case filters.Or(terms):
            return _joined(terms, leaf, Q.OR)
        case filters.Not(filters.Not(term)):
            return _where(term, leaf)
        case filters.Not(filters.And(terms)):
            return _joined([filters.Not(term) for term in terms], leaf, Q.OR)
        case filters.Not(filters.Or(terms)):
            return _joined([filters.Not(term) for term in terms], leaf, Q.AND)
        case filters.Not(term):
            return ~_where(term, leaf)
        case filters.Never():
            return NEVER
        case _:
            return leaf(tree)


def _joined(terms: Iterable[filters.Filter], leaf: Leaf, connector: str) -> Q:
    deepest_first = sorted(terms, key=_depth, reverse=True)
    return Q(*(_where(term, leaf) for term in deepest_first), _connector=connector)


def _depth(tree: filters.Filter) -> int:
    match tree:
        case filters.And(terms) | filters.Or(terms):
            return 1 + max(map(_depth, terms))
        case filters.Not(term):
            return _depth(term)
        case filters.ValuePath(_, term):
            return 1 + _depth(term)
        case _:
            return 0


# What eq, sw and the orders find by an index; `indexed_value` serves e-mails and custom values.
_INDEXED = {
    "id", "externalId", "userName", "displayName", "active", "emails.value", "groups.value",
    "members.value", f"{schemas.ENTERPRISE}:department", *MOMENTS,
}  # fmt: skip
_UNINDEXED_OPERATORS = {"ne", "co", "ew"}


def is_served(tree: filters.Filter) -> bool:
    """Tell whether an index leads to the rows of a filter, however many others there are."""
    match tree:
        case filters.And(terms):
            return any(map(is_served, terms))
        case filters.Or(terms):
            return all(map(is_served, terms))
        case filters.Comparison(path, operator, _):
            is_indexed = path.name in _INDEXED or path.extension == schemas.CUSTOM
            return is_indexed and operator not in _UNINDEXED_OPERATORS
        case filters.ValuePath(_, inner):
            return is_served(inner)
        case filters.Never():
            return True
        case _:
            return False


def _user_leaf(
    term: filters.Comparison | filters.Present | filters.ValuePath, *, fenced: bool = False
) -> Q:
    name = term.path.name
    if name in USER_TEXTS:
        return _text(term, *USER_TEXTS[name])
    if name == "active":
        return _flag(term, "is_active")
    if name == "emails" or name.startswith("emails."):
        emails = IndexedValue.objects.filter(attribute=EMAILS)
        return _among(term, emails, "user_id", _email_leaf, fenced=fenced)
    if name == "groups" or name.startswith("groups."):
        return _among(term, Membership.objects.all(), "user_id", _group_of_leaf, fenced=fenced)
    if name == "name":
        present = ~Q(formatted_name_key="", family_name_key="", given_name_key="")
        if isinstance(term, filters.ValuePath):
            return present & _where(term.filter, _user_leaf)
        return present
    if name == schemas.ENTERPRISE:
        return ~Q(department_key="")
    if term.path.extension == schemas.CUSTOM:
        return _custom(term, fenced=fenced)
    return _common(term, "User")


def _group_leaf(
    term: filters.Comparison | filters.Present | filters.ValuePath, *, fenced: bool = False
) -> Q:
    name = term.path.name
    if name in GROUP_TEXTS:
        return _text(term, *GROUP_TEXTS[name])
    if name == "members" or name.startswith("members."):
        return _among(term, Membership.objects.all(), "group_id", _member_leaf, fenced=fenced)
    return _common(term, "Group")


def _common(term: filters.Comparison | filters.Present | filters.ValuePath, kind: str) -> Q:
    """`id` and `meta`, which every resource has."""
    name = term.path.name
    if isinstance(term, filters.Present):
        return ALWAYS
    if name == "schemas":
        return _schemas(term, kind)
    if isinstance(term, filters.ValuePath) and name == "meta":
        return _where(term.filter, partial(_common, kind=kind))
    if isinstance(term, filters.ValuePath):
        raise invalid_filter(f"{name} cannot be filtered by brackets.")
    if name == "id":
        return _identifier(term, "id")
    if name in MOMENTS:
        return _moment(term, MOMENTS[name])
    if name == "meta.resourceType":
        return ALWAYS if filters.evaluate(term, {"meta": {"resourceType": kind}}) else NEVER
    if name == "meta.version" and term.operator in _EQUALITY:
        version = VERSION.fullmatch(str(term.value))
        where = Q(version=int(version[1])) if version else NEVER
        return where if term.operator == "eq" else ~where
    raise invalid_filter(f"{name} cannot be compared with {term.operator}.")


# When a resource uses a schema; the core one it always does.
_USES = {
    "User": {
        schemas.USER_URN: ALWAYS,
        schemas.ENTERPRISE: ~Q(department_key=""),
        schemas.CUSTOM: ~Q(custom={}),
    },
    "Group": {schemas.GROUP_URN: ALWAYS},
}


def _schemas(term: filters.Comparison | filters.ValuePath, kind: str) -> Q:
    """Some schema that the resource uses meets the term."""
    met = (uses for urn, uses in _USES[kind].items() if filters.evaluate(term, {"schemas": [urn]}))
    return Q(*met, _connector=Q.OR) or NEVER


def _text(
    term: filters.Comparison | filters.Present | filters.ValuePath, column: str, exact: bool
) -> Q:
    """A text column of keys in which "" means no value."""
    if isinstance(term, filters.Present):
        return ~Q(**{column: ""})
    assert isinstance(term, filters.Comparison)  # noqa: S101 — the parser allows no brackets here
    value = str(term.value)
    return _compare(column, term.operator, index_key(value) if exact else key_of(value), value)


def _compare(column: str, operator: str, key: str, value: str) -> Q:
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


def _flag(term: filters.Comparison | filters.Present | filters.ValuePath, column: str) -> Q:
    if isinstance(term, filters.Present):
        return Q(**{f"{column}__isnull": False})
    assert isinstance(term, filters.Comparison)  # noqa: S101
    where = Q(**{column: term.value})
    if term.operator == "eq":
        return where
    return ~where | Q(**{f"{column}__isnull": True})


def _moment(term: filters.Comparison, column: str) -> Q:
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


def _identifier(term: filters.Comparison, column: str) -> Q:
    """An id: `eq` by the index, the rest by its text."""
    value = str(term.value)
    if term.operator in _EQUALITY:
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


def _among(
    term: filters.Comparison | filters.Present | filters.ValuePath,
    rows: QuerySet[Any],
    owner: str,
    leaf: Leaf,
    *,
    fenced: bool,
) -> Q:
    """A multi-valued attribute: some row of its table meets the term."""
    if isinstance(term, filters.ValuePath):
        return _owns(rows.filter(_where(term.filter, leaf)), owner, fenced)
    if isinstance(term, filters.Present) and term.path.sub is None:
        return _owns(rows, owner, fenced)
    if isinstance(term, filters.Comparison) and term.operator == "ne":
        # Some value differs, or there is none at all.
        present = leaf(filters.Present(term.path))
        equal = leaf(filters.Comparison(term.path, "eq", term.value))
        differs = _owns(rows.filter(present & ~equal), owner, fenced)
        return differs | ~_owns(rows.filter(present), owner, fenced)
    return _owns(rows.filter(leaf(term)), owner, fenced)


def _owns(rows: QuerySet[Any], owner: str, fenced: bool) -> Q:
    found = rows.values(owner)
    return Q(pk__in=found[:_FENCE] if fenced else found)


def _email_leaf(term: filters.Comparison | filters.Present | filters.ValuePath) -> Q:
    name = term.path.name
    if name in EMAIL_TEXTS:
        return _text(term, *EMAIL_TEXTS[name])
    return _flag(term, "is_primary")


def _group_of_leaf(term: filters.Comparison | filters.Present | filters.ValuePath) -> Q:
    """One element of a user's `groups`."""
    return _reference_leaf(term, "group", "group__display_name_key")


def _member_leaf(term: filters.Comparison | filters.Present | filters.ValuePath) -> Q:
    """One element of a group's `members`."""
    return _reference_leaf(term, "user", "user__display_name_key")


def _reference_leaf(
    term: filters.Comparison | filters.Present | filters.ValuePath, target: str, display: str
) -> Q:
    part = term.path.name.rpartition(".")[2]
    if part == "display":
        return _text(term, display, False)
    if isinstance(term, filters.Present):
        return ALWAYS
    if isinstance(term, filters.Comparison):
        if part == "value":
            return _identifier(term, f"{target}_id")
        if part == "type":
            kind = "direct" if target == "group" else "User"
            same = fold(str(term.value)) == fold(kind)
            if term.operator in _EQUALITY:
                return ALWAYS if same == (term.operator == "eq") else NEVER
    raise invalid_filter(f"{term.path.name} cannot be compared this way; compare its value.")


def _custom(term: filters.Comparison | filters.Present | filters.ValuePath, *, fenced: bool) -> Q:
    """A custom attribute: the index rows of its name hold one key a user."""
    path = term.path
    if path.name == schemas.CUSTOM:
        return ~Q(custom={})
    rows = IndexedValue.objects.filter(attribute=custom_values(path.attribute.name))
    if isinstance(term, filters.Present):
        return _owns(rows, "user_id", fenced)
    assert isinstance(term, filters.Comparison)  # noqa: S101
    key = index_key(sort_key(path.attribute, term.value))
    if term.operator == "ne":
        return ~_owns(rows.filter(value_key=key), "user_id", fenced)
    where = _compare("value_key", term.operator, key, str(term.value))
    return _owns(rows.filter(where), "user_id", fenced)


def groups_of(user_ids: list[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Return {user id: [(group id, display name)]} with one query."""
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    rows = Membership.objects.filter(user_id__in=user_ids).order_by("id")
    for user_id, group_id, name in rows.values_list("user_id", "group_id", "group__display_name"):
        found.setdefault(user_id, []).append((group_id, name))
    return found


MOST_MEMBERS = (
    100_000  # of several groups in one answer: some 16 MB, and five times that to make it
)


def members_of(group_ids: list[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Return {group id: [(user id, display)]} with one query.

    Raises ScimError tooMany past a number of members, but for one group alone.
    """
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    rows = Membership.objects.filter(group_id__in=group_ids).order_by("id")
    listed = rows.values_list("group_id", "user_id", "display")
    if len(group_ids) > 1:
        listed = listed[: MOST_MEMBERS + 1]
    for number, (group_id, user_id, display) in enumerate(listed, start=1):
        if number > MOST_MEMBERS and len(group_ids) > 1:
            raise too_many(
                f"These groups have more than {MOST_MEMBERS:,} members: ask for fewer groups with "
                "count, or leave the members out with excludedAttributes=members."
            )
        found.setdefault(group_id, []).append((user_id, display))
    return found
