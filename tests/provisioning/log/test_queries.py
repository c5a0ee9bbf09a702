"""What the page asks: filters, pages both ways, an index for each at a hundred thousand rows."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import Event
from provisioning.log import queries
from provisioning.log.queries import Filters
from provisioning.models import LoggedRequest, Provider
from provisioning.models.fields import key_of
from provisioning.models.requests import first_id_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RESOURCE = UUID(int=77)


def row(n, **given):
    """A request, n seconds before NOW."""
    at = NOW - timedelta(seconds=n)
    name = given.get("name", f"u{n % 1000}@x")
    columns = {
        "id": UUID(int=first_id_of(at).int + n % 1000), "at": at, "provider_id": UUID(int=n % 5),
        "provider_kind": "okta", "token_id": UUID(int=2), "token_hint": "abcd", "method": "GET",
        "path": "/scim/v2/Users", "status": 200, "duration_us": 900, "request_id": f"r{n}",
        "name": name, "name_key": key_of(name),
    }  # fmt: skip
    columns |= given
    columns["is_refusal"] = columns["status"] >= 400
    return LoggedRequest(**columns)


@pytest.fixture
def provider(db):
    return Provider.objects.get(kind="okta")


@pytest.fixture
def few(provider):
    """A row for each filter to find."""
    rows = [
        row(0, name="luis@x"), row(1, name="Luisa@x", method="POST", status=201),
        row(2, status=409, scim_type="uniqueness", method="POST"), row(3, status=404),
        row(4, status=503), row(5, status=304), row(6, provider_id=provider.pk, method="DELETE"),
        row(7, resource_id=RESOURCE), row(8, part_of=UUID(int=first_id_of(NOW).int)),
        row(100_000, name="old@x"),
    ]  # fmt: skip
    LoggedRequest.objects.bulk_create(rows)
    return rows


def found(**asked):
    return [int((NOW - each.at).total_seconds()) for each in queries.page(Filters(**asked)).rows]


@pytest.mark.django_db
def test_each_filter_finds_its_rows(few, provider):
    assert found() == [*range(9), 100_000]
    assert found(text="LUIS") == [0, 1], "by its beginning, without case"
    assert found(text="r3") == [3]
    assert found(text=str(RESOURCE)) == [7]
    assert found(text=str(few[4].pk)) == [4]
    assert found(text="uis") == []
    assert found(provider=provider.pk) == [6]
    assert found(method="DELETE") == [6]
    assert found(status="409") == [2]
    assert found(status="4xx") == [2, 3]
    assert found(status="5xx") == [4]
    assert found(status="304") == [5]
    assert 2 not in found(status="2xx")
    assert found(scim_type="uniqueness") == [2]
    assert found(errors=True) == [2, 3, 4]
    assert found(errors=True, method="POST") == [2]
    assert found(resource=RESOURCE) == [7]
    assert found(part_of=few[0].pk) == [0, 8], "the bulk request and its operations"
    assert found(until=NOW - timedelta(hours=1)) == [100_000]
    assert found(since=NOW - timedelta(seconds=1)) == [0, 1]


@pytest.mark.django_db
def test_pages_go_both_ways_and_stand_still(provider):
    LoggedRequest.objects.bulk_create([row(n) for n in range(25)])
    first = queries.page(Filters(), size=10)
    second = queries.page(Filters(), first.older, size=10)
    LoggedRequest.objects.bulk_create([row(-1), row(-2)])
    third = queries.page(Filters(), second.older, size=10)
    numbers = [each.request_id for page in (first, second, third) for each in page.rows]
    assert numbers == [f"r{n}" for n in range(25)]
    back = queries.page(Filters(), third.newer, size=10)
    assert [each.pk for each in back.rows] == [each.pk for each in second.rows]
    for forged in ("x", "b" * 200, "bzEyMw"):
        assert queries.page(Filters(), forged, size=10).rows[0].request_id == "r-2"


@pytest.mark.django_db
def test_counts_and_news(provider, few):
    assert queries.count(Filters()) == queries.Count(10, is_capped=False)
    assert queries.count(Filters(), most=5) == queries.Count(5, is_capped=True)
    assert queries.news(Filters(), few[3].pk) == 3
    assert queries.news(Filters(errors=True), few[3].pk) == 1


@pytest.mark.django_db
def test_an_export_reads_in_chunks_and_stops_at_its_limit(provider, monkeypatch):
    monkeypatch.setattr(queries, "CHUNK", 4)
    LoggedRequest.objects.bulk_create([row(n) for n in range(11)])
    assert [each.request_id for each in queries.all_of(Filters(), 100)] == [
        f"r{n}" for n in range(11)
    ]
    assert len(list(queries.all_of(Filters(), 6))) == 6


def test_the_first_id_of_a_moment_is_before_all_its_ids():
    moment = timezone.now()
    assert first_id_of(moment).version == 7
    assert first_id_of(moment) < first_id_of(moment + timedelta(milliseconds=1))
    made = LoggedRequest().pk
    assert first_id_of(moment - timedelta(seconds=1)) < made
    assert made < first_id_of(timezone.now() + timedelta(seconds=1))


@pytest.mark.django_db
def test_the_events_of_a_request_are_its_own(scim, luis, last):
    same = {"X-Request-ID": "the-same-id"}
    operations = [{"op": "add", "value": {"displayName": "L."}}]
    scim.patch(f"/Users/{luis}", {"Operations": operations}, headers=same)
    request = last()
    scim.post("/Users", {"userName": "other@x"}, headers=same)
    (event,) = queries.events_of(request)
    assert event.changes == {"displayName": ["Luis", "L."]}
    assert event.target_id == luis
    assert Event.objects.filter(request_id="the-same-id").count() == 2


# A hundred thousand rows --------------------------------------------------------------------------


@pytest.fixture
def many(provider):
    """A log of a hundred thousand rows, of which one in fifty is a refusal."""
    batch = []
    for n in range(100_000):
        status = 200 if n % 50 else (404 if n % 150 else 409)
        batch.append(
            row(
                n,
                status=status,
                scim_type="uniqueness" if status == 409 else "",
                method="DELETE" if n % 500 == 7 else "POST" if n % 4 == 0 else "GET",
                resource_id=UUID(int=n % 3000) if n % 3 else None,
            )
        )
    LoggedRequest.objects.bulk_create(batch, batch_size=900)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE provisioning_loggedrequest")


SERVED = {
    "all": Filters(),
    "text": Filters(text="u77@"),
    "id": Filters(text=str(UUID(int=77))),
    "provider": Filters(provider=UUID(int=3)),
    "method": Filters(method="DELETE"),
    "class": Filters(status="4xx"),
    "status": Filters(status="409"),
    "scimType": Filters(scim_type="uniqueness"),
    "errors": Filters(errors=True),
    "resource": Filters(resource=UUID(int=77)),
    "dates": Filters(since=NOW - timedelta(hours=20), until=NOW - timedelta(hours=19)),
    "errors of a day": Filters(errors=True, until=NOW - timedelta(hours=10)),
}


def scans(plan):
    """Return the whole-table reads of a plan."""
    if connection.vendor == "postgresql":
        return re.findall(r"Seq Scan on (\w+)", plan)
    return [
        line
        for line in re.findall(r"^SCAN provisioning_loggedrequest.*$", plan, re.MULTILINE)
        if "USING" not in line
    ]


def test_an_index_serves_every_filter_at_a_hundred_thousand_rows(many):
    for name, filters in SERVED.items():
        rows = queries.matching(filters).order_by("-pk")[:51]
        plan = rows.explain()
        assert not scans(plan), f"{name}\n{plan}"
        with queries.within(1_000):
            assert list(rows), name
        deep = queries.page(filters, size=5)
        if deep.older:
            assert queries.page(filters, deep.older, size=5).rows
