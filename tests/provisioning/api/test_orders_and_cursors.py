"""Sorting, paging by cursor, and `.search`."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.actors import SYSTEM
from provisioning.models import User
from provisioning.operations import attributes, tokens

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"


@pytest.fixture
def people(entra):
    """b, a without anything, C, É: made in this order."""
    attributes.add("edad", "integer", actor=SYSTEM)
    rows = [
        ("b", "Beta", "x", 10),
        ("a", None, None, None),
        ("C", "alfa", "Z", 9),
        ("d", "Éva", "y", -1),
    ]
    for name, display, mail, age in rows:
        more = {}
        if display:
            more["displayName"] = display
            more[ENTERPRISE] = {"department": f"dep {display}"}
            more["emails"] = [
                {"value": f"0{mail}@corp.local", "type": "home"},
                {"value": f"{mail}@corp.local", "type": "work", "primary": True},
            ]
            more[CUSTOM] = {"edad": age}
        entra.user(name, **more)


def names(idp, **asked):
    response = idp.get(f"/Users?{urlencode(asked)}")
    assert response.status_code == 200, response.content
    return "".join(user["userName"] for user in response.json()["Resources"])


@pytest.mark.parametrize(
    ("by", "ascending"),
    [
        ("userName", "abCd"), ("USERNAME", "abCd"), ("displayName", "Cbda"),
        ("emails", "bdCa"), ("emails.value", "bdCa"), (f"{ENTERPRISE}:department", "Cbda"),
        (f"{CUSTOM}:edad", "dCba"), ("meta.created", "baCd"), ("id", "baCd"),
        ("meta.lastModified", "baCd"),
    ],
)  # fmt: skip
def test_missing_values_come_last_and_first_when_descending(entra, people, by, ascending):
    assert names(entra, sortBy=by) == ascending
    assert names(entra, sortBy=by, sortOrder="descending") == ascending[::-1]


@pytest.mark.parametrize("by", ["name", "nothing", "title", "groups", "emails.primary", CUSTOM])
def test_what_cannot_be_sorted_by_is_refused(entra, by):
    response = entra.get(f"/Users?sortBy={by}")
    assert (response.status_code, response.json()["scimType"]) == (400, "invalidPath")


def test_a_wrong_direction_is_refused(entra):
    assert entra.get("/Users?sortBy=userName&sortOrder=up").status_code == 400


def test_sort_order_alone_changes_nothing(entra, people):
    assert names(entra, sortOrder="descending") == "baCd"


def test_pages_by_index_keep_the_order(entra, people):
    pages = [names(entra, sortBy="displayName", startIndex=n, count=1) for n in (1, 2, 3, 4, 5)]
    assert pages == ["C", "b", "d", "a", ""]


def follow(idp, key="nextCursor", cursor="", **asked):
    """Follow cursors to the end; return the names of each page and the last cursors seen."""
    pages = []
    while cursor is not None:
        response = idp.get(f"/Users?{urlencode(asked | {'cursor': cursor})}")
        assert response.status_code == 200, response.content
        body = response.json()
        assert "startIndex" not in body
        pages.append("".join(user["userName"] for user in body["Resources"]))
        cursor, last = body.get(key), body
    return pages, last


@pytest.mark.parametrize("order", [{}, {"sortBy": "displayName"}, {"sortBy": "emails"}])
@pytest.mark.parametrize("direction", ["ascending", "descending"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_cursors_lead_through_all_pages_and_back(entra, people, order, direction, count):
    asked = order | {"sortOrder": direction, "count": count}
    whole = names(entra, **order, sortOrder=direction)
    pages, last = follow(entra, **asked)
    assert "".join(pages) == whole
    assert last["totalResults"] == 4
    if count < 4:
        back, _ = follow(entra, "previousCursor", last["previousCursor"], **asked)
        assert "".join(reversed(back)) == whole[: len(whole) - len(pages[-1])]


def test_a_cursor_holds_while_users_come_and_go(entra, people):
    first = entra.get("/Users?cursor=&count=2").json()
    entra.delete(f"/Users/{first['Resources'][0]['id']}")
    entra.user("z")
    rest = entra.get(f"/Users?count=2&cursor={first['nextCursor']}").json()
    assert [user["userName"] for user in rest["Resources"]] == ["C", "d"]


def test_a_cursor_is_made_of_unreserved_characters(entra, people):
    cursor = entra.get("/Users?cursor=&count=1&sortBy=displayName").json()["nextCursor"]
    assert all(c.isascii() and (c.isalnum() or c in "-._~") for c in cursor)


@pytest.mark.parametrize(
    ("change", "scim_type"),
    [
        ({"filter": 'userName eq "a"'}, "invalidCursor"), ({"sortBy": "userName"}, "invalidCursor"),
        ({"count": 2}, "invalidCount"), ({"count": 0}, "invalidCount"),
        ({"count": "x"}, "invalidCount"),
        ({"cursor": "forged"}, "invalidCursor"), ({"cursor": "x" * 20_000}, "invalidCursor"),
    ],
)  # fmt: skip
def test_a_cursor_is_bound_to_its_query(entra, people, change, scim_type):
    cursor = entra.get("/Users?cursor=&count=1").json()["nextCursor"]
    asked = {"cursor": cursor, "count": 1} | change
    response = entra.get(f"/Users?{urlencode(asked)}")
    assert (response.status_code, response.json()["scimType"]) == (400, scim_type)


def test_a_cursor_is_bound_to_its_idp_and_type(entra, okta, people):
    cursor = entra.get("/Users?cursor=&count=1").json()["nextCursor"]
    for response in (
        okta.get(f"/Users?count=1&cursor={cursor}"),
        entra.get(f"/Groups?count=1&cursor={cursor}"),
    ):
        assert response.json()["scimType"] == "invalidCursor"


def test_an_old_cursor_has_expired(entra, people):
    cursor = entra.get("/Users?cursor=&count=1").json()["nextCursor"]
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        response = entra.get(f"/Users?count=1&cursor={cursor}")
    assert (response.status_code, response.json()["scimType"]) == (400, "expiredCursor")


def test_a_page_is_asked_by_index_or_by_cursor(entra):
    assert entra.get("/Users?cursor=&startIndex=1").status_code == 400


def test_search_takes_its_parameters_from_the_body(entra, people):
    response = entra.post(
        "/Users/.search",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "attributes": ["displayName", "userName"],
            "filter": 'emails.value ew "@corp.local"',
            "sortBy": "displayName",
            "startIndex": 2,
            "count": 1,
        },
    )
    body = response.json()
    assert (body["totalResults"], body["itemsPerPage"], body["startIndex"]) == (3, 1, 2)
    (found,) = body["Resources"]
    assert found["userName"] == "b"
    assert "emails" not in found


def test_search_follows_cursors_too(entra, people):
    first = entra.post("/Users/.search", {"cursor": "", "count": 3}).json()
    rest = entra.post("/Users/.search", {"cursor": first["nextCursor"], "count": 3}).json()
    assert [user["userName"] for user in rest["Resources"]] == ["d"]


@pytest.mark.parametrize("body", [[], {"count": "1"}, {"filter": 1}, {"attributes": [1]}])
def test_a_search_with_wrong_types_is_refused(entra, body):
    assert entra.post("/Users/.search", body).status_code == 400


def test_the_root_is_searched_for_users_and_groups(entra, people):
    entra.group("Ventas")
    found = entra.post("/.search", {"filter": "displayName pr", "count": 3}).json()
    assert (found["totalResults"], found["itemsPerPage"]) == (4, 3)
    rest = entra.post("/.search", {"filter": "displayName pr", "startIndex": 4}).json()
    assert [row["meta"]["resourceType"] for row in rest["Resources"]] == ["Group"]
    only = entra.get('/?filter=meta.resourceType eq "Group"').json()
    assert only["totalResults"] == 1


def test_an_attribute_of_one_type_is_absent_from_the_other(entra, people):
    entra.group("Ventas")
    found = entra.post("/.search", {"filter": 'userName eq "a"'}).json()
    assert found["totalResults"] == 1
    refused = entra.post("/.search", {"filter": 'nothing eq "a"'})
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidFilter")


def test_an_exact_attribute_sorts_by_case_and_another_does_not(entra):
    for name in ("b", "A", "a", "B"):
        entra.user(f"{name}-{name.isupper()}@corp.local", externalId=name, displayName=name)

    def sorted_by(by):
        found = entra.get(f"/Users?sortBy={by}").json()["Resources"]
        return "".join(user[by] for user in found)

    assert sorted_by("externalId") == "ABab"
    assert sorted_by("displayName") == "AabB"


def test_a_part_of_a_complex_attribute_sorts(entra):
    for name in ("b", "a"):
        entra.user(f"{name}@corp.local", name={"familyName": name})
    assert names(entra, sortBy="name.familyName") == "a@corp.localb@corp.local"
    assert names(entra, sortBy="name.familyName", sortOrder="DESCENDING").startswith("b")


def test_without_a_method_pages_go_by_index(entra, people):
    for body in (entra.get("/Users").json(), entra.get("/Users?count=1").json()):
        assert body["startIndex"] == 1
        assert {"nextCursor", "previousCursor"}.isdisjoint(body)


def test_an_empty_cursor_needs_no_equals_sign_and_no_count(entra, people):
    assert entra.get("/Users?cursor&count=1").json()["nextCursor"]
    whole = entra.get("/Users?cursor").json()
    assert (whole["itemsPerPage"], "nextCursor" in whole) == (4, False)


@pytest.mark.unreconciled
def test_a_page_by_cursor_is_no_larger_than_the_largest(entra):
    made = [User(provider=entra.provider, user_name=f"n{n}", user_name_key=f"n{n}")
            for n in range(501)]  # fmt: skip
    User.objects.bulk_create(made)
    pages = [entra.get("/Users?cursor=&count=9999").json()]
    pages.append(entra.get(f"/Users?count=9999&cursor={pages[0]['nextCursor']}").json())
    assert [page["itemsPerPage"] for page in pages] == [500, 1]
    assert {page["totalResults"] for page in pages} == {501}


def test_a_cursor_lets_nobody_in_and_betrays_nothing(entra, okta, people):
    cursor = entra.get("/Users?cursor=&count=1").json()["nextCursor"]
    another, forged = (okta.get(f"/Users?count=1&cursor={text}") for text in (cursor, "forged"))
    assert another.content == forged.content
    tokens.deactivate(entra.token.pk, actor=SYSTEM)
    assert entra.get(f"/Users?count=1&cursor={cursor}").status_code == 401


def test_a_cursor_keeps_nothing_on_the_server(entra, people):
    cursor = entra.get("/Users?cursor=&count=1").json()["nextCursor"]
    with CaptureQueriesContext(connection) as queries:
        entra.get("/Users?cursor=&count=1")
        entra.get(f"/Users?count=1&cursor={cursor}")
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


def test_a_root_is_paged_by_index_only(entra, people):
    for response in (entra.get("/?cursor="), entra.post("/.search", {"cursor": ""})):
        assert (response.status_code, response.json()["scimType"]) == (400, "invalidCursor")
        assert "/Users" in response.json()["detail"]


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("by", ["meta.created", "meta.lastModified"])
def test_cursors_by_a_time_meet_each_row_once_whatever_its_decimals(entra, by, order):
    """SQLite's clock writes three decimals of a second, Python six."""
    people = [entra.user(f"u{n}@x") for n in range(7)]
    for user in people[::2]:
        path = f"/Users/{user['id']}"
        entra.patch(path, {"op": "add", "path": "displayName", "value": "x"})
    seen, query = [], {"cursor": "", "count": 2, "sortBy": by, "sortOrder": order}
    for _ in range(4):
        page = entra.get(f"/Users?{urlencode(query)}").json()
        seen += [user["id"] for user in page["Resources"]]
        query["cursor"] = page.get("nextCursor", "")
    assert sorted(seen) == sorted(user["id"] for user in people)
    assert "nextCursor" not in page
    back = entra.get(f"/Users?{urlencode(query | {'cursor': page['previousCursor']})}").json()
    assert [user["id"] for user in back["Resources"]] == seen[4:6]
