"""What the filters of the trail find, and what they cost."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from audit import queries
from audit.queries import Filters

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def found(**filters):
    return {event.target_label for event in queries.page(Filters(**filters)).rows}


@pytest.fixture
def trail(happened):
    happened(NOON, label="entra", type="token.created", details={"token": "alta_scim_…ab12"})
    happened(NOON, label="renewed", type="token.renewed", provider_kind="okta")
    happened(NOON + timedelta(days=1), label="José", type="user.created", provider_kind="okta")
    happened(NOON, label="hers", type="session.started", provider_kind="", actor_id="7")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({}, {"entra", "renewed", "José", "hers"}, id="nothing asked: everything"),
        pytest.param({"text": "Azure"}, {"entra"}, id="Azure finds Entra ID's events"),
        pytest.param({"text": "azure directory"}, {"entra"}, id="every word counts"),
        pytest.param({"text": "jose"}, {"José"}, id="accents do not matter"),
        pytest.param({"text": "renovado"}, {"renewed"}, id="the activity in Spanish"),
        pytest.param({"text": "renewed okta"}, {"renewed"}, id="the activity in English, and IdP"),
        pytest.param({"text": "token"}, {"entra", "renewed"}, id="a word of several activities"),
        pytest.param({"text": "renovado azure"}, set(), id="one word fits, the other does not"),
        pytest.param({"text": "%"}, set(), id="a wildcard is only a character"),
        pytest.param({"text": "' \\ :* | & !"}, set(), id="operators are only characters"),
        pytest.param({"type": "user.created"}, {"José"}, id="an activity"),
        pytest.param({"provider": "okta"}, {"renewed", "José"}, id="an IdP"),
        pytest.param({"provider": "okta", "type": "token.renewed"}, {"renewed"}, id="both"),
        pytest.param({"actor": "7"}, {"hers"}, id="who performed it"),
        pytest.param({"since": NOON + timedelta(hours=1)}, {"José"}, id="from a moment"),
        pytest.param({"until": NOON}, set(), id="the end is not included"),
        pytest.param(
            {"until": NOON + timedelta(microseconds=1)}, {"entra", "renewed", "hers"}, id="up to it"
        ),
    ],
)
def test_filters_find(trail, filters, expected):
    assert found(**filters) == expected


def test_a_target_is_found_by_its_id(trail, happened):
    happened(NOON, label="his", target_id="42")
    assert found(target="42") == {"his"}


def test_the_count_stops_at_its_limit(trail):
    assert queries.count(Filters()) == queries.Count(4, is_capped=False)
    assert queries.count(Filters(), most=3) == queries.Count(3, is_capped=True)


def test_nothing_is_read_when_nothing_was_counted(trail, selects):
    with selects(0):
        page = queries.page(Filters(text="nobody"), counted=queries.Count(0, is_capped=False))
    assert page.rows == []


def test_few_matches_are_found_before_they_are_sorted(trail):
    few = queries.page(Filters(text="token"), counted=queries.Count(2, is_capped=False))
    assert {event.target_label for event in few.rows} == {"entra", "renewed"}


def test_the_search_text_stays_in_the_database(trail):
    assert "search" in queries.page(Filters()).rows[0].get_deferred_fields()


@pytest.mark.postgresql
def test_the_key_is_served_by_the_index_and_skips_the_months_after(trail):
    rows = queries.matching(Filters())
    condition = queries.ORDER.beyond(rows, f"{int(NOON.timestamp()) * 1_000_000}.5", older=True)
    plan = rows.filter(condition).order_by("-performed_at", "-id")[:51].explain()
    assert "audit_event_2026_11" in plan
    assert "audit_event_2026_12" not in plan


def test_another_failure_of_the_database_is_not_called_slow(db, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(queries.keyset, "page", fail)
    with pytest.raises(OperationalError):
        queries.page(Filters())
