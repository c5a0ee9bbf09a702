"""The attributes a JSON object names, one by one: bodies and PATCH values are read alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioning.scim import elements, limits, members
from provisioning.scim.errors import (
    ScimError,
    TooLong,
    UnknownCustomAttribute,
    invalid_syntax,
    invalid_value,
    kind,
    shown,
)
from provisioning.scim.model import AttributePath, ResourceType, Schema
from provisioning.scim.schemas import CUSTOM
from provisioning.scim.values import coerce

Assignment = tuple[AttributePath, Any]


class Reader:
    """Turns JSON into (path, canonical value) pairs and remembers what it left out, and why.

    A value is None when the attribute is cleared, a list of elements for emails and a tuple of
    ids for members. Most problems raise ScimError at once; an unknown custom attribute and an
    over-long userName of a user that exists (a tombstone is 32 characters longer than the name
    was) wait for `finish`, because neither may stop a deactivation.
    """

    def __init__(
        self, type: ResourceType, *, keeps_name: bool = False, one_for_many: bool = False
    ) -> None:
        """Read for a type.

        `keeps_name` when a userName left out means that it stays; `one_for_many` when an object
        may stand for a list of one.
        """
        self.type = type
        self._keeps_name = keeps_name
        self._one_for_many = one_for_many or type.habits.sends_one_for_many
        self._ignored: dict[str, None] = {}
        self._problems: list[tuple[str, ScimError]] = []

    def resource(self, given: dict[str, Any]) -> Iterator[Assignment]:
        """Read the keys of a resource: plain, dotted, URN-qualified, or a URN with an object."""
        self.refuse_twins(given)
        for key, value in given.items():
            path = self.type.find(key)
            if path is not None:
                yield from self.attribute(path, value)
            elif extension := self.type.extension(key):
                yield from self.extension(extension, value)
            elif key.lower() == self.type.schema.lower() and isinstance(value, dict):
                yield from self.resource(value)
            elif key.lower() != "schemas":
                self.unknown(key)

    def extension(self, extension: Schema, given: object) -> Iterator[Assignment]:
        """Read the object under an extension's URN; null or "" clears every attribute of it."""
        if given is None or given == "":
            for attribute in extension.attributes:
                yield from self.attribute(self.type.paths[_key(extension, attribute.name)], None)
            return
        if not isinstance(given, dict):
            raise invalid_value(f"{extension.id} must be an object, not {kind(given)}.")
        self.refuse_twins(given)
        for key, value in given.items():
            path = self.type.paths.get(_key(extension, key))
            if key.lower() == "schemas":
                continue  # clients made with scim2-models write it into extensions too
            if path is None:
                self.unknown(f"{extension.id}:{key}")
            else:
                yield from self.attribute(path, value)

    def attribute(self, path: AttributePath, value: object) -> Iterator[Assignment]:
        """Read one attribute; what is not kept is noted, what is read-only passed over."""
        leaf = path.leaf
        if not path.kept:
            self.ignore(path.name)
        elif path.attribute.mutability == "readOnly":
            pass  # Okta and PUTs of what was read send id, meta and groups back
        elif leaf.type != "complex":
            if (canonical := self.simple(path, value)) is not _SKIPPED:
                yield path, canonical
        elif leaf.multi_valued:
            yield path, self.many(path, value)
        elif value is None or value == "":
            yield path, None
        elif isinstance(value, dict):
            yield from self.parts(path, value)
        else:
            raise invalid_value(f"{path.name} must be an object, not {kind(value)}.")

    def parts(self, path: AttributePath, given: dict[str, Any]) -> Iterator[Assignment]:
        """Read the sub-attributes of a single complex attribute."""
        self.refuse_twins(given)
        for key, value in given.items():
            sub = self.type.sub_path(path, key)
            if sub is None:
                self.ignore(f"{path.name}.{key}")
            else:
                yield from self.attribute(sub, value)

    def simple(self, path: AttributePath, value: object) -> Any:
        """Return the canonical value of a simple attribute, or put its problem off."""
        try:
            return coerce(path.leaf, value, path.name)
        except TooLong as error:
            if not (self._keeps_name and path.name == "userName"):
                raise
            self._problems.append((path.name, error))
            return _SKIPPED

    def many(self, path: AttributePath, value: object) -> Any:
        """Return canonical elements, or the ids of members."""
        by_text = self.type.habits.names_members_by_text
        if path.name == "members":
            return members.ids(value, one_for_many=self._one_for_many, by_text=by_text)
        if self._one_for_many and isinstance(value, dict):
            value = [value]
        unknown: set[str] = set()
        found = elements.read_all(path.attribute, value, unknown)
        for name in sorted(unknown):
            self.ignore(name)
        return found

    def unknown(self, name: str) -> None:
        """Note a name that is no attribute; a custom one waits for `finish`."""
        if len(self._problems) >= limits.IGNORED_NAMES:
            return  # enough to refuse with, and to name
        extension = self.type.extension_of(name)
        if extension is not None and extension.id == CUSTOM:
            error = UnknownCustomAttribute(name[len(CUSTOM) + 1 :], "invalidValue")
            self.postpone(name, error)
        else:
            self.ignore(name)

    def postpone(self, name: str, error: ScimError) -> None:
        """Keep an error that only counts when the request does not deactivate."""
        self._problems.append((name, error))

    def ignore(self, name: str) -> None:
        """Note the name of what is left out."""
        if len(self._ignored) < limits.IGNORED_NAMES:
            self._ignored[name[: limits.IGNORED_NAME_CHARACTERS]] = None

    @property
    def postponed(self) -> set[str]:
        """Return the names whose problem was put off."""
        return {name for name, _ in self._problems}

    def finish(self, *, deactivates: bool) -> tuple[str, ...]:
        """Return the names left out. Raises the first problem put off, unless deactivating."""
        for name, error in self._problems:
            if not deactivates:
                raise error
            self.ignore(name)
        return tuple(self._ignored)

    def refuse_twins(self, given: dict[str, Any]) -> None:
        """Raise invalidSyntax when two keys differ by case only: nobody knows which is meant."""
        if len({key.lower() for key in given}) < len(given):
            seen: set[str] = set()
            for key in given:
                if key.lower() in seen:
                    raise invalid_syntax(f"{shown(key)} is named twice.")
                seen.add(key.lower())


_SKIPPED = object()


def _key(extension: Schema, name: str) -> str:
    return f"{extension.id}:{name}".lower()
