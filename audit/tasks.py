"""Background work of the trail, and the task that does everybody's jobs."""

from celery import shared_task
from django.db import connection

from audit import counters, partitions
from audit.evidence import sealing
from audit.exports import making
from audit.jobs import pulses, running, wakeup  # noqa: F401 — pulses listens to Celery
from audit.operations import jobs, retention, verification


@shared_task
def count_hours() -> int:
    """Count the events of the hours that ended."""
    return counters.count_hours()


@shared_task
def make_partitions() -> int:
    """Make the coming months' partitions."""
    return partitions.make(connection)


@shared_task
def trim() -> int:
    """Remove the months of the trail that are older than what is kept."""
    return retention.trim_due()


@shared_task
def seal() -> int:
    """Seal what happened since the last seal; without anything new this writes nothing."""
    return sealing.seal_all()


@shared_task
def verify() -> bool:
    """Verify a bounded part of the trail; what is left has its turn after other work."""
    is_done = verification.verify_some()
    if not is_done:
        verify.delay()
    return is_done


@shared_task
def expire_exports() -> int:
    """Delete the files of exports whose days are over."""
    return making.expire()


@shared_task
def run_jobs(queue: str) -> int:
    """Do the jobs of a queue that are due, for a second: then other work has its turn."""
    done = running.run_due(queue, most=1_000, seconds=1)
    if done:
        wakeup.send(queue)
    return done


@shared_task
def forget_jobs() -> int:
    """Delete the jobs that were done long ago."""
    return jobs.sweep()
