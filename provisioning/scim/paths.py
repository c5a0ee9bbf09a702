"""PATCH paths of RFC 7644 §3.5.2: an attribute, one of its parts, or chosen elements of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from provisioning.scim import filters, limits
from provisioning.scim.errors import ScimError, UnknownCustomAttribute, invalid_path, shown
from provisioning.scim.filters import Filter
from provisioning.scim.model import Attribute, AttributePath, ResourceType, Schema
from provisioning.scim.schemas import CUSTOM

_SHAPE = re.compile(r"([^\[\]\s]+)(?:\[(.*)\](?:\.(\$?[A-Za-z][\w-]*))?)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Path:
    """What a PATCH operation acts on.

    `attribute` is None for a schema URN alone (`extension` None then means the core schema).
    `target` is attribute and sub as one AttributePath; `kept` is False for what is ignored.
    """

    attribute: Attribute | None
    sub: Attribute | None = None
    filter: Filter | None = None
    extension: Schema | None = None
    target: AttributePath | None = None
    name: str = ""
    kept: bool = True


def parse(text: str, type: ResourceType) -> Path:
    """Return the path, its names in any case. Raises ScimError invalidPath, invalidFilter."""
    if len(text) <= limits.CACHED_TEXT_CHARACTERS:
        return _parse_cached(text, type)
    if len(text) > limits.PATH_CHARACTERS:
        raise invalid_path(f"The path is longer than {limits.PATH_CHARACTERS} characters.")
    return _parse(text, type)


@lru_cache(limits.CACHE_ENTRIES)
def _parse_cached(text: str, type_: ResourceType) -> Path:
    return _parse(text, type_)


def _parse(text: str, type_: ResourceType) -> Path:
    shape = _SHAPE.fullmatch(text.strip())
    if shape is None:
        raise invalid_path(f"{shown(text)} is not a path.")
    name, inner, last = shape.groups()
    path = type_.find(name)
    if path is None:
        if inner is None and (extension := type_.extension(name)):
            return Path(None, extension=extension, name=extension.id)
        if inner is None and name.lower() == type_.schema.lower():
            return Path(None, name=type_.schema)
        raise unknown(name, type_)
    if inner is None or not path.kept:
        return of(path, type_)
    if path.leaf.type != "complex":
        raise invalid_path(f"{path.name} has no parts to choose by in brackets.")
    tree = filters.parse_element(inner, type_, path)
    if last is None:
        return of(path, type_, tree)
    sub = type_.sub_path(path, last)
    if sub is None:
        raise invalid_path(f"{shown(last)} is not an attribute of {path.name}.")
    return of(sub, type_, tree)


def of(path: AttributePath, type: ResourceType, tree: Filter | None = None) -> Path:
    """Return the path that stands for an attribute found by its name."""
    extension = type.extension(path.extension) if path.extension else None
    return Path(path.attribute, path.sub, tree, extension, path, path.name, path.kept)


def unknown(name: str, type: ResourceType) -> ScimError:
    """Return the error for a name that is no attribute, saying where custom ones are defined."""
    extension = type.extension_of(name)
    if extension is not None and extension.id == CUSTOM:
        return UnknownCustomAttribute(name[len(CUSTOM) + 1 :], "invalidPath")
    return invalid_path(f"{shown(name)} is not an attribute of a {type.name}.")
