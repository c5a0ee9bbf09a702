"""What an event tells of a change: {attribute: [before, after]}; and which rule one broke."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection

from provisioning.adapters import flat


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the attributes that differ between two canonical resources, by their SCIM name."""
    flat_before, flat_after = flat(before), flat(after)
    return {
        name: [flat_before.get(name), flat_after.get(name)]
        for name in dict.fromkeys([*flat_before, *flat_after])
        if flat_before.get(name) != flat_after.get(name)
    }


def broke(error: IntegrityError, column: str) -> bool:
    """Return whether the constraint on a column was broken: both databases name it in the text.

    Any other constraint is a fault of ours, and must not be told as a name that is taken.
    """
    return column in str(error)


P = ParamSpec("P")
R = TypeVar("R")
DEADLOCK = "40P01"
ATTEMPTS = 4


def again_after_deadlock(operation: Callable[P, R]) -> Callable[P, R]:
    """Carry an operation out again when PostgreSQL chose it as the victim of a deadlock.

    Its transaction is undone whole by then. Inside another transaction the error goes on.
    """

    @wraps(operation)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return operation(*args, **kwargs)
            except OperationalError as error:
                is_victim = getattr(error.__cause__, "sqlstate", "") == DEADLOCK
                if not is_victim or attempt == ATTEMPTS or connection.in_atomic_block:
                    raise
        raise AssertionError  # pragma: no cover — the last attempt returns or raises

    return repeated
