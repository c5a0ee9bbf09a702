"""Signs of life: of the scheduler, of each worker, of each scheduled task. One row a name.

Celery's signals tell them; a row is written at most every half minute, and at once when the outcome
changes. That a sign could not be written stops nothing.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from celery import signals
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from audit import patience
from audit.jobs.running import told
from audit.models import BEAT, Pulse

EVERY_S = 30
WAIT_MS = 250  # for other writers
WORKER = "worker:"
TASK = "task:"

log = structlog.get_logger("alta.jobs")
_written: dict[str, tuple[float, bool]] = {}
_begun: dict[str, float] = {}
_is_beat = False


def note(name: str, *, duration_s: float | None = None, error: str = "") -> None:
    """Write that a name gave a sign of life, unless it did a moment ago with the same outcome."""
    now, succeeded = time.monotonic(), not error
    last = _written.get(name)
    if last and now - last[0] < EVERY_S and last[1] == succeeded:
        return
    pulse = Pulse(
        name=name[:200],
        at=Now() - timedelta(seconds=duration_s or 0),
        duration_ms=None if duration_s is None else round(duration_s * 1_000),
        succeeded=succeeded,
        error=error,
    )
    try:
        with patience.soon(WAIT_MS):
            Pulse.objects.bulk_create(
                [pulse],
                update_conflicts=True,
                unique_fields=["name"],
                update_fields=["at", "duration_ms", "succeeded", "error"],
            )
    except DatabaseError as failure:
        log.warning("a sign of life was not written", name=name, error=type(failure).__name__)
        if not connection.in_atomic_block:
            with suppress(DatabaseError):
                connection.close_if_unusable_or_obsolete()
        return
    _written[name] = (now, succeeded)


def task_name(task: str, arguments: Sequence[Any] = ()) -> str:
    """Return under which name a task is kept: with its arguments, since each queue has one."""
    return f"{TASK}{task}({', '.join(map(str, arguments))})"


def forget() -> None:
    """Forget what this process wrote, so that the next sign is written."""
    _written.clear()


@signals.beat_init.connect
def _note_that_this_is_beat(**kwargs: Any) -> None:
    global _is_beat
    _is_beat = True


@signals.before_task_publish.connect
def _note_beat(**kwargs: Any) -> None:
    if _is_beat:
        note(BEAT)


@signals.task_prerun.connect
def _note_start(task_id: str, **kwargs: Any) -> None:
    _begun[task_id] = time.monotonic()


@signals.task_postrun.connect
def _note_end(task_id: str, task: Any, args: Any, retval: Any, **kwargs: Any) -> None:
    duration = time.monotonic() - _begun.pop(task_id, time.monotonic())
    error = told(retval) if isinstance(retval, BaseException) else ""
    note(task_name(task.name, args or ()), duration_s=duration, error=error)
    if hostname := getattr(task.request, "hostname", None):
        note(f"{WORKER}{hostname}")
