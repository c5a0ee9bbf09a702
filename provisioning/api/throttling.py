"""Refused requests of one address: past a number a minute they are answered 429.

Each worker counts in memory and writes sparingly, so that a flood costs the database little.
"""

import threading
from contextlib import suppress
from datetime import datetime

from django.db import OperationalError
from django.utils import timezone
from rest_framework.exceptions import Throttled

from audit.actors import Origin
from provisioning.operations import access

WRITTEN_EVERY = 100
MOST_ADDRESSES = 10_000

_lock = threading.Lock()
_minute: datetime | None = None
_counts: dict[str, int] = {}


def refuse(origin: Origin) -> None:
    """Count one refusal. Raises Throttled (429, Retry-After) when its address had too many."""
    now = timezone.now()
    count = _count(origin.network or "unknown", now.replace(second=0, microsecond=0))
    with suppress(OperationalError):  # a database that others keep busy changes no refusal
        if count <= access.MOST_FAILURES_A_MINUTE:
            count = max(count, access.note_failures(origin, 1))
        elif count % WRITTEN_EVERY == 0:
            access.note_failures(origin, WRITTEN_EVERY)
    if count > access.MOST_FAILURES_A_MINUTE:
        raise Throttled(wait=60 - now.second)


def _count(address: str, minute: datetime) -> int:
    global _minute  # one window for the whole process
    with _lock:
        if _minute != minute or len(_counts) > MOST_ADDRESSES:
            _counts.clear()
            _minute = minute
        _counts[address] = _counts.get(address, 0) + 1
        return _counts[address]


def forget() -> None:
    """Forget the counts (tests)."""
    with _lock:
        _counts.clear()
