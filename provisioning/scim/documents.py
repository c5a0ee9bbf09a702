"""Bodies of POST and PUT: JSON → canonical resource, and what a PUT makes of a resource."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from provisioning.scim.errors import invalid_syntax, invalid_value, kind
from provisioning.scim.model import ResourceType
from provisioning.scim.reading import Reader

# Left out of a PUT these stay as they are: no IdP disables or empties by silence.
_KEPT_WHEN_LEFT_OUT = ("active", "members")


@dataclass(frozen=True, slots=True)
class Document:
    """A body that was read.

    `resource` has canonical names and values, extensions nested under their URN and nothing for
    cleared attributes; `names` has every kept attribute the body sets or clears; `ignored` names
    what is not kept or not known.
    """

    type: ResourceType = field(repr=False)
    resource: dict[str, Any]
    names: frozenset[str]
    ignored: tuple[str, ...]


def read(body: object, type: ResourceType, *, replaces: bool = False) -> Document:
    """Return the canonical resource of a POST or, with `replaces`, a PUT body. Raises ScimError.

    Null and "" clear. For active and members, null is the same as leaving them out
    (RFC 7643 §2.5); `members: []` is nobody. A PUT that deactivates may name a userName past the
    limit, as a tombstone does: it is left out, and `replace` keeps the present one.
    """
    if not isinstance(body, dict):
        raise invalid_syntax(f"The body must be a JSON object, not {kind(body)}.")
    reader = Reader(type, keeps_name=replaces)
    resource: dict[str, Any] = {}
    names: set[str] = set()
    given = {
        key: value
        for key, value in body.items()
        if value is not None or key.lower() not in _KEPT_WHEN_LEFT_OUT
    }
    for path, value in reader.resource(given):
        if path.sub is not None and path.attribute.multi_valued:
            reader.ignore(path.name)  # "emails.value" as a key: of which e-mail?
            continue
        if path.name in names:
            raise invalid_syntax(f"{path.name} is named twice.")
        names.add(path.name)
        if path.name == "members":
            value = [{"value": member_id} for member_id in value]
        if value is not None and value != []:
            place(resource, path.keys, value)
    ignored = reader.finish(deactivates=resource.get("active") is False)
    for attribute in type.attributes:
        if (
            attribute.required
            and attribute.mutability != "readOnly"
            and attribute.name not in resource
            and attribute.name not in reader.postponed
        ):
            raise invalid_value(f"{attribute.name} is required and must not be empty.")
    return Document(type, resource, frozenset(names), ignored)


def place(resource: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    """Put a value where `keys` lead, making the objects on the way."""
    for key in keys[:-1]:
        resource = resource.setdefault(key, {})
    resource[keys[-1]] = value


def replace(document: Document, resource: dict[str, Any]) -> dict[str, Any]:
    """Return the resource after a PUT: what it leaves out is cleared, but active and members.

    Read-only attributes stay. The input is not changed.
    """
    kept = {
        attribute.name: resource[attribute.name]
        for attribute in document.type.attributes
        if attribute.name in resource
        and (
            attribute.mutability == "readOnly"
            or (attribute.name in _KEPT_WHEN_LEFT_OUT and attribute.name not in document.names)
            or (attribute.required and attribute.name not in document.resource)
        )
    }
    if "schemas" in resource:
        kept["schemas"] = resource["schemas"]
    return {**kept, **document.resource}
