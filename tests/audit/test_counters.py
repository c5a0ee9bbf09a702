"""Hourly counters: whole hours, once each, whatever runs twice."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from audit import counters, journal
from audit.actors import SYSTEM
from audit.models import HourlyCount
from audit.types import EventType
from provisioning.models import Provider

pytestmark = pytest.mark.django_db


def happen(times: int) -> None:
    for _ in range(times):
        with transaction.atomic():
            journal.record(
                EventType.PROVIDER_UPDATED,
                actor=SYSTEM,
                target=Provider.objects.first(),
                provider=Provider.objects.first().for_audit(),
            )


def test_an_hour_is_counted_once_it_is_over_and_only_once():
    happen(3)
    now = timezone.now()
    assert counters.count_hours(now) == 0
    for later in (1, 1, 3):
        counters.count_hours(now + timedelta(hours=later))
    count = HourlyCount.objects.get()
    assert (count.type, count.provider_kind, count.count) == ("provider.updated", "entra-id", 3)
    assert count.hour == now.replace(minute=0, second=0, microsecond=0)


def test_a_late_commit_is_counted_by_the_next_run():
    happen(1)
    later = timezone.now() + timedelta(hours=1)
    counters.count_hours(later)
    happen(1)
    counters.count_hours(later)
    assert HourlyCount.objects.get().count == 2


def test_nothing_is_counted_in_an_empty_trail():
    assert counters.count_hours() == 0
