"""Which function does the jobs of which kind, and how patiently."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from audit.jobs.leases import RunningJob

DEFAULT = "default"
EXPORTS = "exports"
QUEUES = (DEFAULT, EXPORTS)
LEASE_S = 30

Payload = dict[str, Any]
Function = Callable[[Payload, RunningJob], None]


class UnknownKind(LookupError):
    """No function does the jobs of this kind: a programming mistake, or a newer Alta wrote it."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"no function of this Alta does jobs of the kind «{kind}»")


class GiveUp(Exception):
    """Raised by a handler: trying this job again is of no use."""


class Later(Exception):
    """Raised by a handler: what it needs is not there yet. This is no failed attempt."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"in {wait_s} s")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Handler:
    """What is known of a kind of job."""

    kind: str
    function: Function
    queue: str
    most_attempts: int
    lease_s: int
    transactional: bool
    label: str | Promise


_HANDLERS: dict[str, Handler] = {}


def handles(
    kind: str,
    *,
    queue: str = DEFAULT,
    most_attempts: int = 5,
    lease_s: int = LEASE_S,
    transactional: bool = True,
    label: str | Promise = "",
) -> Callable[[Function], Function]:
    """Register a function for a kind of job, in a module that its app's `tasks` imports.

    Transactional: what the function writes and the mark «done» are one transaction, so its effect
    is there exactly once; it must be short, since SQLite has one writer. Otherwise the function
    runs outside a transaction and at least once, and extends its lease while it works. The lease
    is how long after a sudden death another worker takes over. `label` is what a person reads.
    """
    if queue not in QUEUES:
        raise ValueError(f"no worker serves a queue named {queue!r}")

    def register(function: Function) -> Function:
        known = _HANDLERS.get(kind)
        if known and known.function.__qualname__ != function.__qualname__:
            raise ValueError(f"two functions want the jobs of the kind {kind!r}")
        _HANDLERS[kind] = Handler(
            kind, function, queue, most_attempts, lease_s, transactional, label or kind
        )
        return function

    return register


def handler_of(kind: str) -> Handler:
    """Return what is known of a kind. Raises UnknownKind."""
    try:
        return _HANDLERS[kind]
    except KeyError:
        raise UnknownKind(kind) from None


def lease_of(kind: str) -> int:
    """Return how many seconds a worker may be silent about a job of a kind."""
    return _HANDLERS[kind].lease_s if kind in _HANDLERS else LEASE_S


def label_of(kind: str) -> str:
    """Return what a person calls a kind of job."""
    return str(_HANDLERS[kind].label) if kind in _HANDLERS else kind
