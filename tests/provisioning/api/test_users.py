"""Users over HTTP: what each verb keeps, refuses, answers and records."""

import copy
import json
from datetime import datetime

import pytest
from django.db import IntegrityError, OperationalError

from audit import journal
from audit.actors import SYSTEM
from audit.models import Event
from provisioning.models import IndexedValue, User
from provisioning.operations import attributes, groups, users

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
TYPES = {
    "costCentre": "string", "badge": "integer", "rate": "decimal", "remote": "boolean",
    "since": "dateTime",
}  # fmt: skip
WORK = {"value": "luis@corp.local", "type": "work", "display": "Luis", "primary": True}
HOME = {"value": "luis@casa.local", "type": "home"}
FULL = {
    "externalId": "00u1",
    "userName": "luis@corp.local",
    "displayName": "Luis Ortega",
    "name": {"formatted": "Sr. Luis Ortega", "familyName": "Ortega", "givenName": "Luis"},
    "emails": [WORK, HOME],
    "active": True,
    ENTERPRISE: {"department": "Ventas"},
    CUSTOM: {
        "costCentre": "ES-1",
        "badge": 7,
        "rate": 2.5,
        "remote": False,
        "since": "2026-01-31T08:00:00Z",
    },
}
# Path, a new value: every attribute that an IdP may update.
UPDATES = [
    ("externalId", "00u2"),
    ("displayName", "Luis O."),
    ("name.formatted", "Luis O. O."),
    ("name.familyName", "Ortiz"),
    ("name.givenName", "Lucho"),
    ("emails", [HOME]),
    ("active", False),
    (f"{ENTERPRISE}:department", "Compras"),
    (f"{CUSTOM}:costCentre", "ES-2"),
    (f"{CUSTOM}:badge", -8),
    (f"{CUSTOM}:rate", 0.25),
    (f"{CUSTOM}:remote", True),
    (f"{CUSTOM}:since", "2026-02-01T00:00:00+02:00"),
]
CLEARABLE = [path for path, _ in UPDATES if path != "active"]


@pytest.fixture(autouse=True)
def _defined(db):
    for name, kind in TYPES.items():
        attributes.add(name, kind, actor=SYSTEM)


@pytest.fixture
def luis(entra):
    return entra.user(**user_name(FULL))


def user_name(body):
    return {"user_name" if key == "userName" else key: value for key, value in body.items()}


def keys_of(path):
    """Return the steps to an attribute inside a resource."""
    if path.startswith("urn:"):
        urn, _, name = path.rpartition(":")
        return [urn, name]
    return path.split(".")


def placed(body, path, value):
    """Return a copy of a body with an attribute set, or left out when the value is `...`."""
    body = copy.deepcopy(body)
    *way, last = keys_of(path)
    inner = body
    for key in way:
        inner = inner.setdefault(key, {})
    if value is ...:
        inner.pop(last, None)
    else:
        inner[last] = value
    return body


def at(path, resource):
    """Return the value of an attribute, or None."""
    for key in keys_of(path):
        resource = (resource or {}).get(key)
    return resource


def kept(resource):
    """Return the part of a resource that the IdP decides."""
    return {key: value for key, value in resource.items() if key in FULL}


def path_of(user):
    return f"/Users/{user['id']}"


# POST and GET -----------------------------------------------------------------------------------


def test_every_attribute_is_kept_as_it_was_sent(entra, luis):
    assert kept(luis) == FULL
    assert entra.get(path_of(luis)).json() == luis
    assert set(luis["schemas"]) == {
        "urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE, CUSTOM,
    }  # fmt: skip


def test_a_user_without_an_extension_does_not_name_its_schema(entra):
    assert entra.user()["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:User"]


def test_a_name_is_all_that_a_user_needs(entra):
    user = entra.user("x")
    assert set(user) == {"schemas", "id", "userName", "active", "meta"}
    assert user["active"] is True


def test_a_new_user_is_201_with_its_place_its_tag_and_nothing_to_cache(entra, settings):
    response = entra.post("/Users", FULL)
    user = response.json()
    place = f"{settings.PUBLIC_URL}/scim/v2/Users/{user['id']}"
    assert response.status_code == 201
    assert response["Location"] == user["meta"]["location"] == place
    assert response["Content-Location"] == place
    assert response["ETag"] == user["meta"]["version"] == 'W/"1"'
    assert response["Content-Type"] == "application/scim+json"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Request-ID"]
    assert user["meta"]["resourceType"] == "User"


def test_the_place_comes_from_the_configured_address_and_not_from_a_header(entra, settings):
    headers = {"Host": "localhost", "X-Forwarded-Host": "evil.example"}
    response = entra.request("POST", "/Users", {"userName": "x"}, **headers)
    assert response["Location"].startswith(settings.PUBLIC_URL)


def test_a_user_made_inactive_is_inactive(entra):
    assert entra.user(active=False)["active"] is False
    assert entra.user("y", active="False")["active"] is False


@pytest.mark.parametrize(
    ("top", "absent"),
    [
        (top, absent)
        for top, empty in (
            ("displayName", ...), ("externalId", ...), ("name", {}), ("emails", []),
            (ENTERPRISE, {}),
        )
        for absent in {repr(each): each for each in (None, "", ..., empty)}.values()
    ],
    ids=str,
)  # fmt: skip
def test_what_has_no_value_is_not_in_the_answer(entra, top, absent):
    body = {key: value for key, value in FULL.items() if key != top}
    response = entra.post("/Users", body if absent is ... else body | {top: absent})
    assert response.status_code == 201, response.content
    assert top not in response.json()


def test_a_name_is_shown_as_it_was_first_spelt(entra):
    assert entra.user("Luis@Corp.Local")["userName"] == "Luis@Corp.Local"


# PUT and PATCH ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "value"), UPDATES)
@pytest.mark.parametrize("way", ["PUT", "replace", "add", "no path", "nested", "upper case"])
def test_an_attribute_is_updated_in_every_way_with_one_event_of_before_and_after(
    entra, luis, path, value, way
):
    if way == "PUT":
        response = entra.put(path_of(luis), placed(FULL, path, value))
    elif way == "no path":
        response = entra.patch(path_of(luis), {"op": "replace", "value": {path: value}})
    elif way == "nested":
        operation = {"op": "replace", "value": placed({}, path, value)}
        response = entra.patch(path_of(luis), operation)
    elif way == "upper case":
        operation = {"op": "REPLACE", "path": path.upper(), "value": value}
        response = entra.patch(path_of(luis), operation)
    else:
        response = entra.patch(path_of(luis), {"op": way, "path": path, "value": value})
    after = placed(FULL, path, value)
    if path == "emails" and way == "add":
        after = FULL
    assert response.status_code == 200, response.content
    assert kept(response.json()) == kept(entra.get(path_of(luis)).json()) == after
    events = Event.objects.exclude(type__in=("user.created", "attribute.created", "token.created"))
    if after == FULL:
        assert not events
        assert response["ETag"] == 'W/"1"'
        return
    assert response["ETag"] == response.json()["meta"]["version"] == 'W/"2"'
    event = events.get()
    assert event.changes == {path: [at(path, FULL), value]}
    assert (event.target_id, event.provider_kind) == (luis["id"], "entra-id")
    assert event.type == ("user.deactivated" if path == "active" else "user.updated")
    assert event.actor_kind == "token"


@pytest.mark.parametrize("path", CLEARABLE)
@pytest.mark.parametrize("way", ["PUT without", "PUT null", 'PUT ""', "null", '""', "remove"])
def test_null_blank_and_remove_clear(entra, luis, path, way):
    empty = None if "null" in way else ""
    if way == "PUT without":
        response = entra.put(path_of(luis), placed(FULL, path, ...))
    elif way.startswith("PUT"):
        response = entra.put(path_of(luis), placed(FULL, path, empty))
    elif way == "remove":
        response = entra.patch(path_of(luis), {"op": "remove", "path": path})
    else:
        operation = {"op": "replace", "path": path, "value": empty}
        response = entra.patch(path_of(luis), operation)
    assert response.status_code == 200, response.content
    found = response.json()
    assert at(path, found) is None
    assert [each for each, _ in UPDATES if each != path and at(each, found) is None] == []
    assert Event.objects.first().changes == {path: [at(path, FULL), None]}


def test_a_user_whose_active_is_removed_is_no_longer_active(entra, luis):
    answered = entra.patch(path_of(luis), {"op": "remove", "path": "active"}).json()
    assert "active" not in answered
    assert User.objects.get().is_active is None
    assert Event.objects.first().type == "user.deactivated"
    for found, filter in enumerate(("active eq true", "not (active pr)")):
        assert len(entra.find(filter)) == found
    assert entra.find("active eq false") == []
    assert len(entra.find("active ne true")) == 1
    entra.put(path_of(luis), FULL | {"active": None})
    assert User.objects.get().is_active is None
    entra.patch(path_of(luis), {"op": "add", "path": "active", "value": True})
    assert len(entra.find("active eq true")) == 1


def test_put_clears_what_it_leaves_out_but_never_active(entra, luis):
    entra.patch(path_of(luis), {"op": "replace", "path": "active", "value": False})
    response = entra.put(path_of(luis), {"userName": FULL["userName"]})
    assert kept(response.json()) == {"userName": FULL["userName"], "active": False}
    assert not IndexedValue.objects.exists()


def test_a_put_of_what_was_read_changes_nothing(entra, luis):
    group = entra.group("Ventas", luis)
    read = entra.get(path_of(luis)).json()
    events = Event.objects.count()
    response = entra.put(path_of(luis), read)
    assert response.json() == read
    assert response.json()["groups"][0]["value"] == group["id"]
    assert Event.objects.count() == events


@pytest.mark.parametrize("way", ["PUT", "PATCH"])
def test_an_unchanged_request_writes_nothing_and_keeps_the_version(
    entra, luis, way, django_assert_num_queries
):
    entra.get("/Users")
    before = [User.objects.values().get(), Event.objects.count()]
    # token, savepoint or BEGIN, the user's lock, its release, groups
    with django_assert_num_queries(5):
        if way == "PUT":
            response = entra.put(path_of(luis), FULL)
        else:
            response = entra.patch(path_of(luis), {"op": "replace", "value": FULL})
    assert (response.status_code, response["ETag"]) == (200, 'W/"1"')
    assert [User.objects.values().get(), Event.objects.count()] == before


def test_a_change_moves_last_modified_and_nothing_else_of_meta(entra, luis):
    patch = {"op": "replace", "path": "displayName", "value": "x"}
    meta = entra.patch(path_of(luis), patch).json()["meta"]
    assert meta["created"] == luis["meta"]["created"]
    assert meta["location"] == luis["meta"]["location"]
    moments = [
        datetime.fromisoformat(each["meta"]["lastModified"]) for each in (luis, {"meta": meta})
    ]
    assert moments[0] < moments[1]


def test_a_failed_second_operation_undoes_the_first(entra, luis):
    before = User.objects.values().get()
    response = entra.patch(
        path_of(luis),
        {"op": "replace", "path": "displayName", "value": "x"},
        {"op": "replace", "path": "emails[primary eq false].value", "value": 3},
    )
    assert (response.status_code, response.json()["scimType"]) == (400, "invalidValue")
    assert User.objects.values().get() == before


def test_filters_follow_every_change_of_an_email_or_a_custom_value(entra, luis):
    entra.patch(path_of(luis), {"op": "replace", "path": f"{CUSTOM}:badge", "value": 70})
    entra.patch(path_of(luis), {"op": "replace", "path": "emails", "value": [HOME]})
    assert entra.find(f"{CUSTOM}:badge eq 7") == []
    assert entra.find('emails.value eq "luis@corp.local"') == []
    assert len(entra.find(f'{CUSTOM}:badge eq 70 and emails[type eq "home"]')) == 1


# userName ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["PUT", "PATCH"])
@pytest.mark.parametrize("also", [{}, {"displayName": "x"}, {"active": True}], ids=str)
def test_another_name_is_refused_and_the_whole_request_changes_nothing(entra, luis, way, also):
    before = User.objects.values().get()
    wanted = {"userName": "otra@corp.local"} | also
    if way == "PUT":
        response = entra.put(path_of(luis), FULL | wanted)
    else:
        response = entra.patch(path_of(luis), {"op": "replace", "value": wanted})
    assert (response.status_code, response.json()["scimType"]) == (400, "mutability")
    assert User.objects.values().get() == before


@pytest.mark.parametrize("same", ["LUIS@CORP.LOCAL", "luis@corp.local", "ｌuis@corp.local"])
def test_the_same_name_in_any_spelling_is_accepted_and_the_first_stays(entra, luis, same):
    response = entra.put(path_of(luis), FULL | {"userName": same})
    assert (response.status_code, response.json()["userName"]) == (200, "luis@corp.local")
    assert response["ETag"] == 'W/"1"'


def test_a_put_that_also_disables_is_done_without_the_rename(entra, luis):
    response = entra.put(path_of(luis), FULL | {"userName": "otra@corp.local", "active": False})
    assert response.status_code == 200
    assert (response.json()["userName"], response.json()["active"]) == ("luis@corp.local", False)


@pytest.mark.parametrize("empty", [None, "", "   ", ...])
@pytest.mark.parametrize("way", ["POST", "PUT", "PATCH"])
def test_a_user_never_is_without_a_name(entra, luis, way, empty):
    body = placed(FULL, "userName", empty)
    if way == "PATCH":
        operation = {"op": "remove", "path": "userName"}
        if empty is not ...:
            operation = {"op": "replace", "path": "userName", "value": empty}
        response = entra.patch(path_of(luis), operation)
    else:
        path = "/Users" if way == "POST" else path_of(luis)
        response = entra.request(way, path, body)
    assert response.status_code == 400
    assert response.json()["scimType"] in ("invalidValue", "mutability")
    assert User.objects.get().user_name == "luis@corp.local"


@pytest.mark.unreconciled
def test_where_renaming_is_allowed_the_new_name_is_everywhere(entra, luis):
    entra.provider.allow_rename = True
    entra.provider.save()
    nameless = entra.user("x@corp.local")
    group = entra.group("Ventas", nameless)
    rename = {"op": "replace", "path": "userName", "value": "Nuevo@corp.local"}
    assert entra.patch(path_of(nameless), rename).json()["userName"] == "Nuevo@corp.local"
    assert entra.find('userName eq "nuevo@corp.local"')[0]["id"] == nameless["id"]
    assert entra.find('userName eq "x@corp.local"') == []
    assert "display" not in entra.get(f"/Groups/{group['id']}").json()["members"][0]
    row = User.objects.get(pk=nameless["id"])
    assert "nuevo@corp.local" in row.search
    assert "x@corp.local" not in row.search
    assert Event.objects.filter(type="user.updated").get().changes == {
        "userName": ["x@corp.local", "Nuevo@corp.local"]
    }
    taken = entra.patch(path_of(nameless), rename | {"value": "LUIS@corp.local"})
    assert (taken.status_code, taken.json()["scimType"]) == (409, "uniqueness")
    assert entra.user("x@corp.local")


@pytest.mark.parametrize(
    ("first", "twin"),
    [
        ("luis@x", "LUIS@X"), ("josé@x", "JOSÉ@X"), ("josé@x", "jose\u0301@x"),
        ("luis@x", "ｌｕｉｓ＠ｘ"), ("ﬁn@x", "fin@x"), ("Ω@x", "ω@x"), ("K@x", "\u212a@x"),
        ("①@x", "1@x"), ("Å@x", "\u212b@x"), ("ΣΑΜ@x", "σαμ@x"),
    ],
)  # fmt: skip
def test_twins_of_a_name_are_409(entra, first, twin):
    entra.user(first)
    response = entra.post("/Users", {"userName": twin})
    assert (response.status_code, response.json()["scimType"]) == (409, "uniqueness")
    assert len(entra.find(f'userName eq "{twin}"')) == 1
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "other"),
    [("straße@x", "strasse@x"), ("ı@x", "i@x"), ("İ@x", "i@x"), ("n@x", "ñ@x"), ("a@x", "а@x")],
)
def test_other_letters_are_other_people(entra, first, other):
    assert entra.user(first)["id"] != entra.user(other)["id"]


# What is not kept -------------------------------------------------------------------------------

UNKEPT = {
    "title": "Dr.", "nickName": "L", "userType": "x", "preferredLanguage": "es", "locale": "es-ES",
    "timezone": "Europe/Madrid", "profileUrl": "https://x.example", "password": "Sésamo-9913",
    "phoneNumbers": [{"value": "1"}], "ims": [], "photos": None, "addresses": [{"type": "work"}],
    "entitlements": [], "roles": [], "x509Certificates": [{"value": "MII"}],
    "manager": {"value": "1"},
    f"{ENTERPRISE}:manager": {"value": "1"}, f"{ENTERPRISE}:employeeNumber": "7",
}  # fmt: skip
FORGED = {
    "is_staff": True, "is_superuser": True, "role": "administrator", "pk": 1, "id": "1",
    "meta": {"version": 'W/"99"', "created": "1970-01-01T00:00:00Z", "resourceType": "Root"},
    "groups": [{"value": "1", "display": "administrators"}], "provider_id": "1", "version": 99,
    "deleted_at": None, "user_name_key": "x", "_state": {}, "__class__": "x", "search": "x",
}  # fmt: skip


@pytest.mark.parametrize("name", UNKEPT)
@pytest.mark.parametrize("way", ["POST", "PUT", "PATCH", "PATCH path"])
def test_a_standard_attribute_that_is_not_kept_is_accepted_and_never_shown(
    entra, luis, name, way, caplog
):
    value = UNKEPT[name]
    if way == "POST":
        response = entra.post("/Users", {"userName": "y", name: value})
    elif way == "PUT":
        response = entra.put(path_of(luis), FULL | {name: value})
    elif way == "PATCH":
        response = entra.patch(path_of(luis), {"op": "add", "value": {name: value}})
    else:
        response = entra.patch(path_of(luis), {"op": "add", "path": name, "value": value})
    assert response.status_code in (200, 201), response.content
    assert name.rpartition(":")[2] not in response.json().get(ENTERPRISE, {})
    assert name not in response.json()
    stored = repr([*User.objects.values(), *Event.objects.values()])
    assert "Sésamo" not in response.content.decode() + stored + caplog.text


@pytest.mark.parametrize("way", ["POST", "PUT", "PATCH"])
def test_what_no_idp_may_set_is_ignored_and_never_echoed(entra, luis, way):
    if way == "POST":
        response = entra.post("/Users", {"userName": "y"} | FORGED)
        assert kept(response.json()) == {"userName": "y", "active": True}
    elif way == "PUT":
        response = entra.put(path_of(luis), FULL | FORGED)
    else:
        response = entra.patch(path_of(luis), {"op": "add", "value": FORGED})
    found = response.json()
    assert response.status_code in (200, 201), response.content
    assert set(found) <= {*FULL, "schemas", "id", "meta"}
    assert len(found["id"]) == 36
    assert (found["meta"]["version"], found["meta"]["resourceType"]) == ('W/"1"', "User")
    assert not found["meta"]["created"].startswith("1970")
    row = User.objects.get(pk=found["id"])
    assert (row.provider_id, row.version) == (entra.provider.pk, 1)


@pytest.mark.parametrize(
    "path", ["is_staff", "pk", "_state", "__class__", "provider", "deleted_at", "user_name", "a b"]
)
def test_an_unknown_path_is_invalid(entra, luis, path):
    response = entra.patch(path_of(luis), {"op": "add", "path": path, "value": "x"})
    assert (response.status_code, response.json()["scimType"]) == (400, "invalidPath")


@pytest.mark.parametrize("path", ["id", "meta", "meta.version", "groups", "groups.value"])
@pytest.mark.parametrize("verb", ["add", "replace", "remove"])
def test_a_read_only_path_is_mutability(entra, luis, path, verb):
    response = entra.patch(path_of(luis), {"op": verb, "path": path, "value": "x"})
    assert (response.status_code, response.json()["scimType"]) == (400, "mutability")


@pytest.mark.parametrize("way", ["POST", "PUT", "PATCH", "PATCH path"])
def test_an_unknown_custom_attribute_is_refused_with_where_to_define_it(entra, luis, way):
    body = placed(FULL, f"{CUSTOM}:unknown", "x")
    if way == "POST":
        response = entra.post("/Users", body | {"userName": "y"})
    elif way == "PUT":
        response = entra.put(path_of(luis), body)
    elif way == "PATCH":
        response = entra.patch(path_of(luis), {"op": "add", "value": {CUSTOM: {"unknown": "x"}}})
    else:
        operation = {"op": "add", "path": f"{CUSTOM}:unknown", "value": "x"}
        response = entra.patch(path_of(luis), operation)
    assert response.status_code == 400
    assert "Atributos" in response.json()["detail"]
    assert "unknown" in response.json()["detail"]
    assert User.objects.count() == 1


# Conditions -------------------------------------------------------------------------------------

CURRENT = ['W/"1"', '"1"', "*", 'W/"9", W/"1"', '"x","1"', ' W/"1" ']
STALE = ['W/"2"', '"0"', "1", 'W/"11"', "", '"*"', 'W/"1', "x"]


@pytest.mark.parametrize("tag", CURRENT)
def test_if_match_lets_the_present_version_through(entra, luis, tag):
    body = FULL | {"displayName": "x"}
    assert entra.put(path_of(luis), body, **{"If-Match": tag}).status_code == 200


@pytest.mark.parametrize("tag", STALE)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_if_match_refuses_another_version_and_nothing_changes(entra, luis, method, tag):
    bodies = {
        "PUT": FULL | {"displayName": "x"},
        "PATCH": {"Operations": [{"op": "add", "path": "displayName", "value": "x"}]},
    }
    before = User.objects.values().get()
    response = entra.request(method, path_of(luis), bodies.get(method), **{"If-Match": tag})
    assert (response.status_code, response.json()["status"]) == (412, "412")
    assert User.objects.values().get() == before


@pytest.mark.parametrize("tag", CURRENT)
def test_if_none_match_answers_304_without_a_body(entra, luis, tag):
    response = entra.get(path_of(luis), **{"If-None-Match": tag})
    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == 'W/"1"'


@pytest.mark.parametrize("tag", [tag for tag in STALE if tag])
def test_if_none_match_of_another_version_answers_the_user(entra, luis, tag):
    assert entra.get(path_of(luis), **{"If-None-Match": tag}).status_code == 200


# Projections ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "list"])
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("attributes=userName", {"schemas", "id", "userName"}),
        ("attributes=USERNAME,%20active", {"schemas", "id", "userName", "active"}),
        ("attributes=name.givenName,unknown", {"schemas", "id", "name"}),
        ("attributes=id", {"schemas", "id"}),
        ("attributes=password", {"schemas", "id"}),
        ("excludedAttributes=id,schemas,emails,name,active,meta,externalId,groups,displayName,"
         f"{ENTERPRISE},{CUSTOM}", {"schemas", "id", "userName"}),
        ("ATTRIBUTES=meta.version", {"schemas", "id", "meta"}),
    ],
)  # fmt: skip
def test_every_verb_answers_the_attributes_that_were_asked_for(entra, luis, method, query, names):
    if method == "list":
        found = entra.get(f"/Users?{query}").json()["Resources"][0]
    elif method == "GET":
        found = entra.get(f"{path_of(luis)}?{query}").json()
    elif method == "POST":
        found = entra.post(f"/Users?{query}", FULL | {"userName": "y"}).json()
    elif method == "PUT":
        found = entra.put(f"{path_of(luis)}?{query}", FULL).json()
    else:
        operation = {"op": "add", "path": "displayName", "value": "x"}
        found = entra.patch(f"{path_of(luis)}?{query}", operation).json()
    assert set(found) == names
    if "name.givenName" in query:
        assert set(found["name"]) == {"givenName"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
def test_both_projections_at_once_are_refused_before_anything_is_written(entra, luis, method):
    path = "/Users" if method == "POST" else path_of(luis)
    body = {"Operations": [{"op": "add", "path": "displayName", "value": "x"}]}
    body = {"PATCH": body, "POST": {"userName": "y"}, "PUT": FULL | {"displayName": "x"}}.get(
        method
    )
    before = [*User.objects.values()]
    response = entra.request(method, f"{path}?attributes=id&excludedAttributes=name", body)
    assert (response.status_code, response.json()["scimType"]) == (400, "invalidValue")
    assert [*User.objects.values()] == before


def test_a_user_shows_its_groups_with_their_names_and_places(entra, luis, settings):
    group = entra.group("Ventas", luis)
    reference = f"{settings.PUBLIC_URL}/scim/v2/Groups/{group['id']}"
    element = {"value": group["id"], "$ref": reference, "display": "Ventas", "type": "direct"}
    assert entra.get(path_of(luis)).json()["groups"] == [element]
    assert entra.get("/Users").json()["Resources"][0]["groups"] == [element]
    operation = {"op": "replace", "path": "displayName", "value": "x"}
    assert entra.patch(path_of(luis), operation).json()["groups"] == [element]
    assert entra.get(f"{path_of(luis)}?attributes=groups.display").json()["groups"] == [
        {"display": "Ventas"}
    ]
    assert "groups" not in entra.get(f"{path_of(luis)}?excludedAttributes=groups").json()


# DELETE -----------------------------------------------------------------------------------------


def test_a_deleted_user_is_answered_204_once_and_is_404_to_every_verb(entra, luis):
    response = entra.delete(path_of(luis))
    assert (response.status_code, response.content) == (204, b"")
    operation = {"op": "add", "path": "displayName", "value": "x"}
    for again in (
        entra.get(path_of(luis)), entra.put(path_of(luis), FULL), entra.delete(path_of(luis)),
        entra.patch(path_of(luis), operation),
    ):  # fmt: skip
        assert (again.status_code, again.json()["status"]) == (404, "404")
    assert Event.objects.filter(type="user.deleted").get().changes == {"active": [True, False]}


def test_the_groups_of_a_deleted_user_have_a_new_version(entra, luis):
    group = entra.group("Ventas", luis)
    entra.delete(path_of(luis))
    response = entra.get(f"/Groups/{group['id']}")
    assert response["ETag"] == 'W/"2"'
    assert Event.objects.filter(type="user.deleted").get().details["groups"] == ["Ventas"]


def test_head_answers_what_get_does_without_a_body(entra, luis):
    for path in (path_of(luis), "/Users"):
        head, get = entra.request("HEAD", path), entra.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers.get("ETag") == get.headers.get("ETag")


# No event, no change ----------------------------------------------------------------------------

WRITES = {
    "POST": ("/Users", {"userName": "y", "emails": [HOME]}),
    "POST that revives": ("/Users", {"userName": "gone", "externalId": "g"}),
    "PUT": ("{user}", FULL | {"displayName": "x", "emails": [HOME]}),
    "PATCH": ("{user}", {"Operations": [{"op": "add", "path": "displayName", "value": "x"}]}),
    "DELETE": ("{user}", None),
    "POST of a group": ("/Groups", {"displayName": "Otra", "members": [{"value": "{id}"}]}),
    "PUT of a group": ("{group}", {"displayName": "Otra", "members": []}),
    "PATCH of a group": ("{group}", {"Operations": [{"op": "remove", "path": "members"}]}),
    "DELETE of a group": ("{group}", None),
}


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (OperationalError("disk full"), 503),
        (RuntimeError("a bug with a secret: alta_scim_x"), 500),
        (IntegrityError("audit_event refuses"), 503),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("write", WRITES)
def test_without_its_event_no_change_is_made(entra, luis, write, failure, status, monkeypatch):
    gone = entra.user("gone", externalId="g")
    entra.delete(path_of(gone))
    group = entra.group("Ventas", luis)
    path, body = WRITES[write]
    path = path.replace("{user}", path_of(luis)).replace("{group}", f"/Groups/{group['id']}")
    body = None if body is None else json.loads(json.dumps(body).replace("{id}", luis["id"]))
    before = everything()

    def fail(*args, **kwargs):
        raise failure

    monkeypatch.setattr(journal, "record", fail)
    response = entra.request(write.split()[0], path, body)
    assert response.status_code == status
    error = response.json()
    assert (error["status"], response["Content-Type"]) == (str(status), "application/scim+json")
    assert "alta_scim_x" not in response.content.decode()
    assert "audit_event" not in error["detail"]
    if status == 503:
        assert response["Retry-After"].isdecimal()
    assert everything() == before


def everything():
    tables = (User, IndexedValue, groups.Group, groups.Membership)
    return [[*table.objects.order_by("pk").values()] for table in tables]


def test_only_a_taken_name_is_a_conflict(entra, monkeypatch):
    """Another broken constraint is a fault of ours: a 409 would say that the user is there."""

    def fail(*args, **kwargs):
        raise IntegrityError("some other constraint")

    monkeypatch.setattr(users.direct, "insert", fail)
    assert entra.post("/Users", {"userName": "x"}).status_code == 503
    assert not User.objects.exists()


@pytest.mark.parametrize("number", [1.9e19, -1.9e19, 1e300, 1e19, 5.0, 2.5, 0.1, 9e18])
def test_a_decimal_of_any_size_comes_back(entra, number):
    """PostgreSQL's JSON gives 1.9e19 back as a whole number, too long for the reply's writer."""
    attributes.add("ratio", "decimal", actor=SYSTEM)
    user = entra.user("rate@x", **{CUSTOM: {"ratio": number}})
    assert user[CUSTOM]["ratio"] == number
    assert entra.get(path_of(user)).json()[CUSTOM]["ratio"] == number
    assert entra.find(f"{CUSTOM}:ratio ge {number}")
    again = entra.put(path_of(user), {"userName": "rate@x", CUSTOM: {"ratio": number}})
    assert (again.status_code, again["ETag"]) == (200, 'W/"1"')
    off = entra.patch(path_of(user), {"op": "replace", "path": "active", "value": False})
    assert off.json()["active"] is False


@pytest.mark.parametrize(
    "name",
    ["a\ufe0fb", "a\ufe00b", "a\U000e0100b", "a\u180bb", "a\U0001d159b", "a\ufff0b", "a\uffffb",
     "\u2800", " a", "a ", "a\u3164b", "\u00a0a"],
    ids=ascii,
)  # fmt: skip
def test_a_name_with_a_twin_that_nobody_can_tell_is_refused(entra, name):
    response = entra.post("/Users", {"userName": name})
    assert (response.status_code, response.json()["scimType"]) == (400, "invalidValue")
