"""Which attributes an answer carries: attributes and excludedAttributes (RFC 7644 §3.9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from provisioning.scim import limits
from provisioning.scim.errors import invalid_value
from provisioning.scim.model import AttributePath, ResourceType

# Name → the parts that are asked for or left out; None is the whole attribute.
Choice = Mapping[str, frozenset[str] | None]


@dataclass(frozen=True, slots=True)
class Projection:
    """The attributes a client asks for, or the ones it leaves out; at most one is set.

    `id` and `schemas` come always, and names nobody knows are passed over.
    """

    included: Choice | None = None
    excluded: Choice | None = None
    always: frozenset[str] = field(default=frozenset({"schemas", "id"}))

    @staticmethod
    def parse(attributes: str | None, excluded: str | None, type: ResourceType) -> Projection:
        """Read the two query parameters. Raises ScimError when both are given."""
        if attributes and excluded:
            raise invalid_value("Use either attributes or excludedAttributes, not both.")
        text = attributes or excluded
        if not text:
            return EVERYTHING
        if len(text) > limits.CACHED_TEXT_CHARACTERS:
            return _parse(text, bool(attributes), type)
        return _parse_cached(text, bool(attributes), type)

    def wants(self, name: str) -> bool:
        """Tell whether an attribute, by its canonical top-level or URN name, is in the answer.

        True also when only a part of it is, so that a caller reads what `apply` then trims.
        """
        if name in self.always:
            return True
        if self.included is not None:
            return name in self.included
        return self.excluded is None or self.excluded.get(name, frozenset()) is not None

    def apply(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Return the resource with what is wanted; the same object when that is everything."""
        if self.included is not None:
            result = {key: value for key, value in resource.items() if key in self.always}
            for name, parts in self.included.items():
                value = _only(resource.get(name), parts)
                if value:
                    result[name] = value
                elif name in resource and parts is None:
                    result[name] = resource[name]  # false and 0 are values
            return result
        if self.excluded is None:
            return resource
        result = {}
        for name, value in resource.items():
            gone = frozenset() if name in self.always else self.excluded.get(name, frozenset())
            rest = _without(value, gone) if gone else value
            if gone is not None and (rest or not gone):
                result[name] = rest
        return result


EVERYTHING = Projection()


@lru_cache(limits.CACHE_ENTRIES)
def _parse_cached(text: str, is_included: bool, type_: ResourceType) -> Projection:
    return _parse(text, is_included, type_)


def _parse(text: str, is_included: bool, type_: ResourceType) -> Projection:
    found: dict[str, set[str] | None] = {}
    for name in text.split(","):
        path = type_.find(name.strip())
        if path is not None and path.kept:
            _add(found, path)
        elif path is None and (extension := type_.extension(name.strip())):
            found[extension.id] = None
        elif name.strip().lower() == type_.schema.lower():
            found |= dict.fromkeys(attribute.name for attribute in type_.attributes)
    choice: Choice = {
        name: None if parts is None else frozenset(parts) for name, parts in found.items()
    }
    return Projection(included=choice) if is_included else Projection(excluded=choice)


def _add(found: dict[str, set[str] | None], path: AttributePath) -> None:
    """Note an attribute, or a part of one not already noted as a whole."""
    top, *rest = path.keys
    if not rest:
        found[top] = None
    elif (parts := found.setdefault(top, set())) is not None:
        parts.add(rest[0])


def _only(value: Any, parts: Iterable[str] | None) -> Any:
    if parts is None:
        return value
    if isinstance(value, list):
        return [part for each in value if (part := _only(each, parts))]
    if isinstance(value, dict):
        return {name: value[name] for name in value if name in parts}
    return None


def _without(value: Any, parts: Iterable[str]) -> Any:
    if isinstance(value, list):
        return [rest for each in value if (rest := _without(each, parts))]
    if isinstance(value, dict):
        return {name: value[name] for name in value if name not in parts}
    return value
