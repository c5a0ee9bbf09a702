"""Each filter that an index serves is served by it; no plan reads the whole trail."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from audit import grouping, queries
from audit.conditions import parse
from audit.models import Event
from audit.queries import Filters
from audit.search import searchable
from tests.provisioning.test_plans import plan

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
# How the index by time alone is called in a partition, and the one by entity.
BY_TIME_ALONE = r"(?:using|on) audit_event_(?:other|\d{4}_\d\d(?:_new)?)_(?:event_time|perform)"
BY_ENTITY = r"event_target_time|_target_kind_target_id_"
ORDERED = ["-performed_at", "-pk"]
# The newest first, until a page is full: what most rows match is met soon.
WALKED = [
    [], ["activity.is.user.created"], ["idp.is.okta"], ["idp.empty"], ["category.is.user"],
    ["status.is.success"], ["by.not.ana"], ["type.is.user"], ["address.empty"],
    ["details.contains.x"], ["program.contains.x"],
]  # fmt: skip
# Few rows, found by the index of words, of types or of numbers.
FOUND = [
    ["name.contains.jose"], ["name.begins.jos"], ["name.is.José"], ["by.contains.ana"],
    ["by.is.ana"], ["address.is.10.1.2.3"], ["address.in.10.0.0.0/8"], ["request.is.r1"],
    ["activity.is.user.created"], ["category.is.token"], ["number.is.7"],
    ["name.contains.jose", "details.contains.x"], ["by.is.ana", "status.is.failure"],
]  # fmt: skip


@pytest.fixture
def trail(happened):
    """Enough events for a planner."""
    Event.objects.bulk_create(
        Event(
            performed_at=NOON - timedelta(minutes=n),
            type=("user.updated", "user.created")[n % 2],
            category="user",
            outcome="success",
            actor_kind="administrator",
            actor_id="1",
            actor_label="ana",
            target_kind="user",
            target_id=f"{n % 300}",
            target_label=f"user{n}",
            provider_kind="okta",
            search=searchable([f"user{n}", "ana", "okta"]),
        )
        for n in range(2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def scans(found):
    """Return the partitions, or the table, that a plan reads from end to end without an order."""
    if connection.vendor == "postgresql":
        return re.findall(r"Seq Scan on (\w+)", found)
    return re.findall(r"^(?:\d+ )*SCAN audit_event(?! USING)(?: |$)", found, re.MULTILINE)


def asked(texts):
    return Filters(conditions=tuple(parse(text) for text in texts))


@pytest.mark.parametrize("texts", WALKED, ids=lambda texts: " ".join(texts) or "none")
def test_the_newest_page_walks_an_index(trail, texts):
    rows = queries.matching(asked(texts)).order_by(*ORDERED)
    assert not scans(plan(rows[:51]))


@pytest.mark.parametrize("texts", FOUND, ids=" ".join)
def test_few_rows_are_found_by_an_index(trail, texts):
    if connection.vendor != "postgresql" and texts[0].partition(".")[0] not in (
        "activity",
        "category",
        "number",
    ):
        return  # SQLite has no index of words: it walks, bounded in time
    rows = queries.matching(asked(texts)).order_by().values("pk")
    found = plan(rows[:10_001])
    assert not scans(found)
    if connection.vendor == "postgresql":
        assert not re.search(BY_TIME_ALONE, found), found


def test_a_newer_event_of_an_entity_is_looked_for_in_the_index_of_entities(trail):
    keys = [(event.performed_at, event.pk) for event in Event.objects.all()[:50]]
    found = plan(grouping.not_passed(Filters(), keys))
    assert not scans(found)
    assert re.search(BY_ENTITY, found), found


def test_what_a_group_counts_is_looked_for_in_the_index_of_entities(trail):
    found = plan(grouping.counted(Filters(), list(Event.objects.all()[:50])))
    assert not scans(found)
    assert re.search(BY_ENTITY, found), found


def test_the_events_beside_one_are_looked_for_in_the_index_of_entities(trail):
    event = Event.objects.all()[1000]
    for older in (True, False):
        assert re.search(BY_ENTITY, plan(queries.of_the_same(event, older=older)[:1]))
