"""Retention of the provisioning log, and the record of who takes a copy."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from provisioning.models import LoggedRequest, LostRequests
from provisioning.operations import requests
from provisioning.tasks import forget_requests
from tests.provisioning.log.test_queries import NOW, row

pytestmark = pytest.mark.django_db


def test_what_is_old_goes_in_batches_and_is_told_once(settings, monkeypatch):
    settings.PROVISIONING_LOG_DAYS = 7
    monkeypatch.setattr(requests, "AT_ONCE", 10)
    day = 86_400
    LoggedRequest.objects.bulk_create([row(8 * day + n) for n in range(35)])
    LoggedRequest.objects.bulk_create([row(6 * day + n) for n in range(5)])
    LostRequests.objects.create(hour=NOW - timedelta(days=8), count=3)
    LostRequests.objects.create(hour=NOW - timedelta(days=1), count=4)
    assert requests.forget(NOW) == 35
    assert LoggedRequest.objects.count() == 5
    assert LostRequests.objects.get().count == 4
    event = Event.objects.get(type="log.trimmed")
    assert event.details["rows"] == 35
    assert event.actor_kind == "system"


def test_nothing_old_is_no_event():
    LoggedRequest.objects.bulk_create([row(0, at=timezone.now())])
    LoggedRequest.objects.update(id=LoggedRequest().pk)
    assert forget_requests() == 0
    assert LoggedRequest.objects.count() == 1
    assert not Event.objects.filter(type="log.trimmed").exists()
