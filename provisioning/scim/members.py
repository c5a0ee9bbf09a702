"""Members of a group: their ids in a body, and a PATCH of them as steps that need no list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from provisioning.scim import filters, limits
from provisioning.scim.errors import TooLong, invalid_value, kind
from provisioning.scim.filters import Filter


@dataclass(frozen=True, slots=True)
class MemberStep:
    """One change of a group's members.

    `add` and `remove` act on `ids`; `replace` leaves exactly `ids`, () being nobody;
    `remove_matching` removes the members that `filter` (over members.value, …) holds for.
    """

    kind: Literal["add", "remove", "replace", "remove_matching"]
    ids: tuple[str, ...] = ()
    filter: Filter | None = None


def ids(value: object, *, one_for_many: bool = False, by_text: bool = False) -> tuple[str, ...]:
    """Return the ids of a list of members, each once and in order. Raises ScimError.

    None is nobody; a blank text is an error, because it may not empty a group. `one_for_many`
    takes a member without its list, `by_text` ids instead of objects.
    """
    if value is None:
        return ()
    if (one_for_many and isinstance(value, dict)) or (by_text and isinstance(value, str) and value):
        value = [value]
    if not isinstance(value, list):
        raise invalid_value(f"members must be a list of objects, not {kind(value)}.")
    found: dict[str, None] = {}
    for given in value:
        member_id = _member_id(given) if isinstance(given, dict) else given if by_text else None
        if not isinstance(member_id, str) or not member_id:
            raise invalid_value(
                'Each member must be an object such as {"value": "…"}, its value the id of a user.'
            )
        if len(member_id) > limits.TEXT_CHARACTERS:
            raise TooLong("members.value", limits.TEXT_CHARACTERS)
        found[member_id] = None
    return tuple(found)


def _member_id(member: dict[str, Any]) -> object:
    if "value" not in member:
        member = {key.lower(): part for key, part in member.items()}
    if len(member) > 1:
        _refuse_nested(member)
    return member.get("value")


def _refuse_nested(member: dict[str, Any]) -> None:
    for key, value in member.items():
        if key.lower() == "type" and isinstance(value, str) and value.lower() == "group":
            raise invalid_value(
                "Groups within groups are not supported: members may only be users. "
                "Push the members of the inner group instead."
            )


def ids_named_by(tree: Filter | None) -> tuple[str, ...] | None:
    """Return the ids of `value eq "a" or value eq "b"`; None for any other filter."""
    match tree:
        case filters.Comparison(path, "eq", str(member_id)) if path.name == "members.value":
            return (member_id,)
        case filters.Or(terms):
            each = [ids_named_by(term) for term in terms]
            if None in each:
                return None
            return tuple(dict.fromkeys(one for some in each if some for one in some))
        case _:
            return None


def folded(steps: Iterable[MemberStep]) -> tuple[MemberStep, ...]:
    """Join neighbours that together are one step; steps that change nothing go."""
    result: list[MemberStep] = []
    ids: dict[str, None] = {}  # of the last step, which may still grow

    def close() -> None:
        if result and ids:
            result[-1] = replace(result[-1], ids=tuple(ids))

    for step in steps:
        if step.kind in ("add", "remove") and not step.ids:
            continue
        last = result[-1].kind if result else ""
        joins = step.kind in ("add", "remove") and (
            step.kind == last or (step.kind == "add" and last == "replace")
        )
        if not joins:
            close()
            ids = {}
            result.append(step)
        ids |= dict.fromkeys(step.ids)
    close()
    return tuple(result)
