"""The tree a filter is parsed into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from provisioning.scim.model import AttributePath, ResourceType

# What a Comparison compares with; a dateTime is in UTC.
Value = str | bool | int | Decimal | datetime


@dataclass(frozen=True, slots=True)
class And:
    """Every term holds."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one term holds."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The term does not hold."""

    term: Filter


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`: operator in lower case, value of the attribute's type.

    Strings keep their spelling: who compares folds. "" with co, sw or ew is part of every value.
    """

    path: AttributePath
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Present:
    """The attribute has a value; `eq null` and `ne null` are written with it as well."""

    path: AttributePath


@dataclass(frozen=True, slots=True)
class ValuePath:
    """One and the same element of a complex attribute meets the filter over its parts."""

    path: AttributePath
    filter: Filter


@dataclass(frozen=True, slots=True)
class Never:
    """Holds for nothing: it stands for a question about an attribute that is never kept."""


Filter = And | Or | Not | Comparison | Present | ValuePath | Never

EQUALITY = frozenset({"eq", "ne"})
ORDER = frozenset({"gt", "ge", "lt", "le"})
SUBSTRING = frozenset({"co", "sw", "ew"})
OPERATORS = EQUALITY | ORDER | SUBSTRING


def terms(tree: Filter) -> int:
    """Return how many terms a tree has, those in brackets too."""
    match tree:
        case And(inner) | Or(inner):
            return sum(map(terms, inner))
        case Not(term):
            return terms(term)
        case ValuePath(_, term):
            return 1 + terms(term)
        case _:
            return 1


def narrowed(tree: Filter, type: ResourceType) -> Filter:
    """Return what a filter over any resource says of one type.

    An attribute that the type lacks has no value there (RFC 7644 §3.4.2.1).
    """
    match tree:
        case And(inner):
            return And(tuple(narrowed(term, type) for term in inner))
        case Or(inner):
            return Or(tuple(narrowed(term, type) for term in inner))
        case Not(term):
            return Not(narrowed(term, type))
        case Never():
            return tree
        case ValuePath(path, term):
            own = _own(path, type)
            return ValuePath(own, narrowed(term, type)) if own else Never()
        case Present(path):
            own = _own(path, type)
            return Present(own) if own else Never()
        case Comparison(path, operator, value):
            if own := _own(path, type):
                return Comparison(own, operator, value)
            return Not(Never()) if operator == "ne" else Never()


def _own(path: AttributePath, type: ResourceType) -> AttributePath | None:
    own = type.paths.get(path.name.lower())
    if own is None and type.extension(path.name):
        return path
    return own if own and own.kept else None
