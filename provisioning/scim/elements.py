"""Elements of a multi-valued complex attribute such as emails: read, merged, filtered, removed."""

from __future__ import annotations

from typing import Any

from provisioning.scim import filters, limits
from provisioning.scim.errors import invalid_syntax, invalid_value, kind, no_target
from provisioning.scim.filters import Filter
from provisioning.scim.keys import fold
from provisioning.scim.model import Attribute
from provisioning.scim.values import coerce

Element = dict[str, Any]


def read_all(attribute: Attribute, value: object, unknown: set[str]) -> list[Element]:
    """Return the canonical elements of a list; names nobody knows go to `unknown`.

    Equal (value, type) pairs become one; an element whose value is cleared goes. Raises ScimError.
    """
    name = attribute.name
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise invalid_value(f"{name} must be a list of objects, not {kind(value)}.")
    refuse_too_many(name, value)
    found: dict[tuple[str, str], Element] = {}
    for given in value:
        element, named = read(attribute, given, unknown)
        if "value" not in named:
            raise invalid_value(f"{name}.value is required in every element of {name}.")
        if "value" in element:
            key = _pair(element)
            found[key] = _merged(found[key], element) if key in found else element
    elements = list(found.values())
    refuse_two_primaries(name, elements)
    return elements


def read(attribute: Attribute, given: object, unknown: set[str]) -> tuple[Element, set[str]]:
    """Return one canonical element and the sub-attributes it names, cleared ones too."""
    name = attribute.name
    if not isinstance(given, dict):
        raise invalid_value(f"{name} must be a list of objects, not of {kind(given)}.")
    element: Element = {}
    named: set[str] = set()
    for key, part in given.items():
        sub = attribute.sub(key)
        if sub is None:
            unknown.add(f"{name}.{key}")
            continue
        if sub.name in named:
            raise invalid_syntax(f"{name}.{sub.name} is named twice in one element.")
        named.add(sub.name)
        value = coerce(sub, part, f"{name}.{sub.name}")
        if value is not None:
            element[sub.name] = value
    return element, named


def refuse_too_many(name: str, elements: list[Any]) -> None:
    """Raise invalidValue past the limit of elements."""
    if len(elements) > limits.EMAILS:
        raise invalid_value(f"{name} may have at most {limits.EMAILS} elements.")


def refuse_two_primaries(name: str, elements: list[Element]) -> None:
    """Raise invalidValue unless at most one element is primary (RFC 7643 §2.4)."""
    if sum(element.get("primary") is True for element in elements) > 1:
        raise invalid_value(f"Only one element of {name} may be primary.")


def _pair(element: Element) -> tuple[str, str]:
    return fold(element.get("value", "")), fold(element.get("type", ""))


def _merged(old: Element, new: Element) -> Element:
    """Return the older element with what only the newer one says; primary wins over not."""
    primary = {"primary": True} if new.get("primary") else {}
    return {**new, **old, **primary}


def _is_same(old: tuple[str, str], new: tuple[str, str]) -> bool:
    """Tell from their pairs whether `new` is already there: the same value, and no other type."""
    return old[0] == new[0] and (old[1] == new[1] or "" in (old[1], new[1]))


def demote_others(elements: list[Element], kept: Element) -> list[Element]:
    """Return the elements with at most `kept` primary (RFC 7644 §3.5.2)."""
    return [
        {**each, "primary": False} if each is not kept and each.get("primary") else each
        for each in elements
    ]


def added(elements: list[Element], new: list[Element], *, sets: bool = False) -> list[Element]:
    """Return the elements with new ones merged in: none twice, a new primary the only one.

    Where one is there already its own parts stay, unless the new one `sets` them.
    """
    result = list(elements)
    pairs = [_pair(each) for each in result]
    for element in new:
        pair = _pair(element)
        # The very pair first: an element without a type must not take another's place.
        at = next((i for i, old in enumerate(pairs) if old == pair), None)
        if at is None:
            at = next((i for i, old in enumerate(pairs) if _is_same(old, pair)), None)
        if at is None:
            at = len(result)
            result.append(element)
            pairs.append(pair)
        else:
            old = result[at]
            result[at] = {**old, **element} if sets else _merged(old, element)
            pairs[at] = _pair(result[at])
        if element.get("primary"):
            result = demote_others(result, result[at])
    return result


def without(elements: list[Element], gone: list[Element]) -> list[Element]:
    """Return the elements without those listed, by value and, where given, type."""
    leaving = [_pair(one) for one in gone]
    pairs = [_pair(each) for each in elements]
    return [
        each
        for each, pair in zip(elements, pairs, strict=True)
        if not any(_is_same(pair, one) for one in leaving)
    ]


def selected(elements: list[Element], tree: Filter | None) -> list[bool]:
    """Tell for each element whether the filter of the path holds for it; without one, all."""
    return [tree is None or filters.matches(tree, each) for each in elements]


def derived(tree: Filter | None) -> Element | None:
    """Return the element that a filter describes: `type eq "work"` → {"type": "work"}.

    None when the filter has other terms than equalities.
    """
    match tree:
        case None:
            return {}
        case filters.Comparison(path, "eq", str() | bool() as value) if value != "":
            return {path.leaf.name: value}
        case filters.And(terms):
            result: Element = {}
            for term in terms:
                part = derived(term)
                if part is None or any(result.get(k, v) != v for k, v in part.items()):
                    return None
                result |= part
            return result
        case _:
            return None


def made(attribute: Attribute, tree: Filter | None) -> Element:
    """Return the new element a path without a match stands for. Raises ScimError noTarget."""
    element = derived(tree)
    if element is None:
        raise no_target(
            f"No element of {attribute.name} matches the filter of the path, "
            "and the filter does not say what a new one would be."
        )
    return element


def distinct(elements: list[Element]) -> list[Element]:
    """Return the elements without repetitions of a (value, type) pair, which an edit may leave."""
    found: dict[tuple[str, str], Element] = {}
    for element in elements:
        key = _pair(element)
        found[key] = _merged(found[key], element) if key in found else element
    return list(found.values())
