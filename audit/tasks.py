"""Background work of the trail: hourly counters, partitions made ahead."""

from celery import shared_task
from django.db import connection

from audit import counters, partitions


@shared_task
def count_hours() -> int:
    """Count the events of the hours that ended."""
    return counters.count_hours()


@shared_task
def make_partitions() -> int:
    """Make the coming months' partitions."""
    return partitions.make(connection)
