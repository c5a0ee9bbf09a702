"""What the portal keeps for a time only."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.utils import timezone

from portal.operations import expiry


@pytest.mark.django_db
def test_only_what_has_ended_is_deleted():
    now = timezone.now()
    for key, ends in (("old", now - timedelta(seconds=1)), ("live", now + timedelta(hours=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=ends)
    for name, age in (("old", timedelta(days=2)), ("new", timedelta(minutes=1))):
        attempt = AccessAttempt.objects.create(username=name, failures_since_start=1)
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=now - age)
    assert expiry.sweep() == 2
    assert Session.objects.get().session_key == "live"
    assert AccessAttempt.objects.get().username == "new"
