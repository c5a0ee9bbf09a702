"""Background work of the portal: thin calls of operations."""

from celery import shared_task

from portal.operations import expiry, notices


@shared_task
def mail_notices() -> int:
    """Mail what nobody was mailed yet."""
    return notices.mail_due()


@shared_task
def sweep() -> int:
    """Delete what has had its time."""
    return expiry.sweep()
