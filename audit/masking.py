"""What the trail says in place of a secret."""

from typing import Any

MASK = "••••••"
SECRET_NAMES = ("password", "secret", "digest")


def masked(values: dict[str, Any]) -> dict[str, Any]:
    """Hide the values whose names say that they are secrets."""
    return {
        name: MASK if any(word in name.lower() for word in SECRET_NAMES) else value
        for name, value in values.items()
    }
