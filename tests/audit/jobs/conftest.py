"""Kinds of jobs that only tests know."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from audit.jobs import registry, wakeup

Register = Callable[..., Callable[[registry.Function], registry.Function]]


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that were told to wake, in place of a broker."""
    queues: list[str] = []
    monkeypatch.setattr(wakeup.WAKER, "tell", queues.append)
    return queues


@pytest.fixture
def handles(monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    """`registry.handles`, forgotten after the test."""
    monkeypatch.setattr(registry, "_HANDLERS", dict(registry._HANDLERS))
    return registry.handles


@pytest.fixture
def seen(handles: Register) -> list[dict[str, Any]]:
    """The payloads that jobs of the kind "test.see" have been done with."""
    payloads: list[dict[str, Any]] = []
    handles("test.see")(lambda payload, job: payloads.append(payload))
    return payloads
