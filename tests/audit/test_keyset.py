"""Pages by key: stable under inserts, and no cursor that a browser sends can break them."""

from datetime import UTC, datetime, timedelta

import pytest

from audit import keyset
from audit.models import Event

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORDER = keyset.ByTime("performed_at")


def paged(cursor="", size=3, **more):
    return keyset.page(Event.objects.all(), ORDER, cursor, size, **more)


def labels(page):
    return [event.target_label for event in page.rows]


@pytest.fixture
def ten(happened):
    return [happened(NOON + timedelta(minutes=n), label=f"event{n}") for n in range(10)]


def all_older(**more):
    found, page = [], paged(**more)
    while True:
        found.append(labels(page))
        if not page.older:
            return found
        page = paged(page.older, **more)


@pytest.mark.parametrize("are_few", [False, True])
def test_older_pages_show_every_row_once_in_order(ten, are_few):
    shown = [label for page in all_older(are_few=are_few) for label in page]
    assert shown == [f"event{n}" for n in reversed(range(10))]


def test_the_first_page_has_nothing_newer_and_the_last_nothing_older(ten):
    first = paged()
    assert first.newer == ""
    last = paged(paged(paged(first.older).older).older)
    assert labels(last) == ["event0"]
    assert last.older == ""


def test_newer_leads_back_to_the_same_rows(ten):
    second = paged(paged().older)
    third = paged(second.older)
    assert labels(paged(third.newer)) == labels(second)


def test_newer_near_the_top_shows_the_full_first_page(ten):
    assert labels(paged(paged(size=2).older, size=2)) == ["event7", "event6"]
    second = paged(paged(size=2).older, size=2)
    assert labels(paged(second.newer, size=5)) == labels(paged(size=5))


def test_rows_inserted_meanwhile_move_nothing(ten, happened):
    first = paged()
    before = labels(paged(first.older))
    for n in range(5):
        happened(NOON + timedelta(hours=1, minutes=n), label=f"new{n}")
    assert labels(paged(first.older)) == before


def test_rows_of_one_moment_are_told_apart_by_their_number(happened):
    for n in range(7):
        happened(NOON, label=f"twin{n}")
    assert [label for page in all_older() for label in page] == [
        f"twin{n}" for n in reversed(range(7))
    ]


def test_moments_written_by_the_database_page_as_well(ana, entra):
    """SQLite writes three decimals where Python writes six: the same moment, another text."""
    shown = [label for page in all_older(size=1) for label in page]
    assert len(shown) == Event.objects.count() >= 1
    assert len({event.pk for event in Event.objects.all()}) == len(shown)


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "¡", "bzE", "b25v", "bjE3LjE4LjE5", "bzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5LjE",
        "bzEuOTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ", "b*E", "o" * 5000, "../../etc", "bzEuLTE", "bwAuMQ",
        "' OR 1=1 --", "bzEuMQ==\x00",
    ],
)  # fmt: skip
def test_a_forged_cursor_shows_the_first_page(ten, cursor):
    assert labels(paged(cursor)) == ["event9", "event8", "event7"]


def test_a_cursor_past_the_end_shows_the_first_page(ten):
    end = keyset.cursor_of(ORDER, ten[0], older=True)
    assert labels(paged(end)) == ["event9", "event8", "event7"]


def test_pages_by_id_follow_creation(db, okta, entra):
    from provisioning.models import Provider

    order = keyset.ById()
    rows = Provider.objects.all()
    newest = keyset.page(rows, order, size=3)
    rest = keyset.page(rows, order, newest.older, size=100)
    ids = [row.pk for row in (*newest.rows, *rest.rows)]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == rows.count()
