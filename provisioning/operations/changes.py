"""What an event tells of a change: {attribute: [before, after]}; and which rule one broke."""

from typing import Any

from django.db import IntegrityError

# What every change moves, or what names the resource itself.
_UNTOLD = {"schemas", "id", "meta", "groups", "members"}


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the attributes that differ between two canonical resources, by their SCIM name."""
    flat_before, flat_after = _flat(before), _flat(after)
    return {
        name: [flat_before.get(name), flat_after.get(name)]
        for name in dict.fromkeys([*flat_before, *flat_after])
        if flat_before.get(name) != flat_after.get(name)
    }


def _flat(resource: dict[str, Any]) -> dict[str, Any]:
    """Spread `name` and the extensions: "name.givenName", "urn:…:User:department"."""
    flat: dict[str, Any] = {}
    for key, value in resource.items():
        if key in _UNTOLD:
            continue
        if isinstance(value, dict):
            mark = ":" if key.startswith("urn:") else "."
            flat |= {f"{key}{mark}{part}": inner for part, inner in value.items()}
        else:
            flat[key] = value
    return flat


def broke(error: IntegrityError, column: str) -> bool:
    """Return whether the constraint on a column was broken: both databases name it in the text.

    Any other constraint is a fault of ours, and must not be told as a name that is taken.
    """
    return column in str(error)
