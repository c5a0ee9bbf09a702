"""Parsed filter → Q over the rows of one provider, with the meaning of `filters.evaluate`.

Every text is compared by its Python-made key. Each condition is true or false, never NULL, so
that `not` means the same in SQL as in the evaluator.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet

from provisioning.comparisons import (
    ALWAYS,
    EQUALITY,
    NEVER,
    Term,
    by_id,
    compare,
    flag,
    moment,
    text,
)
from provisioning.models import Group, IndexedValue, Membership, User
from provisioning.models.fields import index_key, key_of
from provisioning.models.users import EMAILS, custom_values
from provisioning.scim import filters, schemas
from provisioning.scim.errors import invalid_filter
from provisioning.scim.keys import fold, sort_key

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


Leaf = Callable[[Term], Q]


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


def only_equals(tree: filters.Filter, type: schemas.ResourceType) -> tuple[str, str] | None:
    """Return (column, key) of a filter that only asks `attribute eq "text"`, else None.

    IdPs ask it before each creation; `audit.direct` answers it for less than the ORM compiles it.
    """
    if not (isinstance(tree, filters.Comparison) and tree.operator == "eq" and tree.value):
        return None
    texts = USER_TEXTS if type.name == "User" else GROUP_TEXTS
    if tree.path.name not in texts:
        return None
    column, exact = texts[tree.path.name]
    value = str(tree.value)
    return column, index_key(value) if exact else key_of(value)


def _user_leaf(term: Term, *, fenced: bool = False) -> Q:
    name = term.path.name
    if name in USER_TEXTS:
        return text(term, *USER_TEXTS[name])
    if name == "active":
        return flag(term, "is_active")
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


def _group_leaf(term: Term, *, fenced: bool = False) -> Q:
    name = term.path.name
    if name in GROUP_TEXTS:
        return text(term, *GROUP_TEXTS[name])
    if name == "members" or name.startswith("members."):
        return _among(term, Membership.objects.all(), "group_id", _member_leaf, fenced=fenced)
    return _common(term, "Group")


def _common(term: Term, kind: str) -> Q:
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
        return by_id(term, "id")
    if name in MOMENTS:
        return moment(term, MOMENTS[name])
    if name == "meta.resourceType":
        return ALWAYS if filters.evaluate(term, {"meta": {"resourceType": kind}}) else NEVER
    if name == "meta.version" and term.operator in EQUALITY:
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


def _among(
    term: Term,
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


def _email_leaf(term: Term) -> Q:
    name = term.path.name
    if name in EMAIL_TEXTS:
        return text(term, *EMAIL_TEXTS[name])
    return flag(term, "is_primary")


def _group_of_leaf(term: Term) -> Q:
    """One element of a user's `groups`."""
    return _reference_leaf(term, "group", "group__display_name_key")


def _member_leaf(term: Term) -> Q:
    """One element of a group's `members`."""
    return _reference_leaf(term, "user", "user__display_name_key")


def _reference_leaf(term: Term, target: str, display: str) -> Q:
    part = term.path.name.rpartition(".")[2]
    if part == "display":
        return text(term, display, False)
    if isinstance(term, filters.Present):
        return ALWAYS
    if isinstance(term, filters.Comparison):
        if part == "value":
            return by_id(term, f"{target}_id")
        if part == "type":
            kind = "direct" if target == "group" else "User"
            same = fold(str(term.value)) == fold(kind)
            if term.operator in EQUALITY:
                return ALWAYS if same == (term.operator == "eq") else NEVER
    raise invalid_filter(f"{term.path.name} cannot be compared this way; compare its value.")


def _custom(term: Term, *, fenced: bool) -> Q:
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
    where = compare("value_key", term.operator, key, str(term.value))
    return _owns(rows.filter(where), "user_id", fenced)
