"""Every request of an IdP leaves its row, and what it leaves is right."""

import json

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from provisioning.log.buffer import LOG
from provisioning.models import LoggedRequest, User
from provisioning.operations import users

PATCH = {"Operations": [{"op": "replace", "path": "displayName", "value": "Luis P."}]}
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NOBODY = "018f0000-0000-7000-8000-000000000000"


def put(luis):
    return ("PUT", f"/Users/{luis}", {"userName": "luis@corp.example", "displayName": "L"})


def requests(luis):
    """Every verb on every endpoint: method, path, body, status, type, whose id, name."""
    user = f"/Users/{luis}"
    return [
        ("POST", "/Users", {"userName": "ana@x"}, 201, "User", True, "ana@x"),
        ("GET", user, None, 200, "User", True, "luis@corp.example"),
        ("GET", '/Users?filter=userName eq "nadie@x"', None, 200, "User", False, "nadie@x"),
        ("GET", '/Users?filter=externalId eq "none"', None, 200, "User", False, "none"),
        ("GET", "/Users", None, 200, "User", False, ""),
        ("PUT", *put(luis)[1:], 200, "User", True, "luis@corp.example"),
        ("PATCH", user, PATCH, 200, "User", True, "luis@corp.example"),
        ("POST", "/Users/.search", {"count": 9}, 200, "User", False, ""),
        ("POST", "/.search", {"count": 9}, 200, "", False, ""),
        ("POST", "/Groups", {"displayName": "Ventas"}, 201, "Group", True, "Ventas"),
        ("GET", "/Groups", None, 200, "Group", True, "Ventas"),
        ("GET", "/Schemas", None, 200, "", False, ""),
        ("GET", "/Me", None, 501, "", False, ""),
        ("GET", "/Usuarios", None, 404, "", False, ""),
        ("GET", f"/Users/{NOBODY}", None, 404, "User", True, ""),
        ("POST", "/Users", {"userName": "LUIS@corp.example"}, 409, "User", False,
         "LUIS@corp.example"),
        ("PATCH", user, {"Operations": []}, 400, "User", True, "luis@corp.example"),
        ("DELETE", user, None, 204, "User", True, "luis@corp.example"),
    ]  # fmt: skip


def test_every_verb_leaves_its_row(scim, entra, luis, rows):
    wanted = requests(luis)
    for method, path, body, status, *_ in wanted:
        response = scim.request(method, path, body, headers={"User-Agent": "Azure AD/1"})
        assert response.status_code == status, response.content
    found = rows()
    assert len(found) == len(wanted)
    for row, (method, path, _body, status, type, has_id, name) in zip(found, wanted, strict=True):
        assert (row.method, row.status, row.resource_type) == (method, status, type), path
        assert bool(row.resource_id) == has_id, path
        assert row.name == name, path
        assert row.is_refusal == (status >= 400)
        assert row.path.startswith(f"/scim/v2{path.partition('?')[0]}")
        assert (row.provider_id, row.provider_kind) == (entra.provider.pk, "entra-id")
        assert (row.token_id, row.token_hint) == (entra.token.pk, entra.secret[-4:])
        assert row.user_agent == "Azure AD/1"
        assert row.ip_address == "127.0.0.1"
        assert row.duration_us > 0
        assert len(row.request_id) == 32
        keeps = method in ("POST", "PUT", "PATCH", "DELETE") and ".search" not in path
        assert bool(row.request_body) == (keeps and method != "DELETE"), path
        assert bool(row.reply_body) == ((keeps and status != 204) or status >= 400), path


def test_a_listing_says_how_many_it_found(scim, luis, last):
    scim.get("/Users")
    row = last()
    assert row.results == 1
    assert str(row.resource_id) == luis, "of one found, the one"
    scim.get('/Users?filter=userName eq "x"')
    assert last().results == 0


def test_a_refusal_says_why(scim, luis, last):
    scim.patch(
        f"/Users/{luis}", {"Operations": [{"op": "replace", "path": "userName", "value": "x"}]}
    )
    row = last()
    assert (row.status, row.scim_type, row.reason) == (400, "mutability", "immutable")
    assert "userName cannot change" in row.detail
    assert json.loads(row.reply_body)["scimType"] == "mutability"
    assert row.name == "luis@corp.example", "looked up by its id"


def test_another_idp_s_name_is_told_apart(scim, okta, luis, last):
    scim.using(okta.secret).post("/Users", {"userName": "luis@corp.example"})
    assert last().reason == "user_name_held_elsewhere"
    scim.using(okta.secret).get(f"/Users/{luis}")
    row = last()
    assert (row.status, row.name) == (404, ""), "who is another IdP's is not named"


def test_what_is_not_kept_is_named(scim, luis, last):
    body = {"userName": "eva@x", "title": "Dra.", "nickName": "E", "favourite": 1}
    scim.post("/Users", body | {ENTERPRISE: {"employeeNumber": "7"}})
    assert set(last().ignored) == {
        "title", "nickName", "favourite", f"{ENTERPRISE}:employeeNumber",
    }  # fmt: skip
    operations = [
        {"op": "replace", "path": "title", "value": "x"},
        {"op": "replace", "path": "active", "value": False},
        {"op": "replace", "path": "userName", "value": f"{'0' * 32}luis@corp.example"},
    ]
    scim.patch(f"/Users/{luis}", {"Operations": operations})
    row = last()
    assert row.ignored == ["title"]
    assert [remark["remark"] for remark in row.remarks] == ["rename_ignored"]


def test_of_what_is_not_kept_as_many_names_are_held_as_somebody_reads(scim, last):
    scim.post("/Users", {"userName": "eva@x"} | {f"x{n}" * 100: n for n in range(5_000)})
    assert len(last().ignored) == 100
    assert {len(name) for name in last().ignored} <= set(range(257))


def test_a_bulk_is_a_row_and_one_for_each_operation(scim, luis, rows):
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "ana@x"}},
        {"method": "POST", "path": "/Users", "bulkId": "b",
         "data": {"userName": "luis@corp.example"}},
        {"method": "DELETE", "path": f"/Users/{luis}"},
        {"method": "GET", "path": "/Users"},
    ]  # fmt: skip
    scim.post("/Bulk", {"Operations": operations})
    whole, *parts = rows()
    assert (whole.path, whole.status, whole.results) == ("/scim/v2/Bulk", 200, 4)
    assert whole.request_body == "", "each operation keeps its own"
    assert [part.status for part in parts] == [201, 409, 204, 400]
    assert {part.part_of for part in parts} == {whole.pk}
    assert {part.request_id for part in parts} == {whole.request_id}
    assert [part.name for part in parts][:3] == ["ana@x", "luis@corp.example", "luis@corp.example"]
    assert json.loads(parts[0].request_body) == {"userName": "ana@x"}
    assert parts[1].scim_type == "uniqueness"
    assert parts[0].path.endswith("/scim/v2/Users")


@pytest.mark.parametrize("secret", [None, "alta_scim_wrong"])
def test_without_a_valid_token_nothing_is_logged(scim, rows, secret):
    """Anybody could fill the table; the audit trail counts these by address and minute."""
    assert scim.using(secret).get("/Users").status_code == 401
    assert rows() == []


def test_a_fault_of_ours_is_logged_as_500(scim, last, monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(users, "create", fail)
    assert scim.post("/Users", {"userName": "ana@x"}).status_code == 500
    row = last()
    assert (row.status, row.is_refusal, row.name) == (500, True, "ana@x")


def test_a_database_that_is_away_is_logged_when_it_is_back(scim, rows, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as patched:
        patched.setattr(users, "create", away)
        assert scim.post("/Users", {"userName": "ana@x"}).status_code == 503
    assert rows()[-1].status == 503


@pytest.mark.parametrize(
    ("mode", "statuses"),
    [("all", [200, 201, 409, 404]), ("changes", [201, 409, 404]), ("errors", [409, 404]),
     ("off", [])],
)  # fmt: skip
def test_the_setting_chooses_what_is_kept(scim, rows, settings, mode, statuses):
    settings.PROVISIONING_LOG = mode
    scim.get("/Users")
    scim.post("/Users", {"userName": "ana@x"})
    scim.post("/Users", {"userName": "ana@x"})
    scim.get(f"/Users/{NOBODY}")
    assert [row.status for row in rows()] == statuses


def test_reads_are_sampled_and_say_so(scim, rows, settings, monkeypatch):
    settings.PROVISIONING_LOG_READS = 0.25
    lots = iter([0.1, 0.9, 0.3, 0.24])
    monkeypatch.setattr("random.random", lambda: next(lots))
    for _ in range(4):
        scim.get("/Users")
    scim.get(f"/Users/{NOBODY}")
    scim.post("/Users", {"userName": "ana@x"})
    assert [(row.status, row.is_sample) for row in rows()] == [
        (200, True), (200, True), (404, False), (201, False),
    ]  # fmt: skip


def test_no_request_pays_for_the_log_with_a_query(scim, settings):
    counted = {}
    scim.post("/Users", {"userName": "first@x"})  # the worker learns the schema
    for mode in ("off", "all"):
        settings.PROVISIONING_LOG = mode
        with CaptureQueriesContext(connection) as queries:
            scim.post("/Users", {"userName": f"{mode}@x"})
            scim.get("/Users")
        counted[mode] = len(queries)
    assert counted["all"] == counted["off"]


def test_a_log_that_fails_fails_no_request(scim, monkeypatch):
    def fail(*args, **kwargs):
        raise DatabaseError("disk full")

    monkeypatch.setattr("provisioning.log.capture.Entry", fail)
    assert scim.post("/Users", {"userName": "ana@x"}).status_code == 201
    assert User.objects.filter(user_name="ana@x").exists()
    assert LOG.lost == 1


def test_ids_grow_with_time(scim, rows):
    for n in range(5):
        scim.post("/Users", {"userName": f"u{n}@x"})
    names = [row.name for row in rows()]
    assert names == [f"u{n}@x" for n in range(5)]
    assert LoggedRequest.objects.first().name == "u4@x"
