"""Taking jobs that are due and doing them: any number of workers, on any number of machines."""

import random
import re
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models.functions import Now

from audit.jobs import registry
from audit.jobs.leases import LeaseLost, RunningJob
from audit.jobs.registry import Handler
from audit.models import Job
from audit.operations import jobs as operations

BACK_OFF_S = 10  # after the first failure; each next one doubles it
MOST_BACK_OFF_S = 3_600
MOST_ERROR = 500
ENDED = "The worker ended while it did this job."

log = structlog.get_logger("alta.jobs")


def run_due(queue: str, most: int = 100, seconds: float | None = None) -> int:
    """Do up to `most` due jobs of a queue, for about `seconds`; return how many were taken.

    Without a job that is due this reads one index and writes nothing.
    """
    end = None if seconds is None else time.monotonic() + seconds
    for done in range(most):
        if end is not None and time.monotonic() >= end:
            return done
        job = claim(queue)
        if job is None:
            return done
        run(job)
    return most


def claim(queue: str) -> RunningJob | None:
    """Take the job of a queue that has been due for longest; None when there is none.

    The attempt is counted here: a job that kills its worker comes to its end too.
    """
    due = Job.objects.unfinished().filter(queue=queue, due_at__lte=Now())
    due = due.order_by("due_at", "id")
    if not due.exists():
        return None
    # SQLite knows no SKIP LOCKED: there a transaction begins with the one writer's lock.
    with transaction.atomic():
        job = due.select_for_update(skip_locked=True).first()
        if job is None:
            return None
        lease_s = registry.lease_of(job.kind)
        job.error = ENDED if job.state == Job.State.RUNNING else job.error
        job.state = Job.State.RUNNING
        job.attempts += 1
        Job.objects.filter(pk=job.pk).update(
            state=job.state,
            attempts=job.attempts,
            error=job.error,
            started_at=Now(),
            due_at=Now() + timedelta(seconds=lease_s),
        )
    return RunningJob(job, lease_s)


def run(job: RunningJob) -> None:
    """Do one job and write how it ended."""
    try:
        handler = registry.handler_of(job.row.kind)
        if job.attempts > handler.most_attempts:
            _end(job, job.row.error, is_last=True)
            return
        _do(job, handler)
    except LeaseLost:
        log.warning("job was taken by another worker", job=job.id, kind=job.row.kind)
    except registry.Later as later:
        _put_back(job, later.wait_s, attempts=job.attempts - 1)
    except (registry.UnknownKind, registry.GiveUp) as error:
        _end(job, told(error), is_last=True)
    except Exception as error:
        log.exception("job failed", job=job.id, kind=job.row.kind, attempt=job.attempts)
        _end(job, told(error), is_last=job.attempts >= handler.most_attempts)


def _do(job: RunningJob, handler: Handler) -> None:
    done = {"state": Job.State.DONE, "finished_at": Now(), "error": ""}
    if handler.transactional:
        with transaction.atomic():
            # First the mark: it locks the row, so that nobody else can take the job meanwhile.
            job.change(**done)
            handler.function(job.row.payload, job)
    else:
        handler.function(job.row.payload, job)
        job.change(**done)


def _end(job: RunningJob, error: str, *, is_last: bool) -> None:
    """Put a job that failed back for later, or make it a dead letter."""
    if not is_last:
        _put_back(job, back_off_s(job.attempts), error=error)
        return
    with suppress(LeaseLost):
        operations.bury(job.row, error)


def _put_back(job: RunningJob, wait_s: float, **columns: Any) -> None:
    with suppress(LeaseLost):
        due_at = Now() + timedelta(seconds=wait_s)
        job.change(state=Job.State.WAITING, due_at=due_at, **columns)


def back_off_s(attempts: int) -> float:
    """Return how long to wait after so many attempts: doubling, bounded, never all at once."""
    wait = min(MOST_BACK_OFF_S, BACK_OFF_S * (1 << min(attempts, 20) - 1))
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 — spreads load, guards nothing


SECRETS = re.compile(r"(?<=://)[^/@\s]+(?=@)|alta_scim_\w+|(?<=Bearer )\S+")


def told(error: BaseException) -> str:
    """Return an error as one bounded line without what may be secret."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return SECRETS.sub("…", text)[:MOST_ERROR]
