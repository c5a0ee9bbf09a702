"""Background work: thin calls of operations. The database says what is due, a message only when.

Each task may run twice or late without harm.
"""

from celery import shared_task

from provisioning import statistics
from provisioning.operations import access, alerts, requests, tokens, users


@shared_task
def expire_tokens() -> tuple[int, int]:
    """Record the tokens that ended and keep the notices that are due."""
    return tokens.expire(), tokens.notify()


@shared_task
def sweep() -> int:
    """Delete what has had its time."""
    return tokens.sweep()


@shared_task
def record_authentication_failures() -> int:
    """Turn each past minute's refused requests of an address into one event."""
    return access.record_failures()


@shared_task
def forget_requests() -> int:
    """Delete what the provisioning log need not hold any longer."""
    return requests.forget()


@shared_task
def refresh_statistics() -> bool:
    """Tell SQLite's planner how large its tables have become."""
    return statistics.refresh()


@shared_task
def look_for_alerts() -> tuple[int, int]:
    """Raise what is new and end what is over."""
    return alerts.look()


@shared_task
def erase_deleted() -> int:
    """Erase the users that were deleted long ago, when the setting says so."""
    return users.erase_old()
