"""Delete what the portal keeps for a time only: ended sessions, old failed sign-ins."""

from datetime import timedelta

from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.utils import timezone

ATTEMPTS_KEPT = timedelta(days=1)  # far longer than any lock-out lasts


def sweep() -> int:
    """Delete the sessions that ended and the sign-ins that no lock-out counts; return how many.

    Not a change that anybody made, so no event: the sign-ins themselves are in the trail.
    """
    sessions, _ = Session.objects.filter(expire_date__lt=Now()).delete()
    old = timezone.now() - ATTEMPTS_KEPT
    attempts, _ = AccessAttempt.objects.filter(attempt_time__lt=old).delete()
    return int(sessions + attempts)
