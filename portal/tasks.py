"""Background work of the portal: thin calls of operations."""

from celery import shared_task

from portal.operations import notices


@shared_task
def mail_notices() -> int:
    """Mail what nobody was mailed yet."""
    return notices.mail_due()
