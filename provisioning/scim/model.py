"""What an attribute, a schema and a resource type are, and how a name finds its attribute."""

from __future__ import annotations

from dataclasses import dataclass, field

from provisioning.scim import limits, quirks


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute with the characteristics of RFC 7643 §2.2 and §7.

    `kept` is False for a standard attribute that is accepted and ignored; `clearable` is False
    where no value is not a state the service knows; `blank_clears` is False where "" is a mistake,
    not another null; `printable` refuses invisible characters.
    """

    name: str
    type: str = "string"
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    uniqueness: str = "none"
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple[Attribute, ...] = ()
    max_length: int = limits.TEXT_CHARACTERS
    description: str = ""
    schema: str = ""
    kept: bool = True
    clearable: bool = True
    blank_clears: bool = True
    printable: bool = False
    _subs: dict[str, Attribute] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        subs = {sub.name.lower(): sub for sub in self.sub_attributes}
        object.__setattr__(self, "_subs", subs)

    def sub(self, name: str) -> Attribute | None:
        """Find a sub-attribute by its name in any case."""
        return self._subs.get(name.lower())


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A schema URN with its attributes: the core of a resource type, or an extension."""

    id: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class AttributePath:
    """An attribute or a sub-attribute as a filter or a PATCH names it.

    `name` is the canonical name ("userName", "name.givenName", "emails.value",
    "urn:…:User:department"); `keys` are the steps to it inside a resource.
    """

    attribute: Attribute = field(repr=False)
    sub: Attribute | None = field(default=None, repr=False)
    extension: str = field(default="", repr=False)
    name: str = field(init=False)
    keys: tuple[str, ...] = field(init=False, repr=False)
    leaf: Attribute = field(init=False, repr=False)
    kept: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        keys = (self.attribute.name, self.sub.name) if self.sub else (self.attribute.name,)
        local = ".".join(keys)
        leaf = self.sub or self.attribute
        put = object.__setattr__
        put(self, "name", f"{self.extension}:{local}" if self.extension else local)
        put(self, "keys", (self.extension, *keys) if self.extension else keys)
        put(self, "leaf", leaf)
        put(self, "kept", self.attribute.kept and leaf.kept)


@dataclass(frozen=True, slots=True, eq=False)
class ResourceType:
    """A resource type whose attributes are found by name, dotted name or URN in any case.

    Compared by identity: the cached `user_type()` gives one object for one set of attributes.
    """

    name: str
    endpoint: str
    schema: str
    description: str
    attributes: tuple[Attribute, ...] = field(repr=False)
    extensions: tuple[Schema, ...] = field(default=(), repr=False)
    # Standard attributes of the core schema that are accepted and ignored.
    unkept: tuple[Attribute, ...] = field(default=(), repr=False)
    # What the provider that speaks may send against the RFC.
    habits: quirks.Habits = quirks.STRICT
    paths: dict[str, AttributePath] = field(init=False, repr=False)
    _extensions: dict[str, Schema] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        paths: dict[str, AttributePath] = {}
        core = f"{self.schema}:".lower()
        for attribute in (*self.unkept, *self.attributes):
            for path in _with_subs(attribute, ""):
                paths[path.name.lower()] = paths[core + path.name.lower()] = path
        for extension in self.extensions:
            for attribute in extension.attributes:
                for path in _with_subs(attribute, extension.id):
                    paths[path.name.lower()] = path
        object.__setattr__(self, "paths", paths)
        extensions = {extension.id.lower(): extension for extension in self.extensions}
        object.__setattr__(self, "_extensions", extensions)

    def find(self, name: str) -> AttributePath | None:
        """Find an attribute by its plain, dotted or URN-qualified name; None when unknown.

        Any sub-attribute of an attribute that is not kept leads to that attribute.
        """
        key = name.lower()
        path = self.paths.get(key)
        if path is None and key.startswith("urn:"):
            key = quirks.standard_urn(key)
            path = self.paths.get(key)
        if path is None and "." in key:
            parent = self.paths.get(key.rpartition(".")[0])
            if parent and not parent.kept and parent.leaf.type == "complex":
                path = parent
        return path

    def sub_path(self, path: AttributePath, sub: str) -> AttributePath | None:
        """Find a sub-attribute of `path` by its own name."""
        return self.paths.get(f"{path.name}.{sub}".lower())

    def extension(self, urn: str) -> Schema | None:
        """Find an extension by its URN in any case, or by a URN that an IdP is known to send."""
        key = urn.lower()
        if not key.startswith("urn:"):
            return None
        return self._extensions.get(key) or self._extensions.get(quirks.standard_urn(key))

    def extension_of(self, name: str) -> Schema | None:
        """Find the extension that a URN-qualified name belongs to, known attribute or not."""
        key = name.lower()
        if not key.startswith("urn:"):
            return None
        key = quirks.standard_urn(key)
        for urn, extension in self._extensions.items():
            if key.startswith(f"{urn}:"):
                return extension
        return None


def _with_subs(attribute: Attribute, extension: str) -> list[AttributePath]:
    subs = [AttributePath(attribute, sub, extension) for sub in attribute.sub_attributes]
    return [AttributePath(attribute, None, extension), *subs]
