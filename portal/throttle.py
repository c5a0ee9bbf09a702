"""How often a sign-in may fail. django-axes counts by name and address; this adds what it lacks:
when to try again, and a limit for an address that tries many names."""

import math

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone

from audit.actors import Origin

MOST_NAMES_OF_AN_ADDRESS = 30


def is_locked(request: HttpRequest) -> bool:
    """Return whether django-axes refused this request's sign-in, and keep its plain page away."""
    locked = bool(getattr(request, "axes_locked_out", False))
    request.axes_locked_out = False  # type: ignore[attr-defined]
    return locked


def tries_many_names(origin: Origin) -> bool:
    """Return whether an address failed with so many names that it must wait."""
    since = timezone.now() - get_cool_off()
    tried = AccessAttempt.objects.filter(ip_address=origin.ip_address, attempt_time__gte=since)
    return bool(tried.count() >= MOST_NAMES_OF_AN_ADDRESS)


def minutes_to_wait(name: str, origin: Origin) -> int:
    """Return in how many minutes the next sign-in is looked at."""
    attempts = AccessAttempt.objects.filter(ip_address=origin.ip_address)
    last = attempts.filter(username=name).aggregate(at=Max("attempt_time"))["at"]
    last = last or attempts.aggregate(at=Max("attempt_time"))["at"] or timezone.now()
    left = last + get_cool_off() - timezone.now()
    return max(1, math.ceil(float(left.total_seconds()) / 60))
