"""How the background work stands: what a page asks, in few questions that indexes answer."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from audit.jobs.pulses import WORKER
from audit.jobs.registry import QUEUES
from audit.keyset import ByTime, Page, page
from audit.models import BEAT, Job, Pulse

SILENCE = timedelta(minutes=2)  # of the scheduler, which asks for something every two seconds
MOST = 1_000  # counted; more is «1.000+»
MOST_RUNNING = 50
PAGE = 25
STARTED = time.monotonic()


@dataclass(frozen=True, slots=True)
class Attention:
    """What an administrator must know on every page."""

    beat_at: datetime | None
    is_silent: bool
    has_failures: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: how much is due, how much for later, and since when the oldest waits."""

    name: str
    due: int
    later: int
    oldest: datetime | None
    workers: list[Pulse]

    @property
    def is_capped(self) -> bool:
        return self.due + self.later > MOST

    @property
    def worker_at(self) -> datetime | None:
        """When one of its workers was last heard of."""
        return max((pulse.at for pulse in self.workers), default=None)

    @property
    def is_deserted(self) -> bool:
        """Whether no worker was heard of for so long that none can be alive."""
        return self.worker_at is None or timezone.now() - self.worker_at > SILENCE


def attention() -> Attention:
    """Ask whether the scheduler is silent and whether a job has failed: one question."""
    failed = Job.objects.filter(state=Job.State.FAILED)
    beat = Pulse.objects.filter(name=BEAT).annotate(failed=Exists(failed))
    row = beat.values_list("at", "failed").first()
    if row is not None:
        at, has_failures = row
        return Attention(at, timezone.now() - at > SILENCE, has_failures)
    never = time.monotonic() - STARTED > SILENCE.total_seconds()
    return Attention(None, never, failed.exists())


def pulses() -> dict[str, Pulse]:
    """Return every sign of life by its name."""
    return {pulse.name: pulse for pulse in Pulse.objects.all()}


def queues(known: dict[str, Pulse]) -> list[Queue]:
    """Return each queue; one question a queue."""
    return [_queue(name, known) for name in QUEUES]


def _queue(name: str, known: dict[str, Pulse]) -> Queue:
    waiting = (
        Job.objects.unfinished()
        .filter(queue=name, state=Job.State.WAITING)
        .order_by("due_at", "id")
    )
    counts: dict[str, Any] = waiting[: MOST + 1].aggregate(
        due=Count("pk", filter=Q(due_at__lte=Now())),
        later=Count("pk", filter=Q(due_at__gt=Now())),
        oldest=Min("due_at", filter=Q(due_at__lte=Now())),
    )
    prefix = f"{WORKER}{name}@"
    workers = [pulse for key, pulse in known.items() if key.startswith(prefix)]
    return Queue(name, counts["due"], counts["later"], counts["oldest"], workers)


def running() -> list[Job]:
    """Return the jobs in the hands of workers, the oldest first."""
    jobs = Job.objects.unfinished().filter(queue__in=QUEUES, state=Job.State.RUNNING)
    return list(jobs.order_by("due_at", "id")[:MOST_RUNNING])


def failures(cursor: str) -> Page[Job]:
    """Return a page of dead letters, the newest first."""
    failed = Job.objects.filter(state=Job.State.FAILED)
    return page(failed, ByTime("finished_at"), cursor, PAGE)


def failure_count() -> int:
    """Return how many dead letters there are, or one more than are counted."""
    return Job.objects.filter(state=Job.State.FAILED)[: MOST + 1].count()
