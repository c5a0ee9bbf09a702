"""A filter evaluated over a resource, value by value: what any faster way must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from provisioning.scim.keys import fold, sort_key
from provisioning.scim.model import Attribute, AttributePath
from provisioning.scim.tree import (
    SUBSTRING,
    And,
    Comparison,
    Filter,
    Not,
    Or,
    Present,
    Value,
    ValuePath,
)


def evaluate(filter: Filter, resource: dict[str, Any]) -> bool:
    """Tell whether a canonical resource meets the filter.

    Any value of a multi-valued attribute suffices. `ne` holds when a value differs and when there
    is none; every other comparison with nothing is false.
    """
    return _holds(filter, lambda path: _values(path, resource))


def matches(filter: Filter, element: dict[str, Any]) -> bool:
    """Tell whether one element of a multi-valued attribute meets the filter of its brackets."""
    return _holds(filter, lambda path: _parts(element, path.keys[-1:]))


def _holds(tree: Filter, read: Callable[[AttributePath], Iterator[Any]]) -> bool:
    match tree:
        case Comparison(path, operator, value):
            return _compares(path.leaf, operator, value, read(path))
        case And(terms):
            return all(_holds(term, read) for term in terms)
        case Or(terms):
            return any(_holds(term, read) for term in terms)
        case Not(term):
            return not _holds(term, read)
        case Present(path):
            return any(True for _ in read(path))
        case ValuePath(path, inner):
            return any(matches(inner, element) for element in read(path))
        case _:
            return False


def _values(path: AttributePath, resource: dict[str, Any]) -> Iterator[Any]:
    return _parts(resource, path.keys)


def _parts(value: Any, keys: tuple[str, ...]) -> Iterator[Any]:
    """Walk to the present values: null, "", [] and {} are none (RFC 7643 §2.5)."""
    if isinstance(value, list):
        for element in value:
            yield from _parts(element, keys)
    elif keys:
        if isinstance(value, dict):
            yield from _parts(value.get(keys[0]), keys[1:])
    elif value is not None and value != "" and value != {}:
        yield value


def _compares(leaf: Attribute, operator: str, value: Value, found: Iterator[Any]) -> bool:
    if operator in SUBSTRING:
        part = _text(leaf, value)
        return any(_has(operator, _text(leaf, each), part) for each in found)
    key = sort_key(leaf, value)
    keys = [sort_key(leaf, each) for each in found]
    match operator:
        case "eq":
            return key in keys
        case "ne":
            return not keys or any(each != key for each in keys)
        case "gt":
            return any(each > key for each in keys)
        case "ge":
            return any(each >= key for each in keys)
        case "lt":
            return any(each < key for each in keys)
        case _:
            return any(each <= key for each in keys)


def _text(leaf: Attribute, value: object) -> str:
    return str(value) if leaf.case_exact else fold(str(value))


def _has(operator: str, text: str, part: str) -> bool:
    match operator:
        case "co":
            return part in text
        case "sw":
            return text.startswith(part)
        case _:
            return text.endswith(part)
