"""The grouped view: one row an entity, whatever the filters and however long the walk."""

from datetime import UTC, datetime, timedelta

import pytest

from audit import grouping, queries
from audit.conditions import parse
from audit.queries import Filters

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def trail(happened):
    """Ten entities, each with three events: the newest of entity 0 is the newest of all."""
    for n in range(10):
        for again in range(3):
            happened(NOON - timedelta(minutes=n, hours=again), label=f"user{n}", target_id=f"{n}",
                     type=("user.updated", "user.updated", "user.created")[again])  # fmt: skip


@pytest.fixture(params=["walked", "counted"])
def counted(request):
    """Both ways to a page: by walking the index, and by reading the few that match."""
    return lambda filters: queries.count(filters) if request.param == "counted" else None


def labels(page):
    return [event.target_label for event in page.rows]


def test_each_entity_has_one_row_the_newest_first(trail, counted):
    page = grouping.page(Filters(), counted=counted(Filters()))
    assert labels(page) == [f"user{n}" for n in range(10)]
    assert (page.newer, page.older) == ("", "")
    assert {event.performed_at.hour for event in page.rows} == {12, 11}


@pytest.mark.parametrize("chunk", [1, 2, 250])
def test_pages_go_both_ways_and_show_nobody_twice(trail, counted, chunk, monkeypatch):
    monkeypatch.setattr(grouping, "FIRST_CHUNK", chunk)
    few = counted(Filters())
    first = grouping.page(Filters(), size=4, counted=few)
    second = grouping.page(Filters(), first.older, size=4, counted=few)
    third = grouping.page(Filters(), second.older, size=4, counted=few)
    assert [len(page.rows) for page in (first, second, third)] == [4, 4, 2]
    assert labels(first) + labels(second) + labels(third) == [f"user{n}" for n in range(10)]
    assert third.older == ""
    assert labels(grouping.page(Filters(), third.newer, size=4, counted=few)) == labels(second)
    assert labels(grouping.page(Filters(), second.newer, size=4, counted=few)) == labels(first)


def test_a_row_shows_the_newest_event_that_matches(trail, counted):
    filters = Filters(conditions=(parse("activity.is.user.created"),))
    page = grouping.page(filters, counted=counted(filters))
    assert len(page.rows) == 10
    assert {event.type for event in page.rows} == {"user.created"}
    assert {group.number for group in grouping.groups(filters, page.rows)} == {1}


def test_a_row_counts_its_events_up_to_a_limit_and_knows_the_first(trail, monkeypatch):
    page = grouping.page(Filters(), size=1)
    [group] = grouping.groups(Filters(), page.rows)
    assert (group.number, group.is_capped) == (3, False)
    assert group.first_at == NOON - timedelta(hours=2)
    monkeypatch.setattr(grouping, "MOST_EVENTS", 2)
    [group] = grouping.groups(Filters(), page.rows)
    assert (group.number, group.is_capped) == (2, True)


def test_a_walk_that_meets_nothing_new_stops_and_is_taken_up_by_the_next_page(
    trail, happened, monkeypatch
):
    for n in range(20):
        happened(NOON + timedelta(minutes=n), label="hot", target_id="hot")
    monkeypatch.setattr(grouping, "FIRST_CHUNK", 2)
    monkeypatch.setattr(grouping, "LONGEST_WALK_S", -1)
    page = grouping.page(Filters(), size=4)
    assert labels(page) == ["hot"]
    seen = []
    for _ in range(40):
        if not page.older:
            break
        page = grouping.page(Filters(), page.older, size=4)
        seen += labels(page)
    assert seen == [f"user{n}" for n in range(10)]


@pytest.mark.parametrize("cursor", ["x", "%00", "bjk5OTk5OTk5OTk5OTk5OTk5OTk5OS4x"])
def test_a_cursor_that_leads_nowhere_shows_the_first_page(trail, counted, cursor):
    assert len(grouping.page(Filters(), cursor, counted=counted(Filters())).rows) == 10


def test_times_as_the_database_writes_them_are_found_again(entra, okta):
    rows = grouping.page(Filters()).rows
    assert len(list(grouping.groups(Filters(), rows))) == len(rows) > 0
