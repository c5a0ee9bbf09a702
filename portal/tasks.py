"""Background work of the portal: thin calls of operations."""

from celery import shared_task

from portal.operations import alerts, expiry, mail, notices  # noqa: F401 — they register their jobs


@shared_task
def sweep() -> int:
    """Delete what has had its time."""
    return expiry.sweep()
