"""The made rows are such as the operations write, and a trail of them can be sealed."""

from collections import Counter
from datetime import UTC, datetime

import orjson
import pytest
from django.db import connection

from audit.evidence import keys, sealing
from audit.evidence.verification import verify
from audit.models import PROVIDER_ALIASES, Event
from audit.search import searchable
from audit.types import BY_KEY
from bench.load import company, copying, directory, trail
from bench.load.calendar import Calendar
from bench.load.events import COLUMNS, Plan, Trail
from provisioning.models import IndexedValue, Provider, User
from provisioning.models.attributes import CUSTOM_SCHEMA

UNTIL = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
PLAN = Plan(events=4_000, until=UNTIL, months=3, users=50, groups=5, first_id=100, transactions=8)


@pytest.fixture(scope="module")
def rows():
    made = Trail(PLAN)
    return [
        dict(zip(COLUMNS, row, strict=True))
        for month in made.calendar.months
        for row in made.rows(month)
    ]


def test_a_trail_has_as_many_events_as_asked_in_order_of_id_time_and_transaction(rows):
    assert [row["id"] for row in rows] == list(range(100, 4_100))
    for column in ("performed_at", "transaction_id"):
        values = [row[column] for row in rows]
        assert values == sorted(values), column
    assert rows[0]["performed_at"] >= "2026-01-01"
    assert rows[-1]["performed_at"] < "2026-03-10 12:30"


def test_the_same_seed_makes_the_same_rows_month_by_month(rows):
    again = Trail(PLAN)
    march = [dict(zip(COLUMNS, row, strict=True)) for row in again.rows(again.calendar.months[2])]
    assert march == [row for row in rows if row["performed_at"] >= "2026-03"]


def test_every_row_is_found_by_the_words_that_the_journal_would_have_kept(rows):
    for row in rows:
        texts = (
            row["target_label"],
            row["actor_label"],
            row["provider_label"],
            PROVIDER_ALIASES.get(row["provider_kind"], ""),
            row["ip_address"] or "",
            row["request_id"],
        )
        assert set(row["search"].split()) == set(searchable(texts).split()), row


def test_types_are_registered_and_each_user_is_created_once_before_anything_else(rows):
    assert len({row["type"] for row in rows}) > 12
    seen = Counter()
    for row in rows:
        type = BY_KEY[row["type"]]
        assert row["category"] == type.category.key
        assert isinstance(orjson.loads(row["changes"]), dict)
        assert isinstance(orjson.loads(row["details"]), dict)
        if row["target_kind"] in ("user", "group"):
            if row["type"].endswith(".created"):
                assert not seen[row["target_id"]]
            seen[row["target_id"]] += 1
    created = [row for row in rows if row["type"] == "user.created"]
    assert 45 <= len(created) <= 50


def test_there_is_more_on_working_days_than_at_weekends_and_nothing_is_lost():
    calendar = Calendar(1_000_000, 24, UNTIL)
    by_day = Counter()
    for month in calendar.months:
        hours = list(calendar.hours(month))
        assert sum(hour.end - hour.first for hour in hours) == calendar.share(month)
        for hour in hours:
            by_day[hour.start.weekday()] += hour.end - hour.first
    assert by_day.total() == 1_000_000
    assert by_day[0] > 5 * by_day[6]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ((1, None, "a"), "1\t\\N\ta\n"),
        (("a\tb", "c\\d", "e\nf", None), "a\\tb\tc\\\\d\te\\nf\t\\N\n"),
        (("\\N", True), "\\\\N\tTrue\n"),
    ],
)
def test_a_row_is_written_as_copy_reads_it(row, text):
    assert copying.line(row) == text


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_loaded_events_are_sealed_and_verified_as_any_others():
    told = []
    trail.load(PLAN, told.append)
    assert told[-1] == Event.objects.count() == PLAN.events
    assert sealing.seal_all()
    report = verify(trusted=keys.configured())
    assert not report.findings
    assert report.last.total == PLAN.events
    with pytest.raises(trail.CannotLoad):
        trail.load(PLAN, told.append)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_made_users_are_as_the_operations_make_them(scim, entra):
    provider = Provider.objects.get(key="entra-id")
    directory.load_users(provider, 0, 30, lambda count: None)
    group = directory.load_group(provider, 0, 20, lambda count: None)
    wanted = company.resource(company.person(7))
    found = scim.get(f'/scim/v2/Users?filter=userName eq "{wanted["userName"].upper()}"').json()
    assert found["Resources"][0]["id"] == str(company.user_id(7))
    assert {key: found["Resources"][0][key] for key in wanted} == wanted
    by_site = f'{CUSTOM_SCHEMA}:site eq "{company.person(7).site}"'
    assert found["Resources"][0] in scim.get(f"/scim/v2/Users?filter={by_site}").json()["Resources"]
    assert len(scim.get(f"/scim/v2/Groups/{group}").json()["members"]) == 20
    assert User.objects.filter(search__has_words="empresa example").count() == 30
    assert IndexedValue.objects.count() == 90
    assert connection.vendor == "postgresql"
