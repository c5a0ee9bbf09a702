"""Background work of the trail: hourly counters, partitions made ahead, seals, verification."""

from celery import shared_task
from django.db import connection

from audit import counters, partitions
from audit.evidence import sealing
from audit.operations import verification


@shared_task
def count_hours() -> int:
    """Count the events of the hours that ended."""
    return counters.count_hours()


@shared_task
def make_partitions() -> int:
    """Make the coming months' partitions."""
    return partitions.make(connection)


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
