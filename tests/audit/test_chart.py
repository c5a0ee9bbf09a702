"""The chart counts what the table holds, in the viewer's days."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from audit import chart, counters
from audit.forms import FilterForm
from audit.models import HourlyCount
from audit.queries import Filters

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def counts(drawn):
    return {bar.start: bar.count for bar in drawn.bars if bar.count}


def test_without_dates_it_shows_the_last_thirty_days(happened):
    happened(NOW)
    happened(NOW - timedelta(days=29))
    happened(NOW - timedelta(days=30))
    drawn = chart.draw(Filters())
    assert len(drawn.bars) == 30
    assert counts(drawn) == {date(2026, 10, 22): 1, date(2026, 11, 20): 1}
    assert (drawn.total, drawn.highest.count) == (2, 1)


def test_counted_hours_and_hours_not_yet_counted_add_up(happened):
    for hours in range(100):
        happened(NOW - timedelta(hours=hours))
    counters.count_hours(NOW)
    happened(NOW)
    happened(NOW - timedelta(minutes=31))  # committed after its hour was counted
    assert chart.draw(Filters()).total == 102


def test_the_counters_are_read_instead_of_the_events(happened):
    HourlyCount.objects.create(hour=NOW - timedelta(days=3), type="user.created", count=40_000)
    HourlyCount.objects.create(hour=NOW - timedelta(hours=2), type="user.created", count=7)
    assert chart.draw(Filters()).total == 40_000  # the last counted hour is counted again


def test_activity_and_idp_are_counted_apart(happened):
    happened(NOW - timedelta(hours=5), type="user.created", provider_kind="okta")
    happened(NOW - timedelta(hours=5), type="user.updated", provider_kind="okta")
    happened(NOW, type="user.created", provider_kind="entra-id")
    counters.count_hours(NOW)
    assert chart.draw(Filters(type="user.created")).total == 2
    assert chart.draw(Filters(provider="okta")).total == 2
    assert chart.draw(Filters(provider="okta", type="user.created")).total == 1


def test_a_search_is_counted_one_by_one(happened):
    happened(NOW, label="luis")
    happened(NOW, label="marta")
    assert chart.draw(Filters(text="marta")).total == 1


def test_a_search_that_finds_too_much_has_no_chart(happened, monkeypatch):
    monkeypatch.setattr(chart, "MOST_COUNTED", 1)
    happened(NOW, label="luis")
    happened(NOW, label="luisa")
    assert chart.draw(Filters(text="luis")) is None


def test_hours_belong_to_the_viewers_days(happened):
    happened(datetime(2026, 11, 19, 23, 30, tzinfo=UTC))
    counters.count_hours(NOW)
    assert counts(chart.draw(Filters())) == {date(2026, 11, 19): 1}
    with timezone.override(zoneinfo.ZoneInfo("Europe/Madrid")):
        assert counts(chart.draw(Filters())) == {date(2026, 11, 20): 1}


def test_a_long_range_is_drawn_by_month_and_never_longer_than_a_year(happened):
    happened(NOW - timedelta(days=200))
    form = FilterForm({"since": "2020-01-01"})
    drawn = chart.draw(form.filters())
    assert drawn.unit == "month"
    assert len(drawn.bars) == 13
    assert counts(drawn) == {date(2026, 5, 1): 1}


def test_days_after_today_are_not_drawn(happened):
    drawn = chart.draw(FilterForm({"since": "2026-11-18", "until": "2030-01-01"}).filters())
    assert [bar.start.day for bar in drawn.bars] == [18, 19, 20]


def test_one_day_is_drawn_by_the_hour(happened):
    happened(NOW - timedelta(hours=2))
    counters.count_hours(NOW)
    happened(NOW)
    drawn = chart.draw(FilterForm({"period": "today"}).filters())
    assert (drawn.unit, len(drawn.bars), drawn.total) == ("hour", 24, 2)
    assert {bar.label: bar.count for bar in drawn.bars if bar.count} == {"10:00": 1, "12:00": 1}
    assert drawn.days == "20 nov 2026"


def test_the_last_24_hours_are_drawn_by_the_hour_in_the_viewers_time(happened):
    happened(NOW - timedelta(hours=24))
    happened(NOW)
    with timezone.override(zoneinfo.ZoneInfo("Asia/Kolkata")):  # UTC+5:30
        drawn = chart.draw(FilterForm({"period": "24h"}).filters())
    assert (drawn.unit, len(drawn.bars), drawn.total) == ("hour", 25, 2)
    assert [(bar.label, bar.count) for bar in (drawn.bars[0], drawn.bars[-1])] == [
        ("17:30", 1),
        ("17:30", 1),
    ]


def test_a_day_on_which_the_clock_is_put_back_has_25_hours(happened):
    with timezone.override(zoneinfo.ZoneInfo("Europe/Madrid")):
        asked = FilterForm({"since": "2026-10-25", "until": "2026-10-25"})
        assert len(chart.draw(asked.filters()).bars) == 25


def test_a_range_in_the_future_is_one_empty_day(db):
    drawn = chart.draw(FilterForm({"since": "2027-01-01"}).filters())
    assert (len(drawn.bars), drawn.total) == (24, 0)
