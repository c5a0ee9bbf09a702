"""PATCH of RFC 7644 §3.5.2: a body → operations, and operations over a resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from provisioning.scim import elements, limits, members, paths, quirks
from provisioning.scim.errors import (
    ScimError,
    UnknownCustomAttribute,
    invalid_syntax,
    invalid_value,
    kind,
    mutability,
    no_target,
    shown,
    too_large,
)
from provisioning.scim.members import MemberStep
from provisioning.scim.model import AttributePath, ResourceType
from provisioning.scim.paths import Path
from provisioning.scim.reading import Reader
from provisioning.scim.tree import Filter, terms

__all__ = ["MemberStep", "Operation", "Patch", "apply", "parse"]

Verb = Literal["add", "remove", "replace"]
_VERBS: dict[str, Verb] = {"add": "add", "remove": "remove", "replace": "replace"}
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of one attribute, its value checked and canonical.

    `verb` "remove" comes with None or, for a whole multi-valued attribute, the elements to remove.
    """

    verb: Verb
    path: Path
    value: Any = None


@dataclass(slots=True)
class Spent:
    """What the PATCHes of one request have used of its limits."""

    terms: int = 0


@dataclass(frozen=True, slots=True)
class Patch:
    """A PATCH body that was read: attribute operations, and steps for the members of a group.

    `names` has every kept attribute it names, changed or not; `ignored` what is left out.
    """

    operations: tuple[Operation, ...]
    names: frozenset[str]
    ignored: tuple[str, ...]
    members: tuple[MemberStep, ...] = ()
    habits: quirks.Habits = quirks.STRICT


def parse(body: object, type: ResourceType, spent: Spent | None = None) -> Patch:
    """Return the operations of a PATCH body. Raises ScimError.

    Everything but the state of the resource is checked here, before any row is read. `spent` is
    what the PATCHes before it in one Bulk have used up.
    """
    if not isinstance(body, dict):
        raise invalid_syntax(f"The body must be a JSON object, not {kind(body)}.")
    given = quirks.patch_operations(body)
    if not isinstance(given, list) or not given:
        raise invalid_syntax("The body must have a list 'Operations' with at least one operation.")
    if len(given) > limits.PATCH_OPERATIONS:
        raise too_large(
            f"A PATCH may have at most {limits.PATCH_OPERATIONS:,} operations: send several."
        )
    return _Parser(type, spent or Spent()).patch(given)


def _deactivates(operations: list[Operation]) -> bool:
    """Tell whether operations set active to false, or remove it, in the end."""
    last = [operation.value for operation in operations if operation.path.name == "active"]
    return bool(last) and last[-1] is not True


class _Parser:
    def __init__(self, type_: ResourceType, spent: Spent) -> None:
        self.type = type_
        self.reader = Reader(type_, keeps_name=True, one_for_many=True)
        self.operations: list[Operation] = []
        self.steps: list[MemberStep] = []
        self.names: set[str] = set()
        self.chosen_keys = 0
        self.elements = 0
        self.spent = spent

    def patch(self, given: list[Any]) -> Patch:
        for item in given:
            self.operation(item)
        ignored = self.reader.finish(deactivates=_deactivates(self.operations))
        return Patch(
            tuple(self.operations),
            frozenset(self.names),
            ignored,
            members.folded(self.steps),
            self.type.habits,
        )

    def operation(self, item: object) -> None:
        """Read one operation of the body into what it does to each attribute it names."""
        verb, text, value = _fields(item)
        if text is None:
            self.without_path(verb, value)
            return
        if text.strip().lower() == "schemas":
            return
        try:
            path = paths.parse(text, self.type)
        except UnknownCustomAttribute as error:
            self.reader.postpone(text, error)
            return
        if value is _ABSENT and verb != "remove":
            raise invalid_value(f"The operation {verb} of {path.name} needs a value.")
        if not path.kept:
            self.reader.ignore(path.name)
        elif path.attribute and "readOnly" in (
            path.attribute.mutability,
            path.sub.mutability if path.sub else "",
        ):
            raise mutability(f"{path.name} is read-only.")
        else:
            self.at(verb, path, value)

    def without_path(self, verb: Verb, value: object) -> None:
        if verb == "remove":
            raise no_target("The operation remove needs a path.")
        if not isinstance(value, dict):
            given = "nothing" if value is _ABSENT else kind(value)
            raise invalid_value(
                f"The operation {verb} without a path needs an object as its value, not {given}."
            )
        chosen = {key: part for key, part in value.items() if "[" in key}
        plain = {key: part for key, part in value.items() if key not in chosen}
        for target, canonical in self.reader.resource(plain):
            self.assign(verb, target, canonical)
        self.chosen_keys += len(chosen)
        if self.chosen_keys > limits.PATCH_OPERATIONS:
            raise too_large(
                f"A PATCH may have at most {limits.PATCH_OPERATIONS:,} keys with brackets."
            )
        for key, part in chosen.items():  # Entra ID: "emails[type eq \"work\"].value" as a key
            self.chosen(verb, key, part)

    def chosen(self, verb: Verb, key: str, value: object) -> None:
        try:
            path = paths.parse(key, self.type)
        except ScimError:
            self.reader.ignore(key)
            return
        if not path.kept:
            self.reader.ignore(path.name)
        elif path.attribute and path.attribute.mutability != "readOnly":
            self.at(verb, path, value)

    def at(self, verb: Verb, path: Path, value: object) -> None:
        """Read an operation with a kept, writable path."""
        target = path.target
        if target is None:
            self.at_schema(verb, path, value)
        elif target.attribute.name == "members":
            self.at_members(verb, path, value)
        elif target.attribute.multi_valued:
            self.at_elements(verb, path, value)
        elif path.filter is not None:
            raise no_target(f"{target.name} has one value: it cannot be chosen by a filter.")
        elif verb == "remove":
            self.clear(verb, path)
        else:
            for each, canonical in self.reader.attribute(target, value):
                self.assign(verb, each, canonical)

    def at_schema(self, verb: Verb, path: Path, value: object) -> None:
        if path.extension is None:
            self.without_path(verb, value)
            return
        pairs = self.reader.extension(path.extension, None if verb == "remove" else value)
        for target, canonical in pairs:
            self.assign(verb, target, canonical)

    def at_members(self, verb: Verb, path: Path, value: object) -> None:
        self.names.add("members")
        if path.sub is not None:
            raise _whole_members()
        if path.filter is None:
            if verb == "remove" and (value is _ABSENT or value is None):
                self.steps.append(MemberStep("replace"))  # all of them: RFC 7644 §3.5.2.2
            else:
                ids = self.reader.many(self.type.paths["members"], value)
                self.steps.append(MemberStep(verb, ids))
            return
        if verb != "remove":
            raise mutability("Members are not changed, only added and removed.")
        if (ids := members.ids_named_by(path.filter)) is not None:
            self.steps.append(MemberStep("remove", ids))
        else:
            self.count(path.filter)
            self.steps.append(MemberStep("remove_matching", filter=path.filter))

    def at_elements(self, verb: Verb, path: Path, value: object) -> None:
        """Read an operation on emails: all of them, chosen ones, or one part of them."""
        target, canonical = path.target, None
        if target is None:
            return
        self.count(path.filter)
        if verb != "remove" or (value is not _ABSENT and path.filter is None and not path.sub):
            if target.sub is not None:
                canonical = self.reader.simple(target, value)
            elif path.filter is None:
                canonical = self.reader.many(target, value)
                if value is None and verb == "remove":
                    canonical = None
            else:
                canonical = self.element(target, value)
        self.count_elements(canonical)
        self.names.add(target.attribute.name)
        self.operations.append(Operation(verb, path, canonical))

    def count(self, tree: Filter | None) -> None:
        """Refuse filters that together would keep rows locked for long."""
        self.spent.terms += terms(tree) if tree else 0
        if self.spent.terms > limits.PATCH_FILTER_TERMS:
            raise too_large(
                f"The filters of a request may have at most {limits.PATCH_FILTER_TERMS:,} terms "
                "together: send several."
            )

    def count_elements(self, value: object) -> None:
        """Refuse elements whose comparison would keep the row locked for long."""
        self.elements += len(value) if isinstance(value, list) else 1
        if self.elements > limits.PATCH_ELEMENTS:
            raise too_large(
                f"A PATCH may give at most {limits.PATCH_ELEMENTS:,} e-mails: send several."
            )

    def element(self, target: AttributePath, value: object) -> dict[str, Any] | None:
        """Read the value for chosen elements: one object, alone or in a list; None clears."""
        if value is None or value == "" or value == []:
            return None
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        unknown: set[str] = set()
        element, named = elements.read(target.attribute, value, unknown)
        for name in sorted(unknown):
            self.reader.ignore(name)
        return None if "value" in named and "value" not in element else element

    def assign(self, verb: Verb, target: AttributePath, value: Any) -> None:
        if target.attribute.name == "members":
            if target.sub is not None:
                raise _whole_members()
            self.names.add("members")
            self.steps.append(MemberStep(verb, value))
            return
        path = paths.of(target, self.type)
        if value is None:
            self.clear(verb, path)
        else:
            if isinstance(value, list):
                self.count_elements(value)
            self.names.add(target.name)
            self.operations.append(Operation(verb, path, value))

    def clear(self, verb: Verb, path: Path) -> None:
        if path.attribute and not path.attribute.clearable:
            # RFC 7644 §3.5.2.2: removing a required attribute is mutability.
            refuse = mutability if verb == "remove" else invalid_value
            raise refuse(f"{path.name} must have a value: it cannot be cleared.")
        self.names.add(path.name)
        self.operations.append(Operation("remove", path))


def _whole_members() -> ScimError:
    return mutability("Members are added and removed as a whole: use the path 'members'.")


def _fields(item: object) -> tuple[Verb, str | None, object]:
    """Return verb, path and value of one operation, whatever the case of its keys."""
    if not isinstance(item, dict):
        raise invalid_syntax(f"Each operation must be an object, not {kind(item)}.")
    fields = {key.lower(): value for key, value in item.items()}
    if len(fields) < len(item):
        raise invalid_syntax("A key of an operation is named twice.")
    op, path = fields.get("op"), fields.get("path")
    verb = _VERBS.get(op.lower()) if isinstance(op, str) else None
    if verb is None:
        given = shown(op) if isinstance(op, str) else kind(op)
        raise invalid_syntax(f"'op' must be add, remove or replace, not {given}.")
    if path is not None and not isinstance(path, str):
        raise invalid_syntax(f"'path' must be a string, not {kind(path)}.")
    return verb, path, fields.get("value", _ABSENT)


def apply(patch: Patch, resource: dict[str, Any]) -> dict[str, Any]:
    """Return the resource after the PATCH; the input stays as it is. Raises ScimError.

    Members are not touched: whoever keeps them takes the steps of `patch.members`.
    """
    result = dict(resource)
    multi_valued: dict[str, None] = {}
    for operation in patch.operations:
        path = operation.path
        if path.target is None:
            continue
        if path.target.attribute.multi_valued:
            name = path.target.attribute.name
            multi_valued[name] = None
            found = _edited(operation, path.target, result.get(name) or [], patch.habits)
            if len(found) > 2 * limits.EMAILS:  # some may still go, but they must not pile up
                elements.refuse_too_many(name, found)
            _put(result, (name,), found)
        else:
            _put(result, path.target.keys, operation.value)
    for name in multi_valued:
        _check(name, result.get(name, []))
    return result


def _put(resource: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    """Set or clear what `keys` lead to, copying the objects on the way; empty ones go."""
    if len(keys) > 1:
        inner = dict(resource.get(keys[0]) or {})
        _put(inner, keys[1:], value)
        value = inner
    if value is None or value in ([], {}):
        resource.pop(keys[0], None)
    else:
        resource[keys[0]] = value


def _edited(
    operation: Operation,
    target: AttributePath,
    current: list[dict[str, Any]],
    habits: quirks.Habits,
) -> list[dict[str, Any]]:
    """Return the elements of a multi-valued attribute after one operation."""
    verb, tree, value = operation.verb, operation.path.filter, operation.value
    if tree is None and target.sub is None:
        if verb == "replace":
            return list(value)
        if verb == "add":
            return elements.added(current, value)
        return [] if value is None else elements.without(current, value)
    chosen = elements.selected(current, tree)
    if value is None:
        return elements.distinct(list(_cleared(current, chosen, target)))
    new = {target.sub.name: value} if target.sub else value
    if not any(chosen):
        if verb == "replace" and tree is not None and not habits.replaces_what_is_missing:
            # RFC 7644 §3.5.2.3; what to add where nothing matches, it leaves open
            raise no_target(f"No element of {target.attribute.name} matches the filter.")
        made = elements.made(target.attribute, tree) | new
        return elements.added(current, [made], sets=True)
    # A part, or an element that is added to, keeps the rest; a replaced one keeps what chose it.
    whole = verb == "replace" and target.sub is None
    base = (elements.derived(tree) or {}) if whole else None
    result = []
    changed = []
    for each, is_chosen in zip(current, chosen, strict=True):
        if is_chosen:
            each = {**(each if base is None else base), **new}
            changed.append(each)
        result.append(each)
    if new.get("primary"):
        elements.refuse_two_primaries(target.attribute.name, changed)
        result = elements.demote_others(result, changed[0])
    return elements.distinct(result)


def _cleared(
    current: list[dict[str, Any]], chosen: list[bool], target: AttributePath
) -> Iterator[dict[str, Any]]:
    """Yield the elements with the chosen ones removed, or one part of them."""
    part = target.sub.name if target.sub else "value"
    for each, is_chosen in zip(current, chosen, strict=True):
        if not is_chosen:
            yield each
        elif target.sub is not None and part != "value":
            yield {name: value for name, value in each.items() if name != part}


def _check(name: str, found: list[dict[str, Any]]) -> None:
    """Raise ScimError when the operations leave what no document could say."""
    if not all("value" in each for each in found):
        raise no_target(f"No element of {name} is there to take the change: give its value too.")
    elements.refuse_too_many(name, found)
    elements.refuse_two_primaries(name, found)
