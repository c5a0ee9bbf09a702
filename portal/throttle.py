"""How often a sign-in may fail. django-axes counts by name and address; this adds what it lacks.

When to try again; a limit for an address that tries many names; and one for a name that many
addresses try. The last would let anybody lock out an administrator, so it does not hold for a
browser in which that name has signed in before: a signed cookie says so.
"""

import math

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from audit.actors import Origin

MOST_NAMES_OF_AN_ADDRESS = 30
MOST_FAILURES_OF_A_NAME = 30
KNOWN_COOKIE = "alta_known"
KNOWN_S = 180 * 24 * 3600


def is_locked(request: HttpRequest) -> bool:
    """Return whether django-axes refused this request's sign-in, and keep its plain page away."""
    locked = bool(getattr(request, "axes_locked_out", False))
    request.axes_locked_out = False  # type: ignore[attr-defined]
    return locked


def tries_many_names(origin: Origin) -> bool:
    """Return whether an address failed with so many names that it must wait."""
    since = timezone.now() - get_cool_off()
    tried = AccessAttempt.objects.filter(ip_address=origin.network, attempt_time__gte=since)
    return bool(tried.count() >= MOST_NAMES_OF_AN_ADDRESS)


def is_tried_by_many(request: HttpRequest, name: str) -> bool:
    """Return whether so many sign-ins failed with a name that a strange browser must wait."""
    since = timezone.now() - get_cool_off()
    tried = AccessAttempt.objects.filter(username=name, attempt_time__gte=since)
    failed = tried.aggregate(failed=Sum("failures_since_start"))["failed"] or 0
    if failed < MOST_FAILURES_OF_A_NAME:
        return False
    known = request.get_signed_cookie(KNOWN_COOKIE, "", salt=KNOWN_COOKIE, max_age=KNOWN_S)
    return known != name


def remember(response: HttpResponse, name: str) -> None:
    """Let a browser keep that a name has signed in with it."""
    response.set_signed_cookie(
        KNOWN_COOKIE,
        name,
        salt=KNOWN_COOKIE,
        max_age=KNOWN_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def minutes_to_wait(name: str, origin: Origin) -> int:
    """Return in how many minutes the next sign-in is looked at."""
    attempts = AccessAttempt.objects.filter(ip_address=origin.network)
    last = attempts.filter(username=name).aggregate(at=Max("attempt_time"))["at"]
    last = last or attempts.aggregate(at=Max("attempt_time"))["at"] or timezone.now()
    left = last + get_cool_off() - timezone.now()
    return max(1, math.ceil(float(left.total_seconds()) / 60))
