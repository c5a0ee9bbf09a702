"""Bad input: each answer is a SCIM Error of the right status, soon, and the service lives on."""

import gzip
import json
import time
import uuid
from urllib.parse import quote

import pytest
from django.test import Client

from audit.actors import SYSTEM
from provisioning.models import Group, User
from provisioning.operations import attributes

CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MIB = 1024 * 1024
SLOWEST_S = 2


@pytest.fixture
def luis(entra):
    attributes.add("badge", "integer", actor=SYSTEM)
    return entra.user(displayName="Luis", emails=[{"value": "a@x", "type": "work"}])


@pytest.fixture
def ventas(entra, luis):
    return entra.group("Ventas", luis)


def refused(response, status, scim_type=""):
    """Assert that an answer is a SCIM Error, whole and without a word of HTML."""
    body = response.json()
    assert (response.status_code, body.get("scimType", "")) == (status, scim_type), body
    assert response["Content-Type"] == "application/scim+json"
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert body["status"] == str(status)
    assert body["detail"]
    assert len(response.content) < 2_000
    assert "Traceback" not in body["detail"]
    assert set(body) <= {"schemas", "status", "scimType", "detail"}


def timed(call):
    """Return what a call returns; it may not take long, measured by what this process worked."""
    start = time.process_time()
    response = call()
    assert time.process_time() - start < SLOWEST_S
    return response


def healthy(entra, user):
    assert entra.get(f"/Users/{user['id']}").status_code == 200


# JSON -------------------------------------------------------------------------------------------

NAME = '{"userName": "x", %s}'
BROKEN = {
    "empty": b"", "blank": b" \n", "a word": b"x", "null": b"null", "true": b"true",
    "a number": b"1",
    "a text": b'"x"', "a list": b"[]", "list of objects": b'[{"userName": "x"}]',
    "truncated": b'{"userName": "x"', "truncated text": b'{"userName": "x',
    "trailing": b'{"userName": "x"} x',
    "two objects": b'{"userName": "x"}{"userName": "y"}', "trailing comma": b'{"userName": "x",}',
    "single quotes": b"{'userName': 'x'}", "comment": b'{"userName": "x" /* */}',
    "NaN": NAME % '"a": NaN',
    "Infinity": NAME % '"a": Infinity', "-Infinity": NAME % '"a": -Infinity',
    "1e400": NAME % '"a": 1e400',
    "-1e400": NAME % '"a": -1e400', "400 digits": NAME % f'"a": {"9" * 400}',
    "5000 digits": NAME % f'"a": {"9" * 5_000}', "leading zero": NAME % '"a": 01',
    "hex": NAME % '"a": 0x1',
    "depth 101": NAME % ('"a": ' + "[" * 100 + "]" * 100),
    "depth 1,000": NAME % ('"a": ' + "[" * 1_000 + "]" * 1_000),
    "depth 100,000": NAME % ('"a": ' + "[" * 100_000 + "]" * 100_000),
    "deep objects": NAME % ('"a": ' + '{"a":' * 100_000 + "1" + "}" * 100_000),
    "deep and open": b"[" * 1_000_000, "duplicate": NAME % '"userName": "y"',
    "duplicate by case": NAME % '"USERNAME": "y"',
    "duplicate inside": NAME % '"name": {"givenName": "a", "givenName": "b"}',
    "duplicate in unkept": NAME % '"title": {"a": 1, "A": 2}',
    "latin 1": NAME.encode() % b'"a": "\xe9"',
    "overlong": NAME.encode() % b'"a": "\xc0\x80"',
    "surrogate bytes": NAME.encode() % b'"a": "\xed\xa0\x80"',
    "UTF-16": '{"userName": "x"}'.encode("utf-16"), "mark": b'\xef\xbb\xbf{"userName": "x"}',
    "raw NUL": NAME.encode() % b'"a": "\x00"', "raw control": NAME.encode() % b'"a": "\x01"',
    "bad escape": NAME.encode() % b'"a": "\\x41"', "form": b"userName=x", "XML": b"<User/>",
}  # fmt: skip


@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_is_not_a_json_object_is_invalid_syntax(entra, luis, method, body):
    body = BROKEN[body]
    body = body.encode() if isinstance(body, str) else body
    path = "/Users" if method == "POST" else f"/Users/{luis['id']}"
    refused(timed(lambda: entra.request(method, path, body)), 400, "invalidSyntax")
    assert User.objects.count() == 1
    healthy(entra, luis)


UNSTORABLE = ["\0", "a\0b", "\ud800", "a\udfff", "\udc00\ud800"]


@pytest.mark.parametrize("text", UNSTORABLE, ids=ascii)
@pytest.mark.parametrize(
    "place", ["userName", "displayName", "title", "unknown", "name", "emails", "key", "schemas"]
)
def test_a_text_that_no_database_can_hold_is_an_invalid_value(entra, place, text):
    body = {"userName": "x"}
    if place == "key":
        body[f"a{text}"] = 1
    elif place == "name":
        body["name"] = {"givenName": text}
    elif place == "emails":
        body["emails"] = [{"value": "a", "unknown": [text]}]
    else:
        body[place] = [text] if place == "schemas" else text
    refused(entra.post("/Users", body), 400, "invalidValue")
    patch = {"op": "add", "value": {key: value for key, value in body.items() if key != "userName"}}
    if place not in ("userName", "schemas"):
        refused(entra.patch(f"/Users/{entra.user('y')['id']}", patch), 400, "invalidValue")


# Types ------------------------------------------------------------------------------------------

WRONG = [
    *[("userName", value) for value in (
        1, 1.5, True, ["x"], {"a": 1}, " ", "\t", "a\nb", "a\rb", "a\x7fb", "a\u202eb", "a\u200bb",
        "\ufeffx", "a\u2028b", "\u3164", "x" * 257, "x" * 2_000_000)],
    *[("active", value) for value in (1, 0, "yes", "1", "", [], {}, [True], "truee", " true")],
    *[("displayName", value) for value in (1, True, ["x"], {"a": 1}, "x" * 1_025)],
    *[("externalId", value) for value in (1, False, ["x"], {}, "x" * 1_025, "🙂" * 501)],
    *[("name", value) for value in ("Luis", 1, True, ["x"], [{"givenName": "x"}])],
    *[("name", {"givenName": value}) for value in (1, ["x"], {}, "x" * 1_025)],
    *[("emails", value) for value in (
        "a@x", 1, True, ["a@x"], [1], [None], [["a"]], [{}], [{"type": "work"}], [{"value": 1}],
        [{"value": "a", "primary": "yes"}], [{"value": "a", "type": 1}],
        [{"value": "a", "primary": True}, {"value": "b", "primary": True}],
        [{"value": f"{n}"} for n in range(51)], [{"value": f"{n}"} for n in range(50_000)],
        [{"value": "x" * 1_025}])],
    *[(ENTERPRISE, value) for value in ("x", 1, ["x"], [{}], True, {"department": 1},
    {"department": []})],
    *[(CUSTOM, value) for value in (
        "x", 1, [], {"badge": "7"}, {"badge": 7.5}, {"badge": True}, {"badge": 2**63},
        {"badge": [7]},
        {"badge": {"a": 1}}, {"unknown": 1}, {"__class__": 1})],
]  # fmt: skip


@pytest.mark.parametrize("batch", range(4))
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "PATCH path"])
def test_a_wrong_type_is_an_invalid_value_and_changes_nothing(entra, luis, method, batch):
    before, path = User.objects.values().get(), f"/Users/{luis['id']}"
    for name, value in WRONG[batch::4]:
        body = {"userName": "luis@corp.local"} | {name: value}
        if method == "POST":
            response = timed(lambda body=body: entra.post("/Users", body))
        elif method == "PUT":
            response = timed(lambda body=body: entra.put(path, body))
        else:
            operation = {"op": "replace", "value": {name: value}}
            if method == "PATCH path":
                operation = {"op": "replace", "path": name, "value": value}
            response = timed(lambda operation=operation: entra.patch(path, operation))
        refused(response, 400, "invalidValue")
        assert User.objects.values().get() == before
    healthy(entra, luis)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("displayName", value) for value in (None, "", 1, True, ["x"], {}, "x" * 257)],
        *[("members", value) for value in (
            1, True, [1], [None], [["x"]], [{}], [{"value": 1}], [{"value": None}], [{"value": ""}],
            "", ["no-uuid"], [{"value": "no-uuid"}], [{"value": str(uuid.uuid4())}],
            [{"value": "x" * 2_000}], [{"value": str(uuid.uuid4())} for _ in range(5_000)],
            [{"value": "x", "type": "Group"}], [{"value": "../Users"}],
            [{"value": "' or 1=1 --"}])],
        *[("externalId", value) for value in (1, ["x"], "x" * 1_025)],
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_wrong_group_is_an_invalid_value_and_changes_nothing(entra, ventas, method, name, value):
    before = [Group.objects.values().get(), entra.members(ventas)]
    body = {"displayName": "Otra"} | {name: value}
    path = f"/Groups/{ventas['id']}"
    if method == "POST":
        response = timed(lambda: entra.post("/Groups", body))
    elif method == "PUT":
        response = timed(lambda: entra.put(path, body))
    else:
        verb = {"op": "add" if name == "members" else "replace", "path": name, "value": value}
        response = timed(lambda: entra.patch(path, verb))
    refused(response, 400, "invalidValue")
    assert [Group.objects.values().get(), entra.members(ventas)] == before


# Unicode ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["ﷺ" * 256, "㎯" * 256, "㏂" * 256, "🙂" * 256, "ß" * 256, "İ" * 256, "\u0390" * 256,
    "e\u0301" * 128,
     "ᾂ" * 256, "\U0010fffd" * 256, "x" * 256, "ﬃ" * 256],
    ids=lambda name: f"U+{ord(name[0]):04X}",
)  # fmt: skip
@pytest.mark.parametrize("kind", ["userName", "displayName", "group", "externalId", "custom"])
def test_letters_that_grow_when_compared_are_kept_or_refused_never_an_error(entra, kind, name):
    attributes.add("note", "string", actor=SYSTEM)
    if kind == "group":
        response = entra.post("/Groups", {"displayName": name})
    elif kind == "custom":
        response = entra.post("/Users", {"userName": "x", CUSTOM: {"note": name * 4}})
    elif kind == "displayName":
        long = {"formatted": name * 4, "givenName": name * 4, "familyName": name * 4}
        emails = [{"value": name * 4, "type": name * 4, "display": name * 4}]
        body = {"userName": "x", "displayName": name * 4, "name": long, "emails": emails}
        response = entra.post("/Users", body | {ENTERPRISE: {"department": name * 4}})
    else:
        response = entra.post("/Users", {"userName": "x"} | {kind: name})
    if response.status_code != 201:
        refused(response, 400, "invalidValue")
    else:
        filter = {"group": "displayName", "custom": f"{CUSTOM}:note"}.get(kind, kind)
        value = name * 4 if kind in ("custom", "displayName") else name
        if len(value.encode()) < 8_000:
            found = entra.find(f'{filter} eq "{value}"', "Groups" if kind == "group" else "Users")
            assert len(found) == 1
        resource = response.json()
        path = resource["meta"]["location"].partition("/v2")[2]
        assert entra.delete(path).status_code == 204


# PATCH ------------------------------------------------------------------------------------------

MALFORMED = [
    ({}, "invalidSyntax"), ({"Operations": None}, "invalidSyntax"), ({"Operations": []},
    "invalidSyntax"),
    ({"Operations": {}}, "invalidSyntax"), ({"Operations": "x"}, "invalidSyntax"),
    ({"Operations": [None]}, "invalidSyntax"), ({"Operations": ["x"]}, "invalidSyntax"),
    ({"Operations": [{}]}, "invalidSyntax"), ({"Operations": [{"op": 1}]}, "invalidSyntax"),
    ({"Operations": [{"op": "move", "path": "displayName"}]}, "invalidSyntax"),
    ({"Operations": [{"op": "add", "path": 1, "value": "x"}]}, "invalidSyntax"),
    ({"Operations": [{"op": "add", "path": ["displayName"], "value": "x"}]}, "invalidSyntax"),
    ({"Operations": [{"op": "add"}]}, "invalidValue"),
    ({"Operations": [{"op": "add", "value": "x"}]}, "invalidValue"),
    ({"Operations": [{"op": "replace", "path": "displayName"}]}, "invalidValue"),
    ({"Operations": [{"op": "remove"}]}, "noTarget"),
    ({"Operations": [{"op": "remove", "path": ""}]}, "invalidPath"),
    ({"Operations": [{"op": "remove", "path": "userName"}]}, "mutability"),
    ({"Operations": [{"op": "remove", "path": "id"}]}, "mutability"),
    ({"Operations": [{"op": "add", "path": "emails[type eq \"x\" and value co \"y\"].display",
    "value": "z"}]}, "noTarget"),
    ({"Operations": [{"op": "add", "path": "emails[type eq", "value": "z"}]}, "invalidPath"),
    ({"Operations": [{"op": "add", "path": "emails[type eq]", "value": "z"}]}, "invalidFilter"),
    ({"Operations": [{"op": "add", "path": "emails[unknown eq \"x\"]", "value": "z"}]},
    "invalidFilter"),
    ({"Operations": [{"op": "add", "path": "emails[type eq \"x\"].unknown", "value": "z"}]},
    "invalidPath"),
    ({"Operations": [{"op": "add", "path": "userName[value eq \"x\"]", "value": "z"}]},
    "invalidPath"),
    ({"Operations": [{"op": "add", "path": "emails[0].value", "value": "z"}]}, "invalidFilter"),
    ({"Operations": [{"op": "add", "path": "displayName\0", "value": "z"}]}, "invalidValue"),
    ({"Operations": [{"op": "add", "path": "x" * 100_000, "value": "z"}]}, "invalidPath"),
    ({"Operations": [{"op": "add", "path": "emails[" + "(" * 5_000 + "]", "value": "z"}]},
    "invalidFilter"),
    ({"Operations": [{"op": "add", "path": "emails" + "[value pr" * 2_000, "value": "z"}]},
    "invalidPath"),
    ({"Operations": [{"op": "add", "path": "a." * 50_000, "value": "z"}]}, "invalidPath"),
]  # fmt: skip


@pytest.mark.parametrize("batch", range(3))
def test_a_malformed_patch_is_refused_with_its_reason(entra, luis, batch):
    before = User.objects.values().get()
    for body, scim_type in MALFORMED[batch::3]:
        response = timed(lambda body=body: entra.request("PATCH", f"/Users/{luis['id']}", body))
        refused(response, 400, scim_type)
    assert User.objects.values().get() == before


TERMS = " or ".join(f'value co "ñ{n}"' for n in range(199)) + " or value pr"
LARGE = {
    "1,001 operations": [{"op": "add", "path": "displayName", "value": "x"}] * 1_001,
    "20,000 operations": [{"op": "add", "path": "displayName", "value": "x"}] * 20_000,
    "filters": [{"op": "add", "path": f"emails[{TERMS}].display", "value": "x"}] * 1_000,
    "filters as keys": [
        {"op": "add", "value": {f'emails[type eq "{m}{n}"].value': "x" for n in range(9_000)}}
        for m in range(5)
    ],
}


@pytest.mark.parametrize("operations", LARGE)
def test_a_patch_past_a_limit_is_too_large(entra, luis, operations):
    response = timed(lambda: entra.patch(f"/Users/{luis['id']}", *LARGE[operations]))
    refused(response, 413)
    healthy(entra, luis)


def test_a_patch_of_a_group_past_the_limit_of_filters_is_too_large(entra, ventas):
    terms = " or ".join(f'display co "{n}"' for n in range(200))
    remove = {"op": "remove", "path": f"members[{terms}]"}
    refused(timed(lambda: entra.patch(f"/Groups/{ventas['id']}", *[remove] * 6)), 413)


def test_a_thousand_members_may_leave_by_a_filter_each(entra, ventas):
    leave = [{"op": "remove", "path": f'members[value eq "{uuid.uuid4()}"]'} for _ in range(1_000)]
    response = timed(lambda: entra.patch(f"/Groups/{ventas['id']}", *leave))
    assert response.status_code == 204


ARABIC = "\ufdfa" * 200  # each is spelt out as eighteen letters
HEAVY = {
    "adds of new e-mails": (
        [{"op": "add", "path": "emails", "value": [{"value": f"ñ{n}ñ{m}"} for m in range(50)]}
         for n in range(20)], 400),
    "adds of the same e-mails": (
        [{"op": "add", "path": "emails", "value": [{"value": f"{'ñ' * 9}{m}"} for m in range(49)]}]
        * 20, 200),
    "e-mails that are spelt out": (
        [{"op": "replace", "path": "emails",
        "value": [{"value": f"{n}{m}{ARABIC}"} for m in range(50)]} for n in range(20)], 200),
    "one term each": (
        [{"op": "add", "path": f'emails[value ne "{n}"].display',
        "value": "x"} for n in range(1_000)],
        200),
    "more e-mails": (
        [{"op": "remove", "path": "emails", "value": [{"value": f"{m}"} for m in range(50)]}] * 21,
        413),
    "more e-mails without a path": (
        [{"op": "add", "value": {"emails": [{"value": f"{m}"} for m in range(50)]}}] * 21, 413),
    "unknown names": ([{"op": "add", "value": {f"{n}": 0 for n in range(300)}}] * 1_000, 200),
    "quotes without an end": (
        [{"op": "add", "value": {"emails[" + '"\\' * 4_000 + f"{n}]": 0 for n in range(99)}}], 200),
    "keys with brackets": (
        [{"op": "add", "value": {f'emails[type eq "{n}"].value': 0 for n in range(1_001)}}], 413),
}  # fmt: skip


@pytest.mark.parametrize("operations", HEAVY)
def test_the_heaviest_patch_that_is_read_is_soon_done(entra, luis, operations):
    """The user's row is locked meanwhile: ten minutes, once, for a thousand small additions."""
    operations, status = HEAVY[operations]
    response = timed(lambda: entra.patch(f"/Users/{luis['id']}", *operations))
    assert response.status_code == status, response.content


# Size -------------------------------------------------------------------------------------------

BODIES = {
    "lists": b'{"userName": "x", "title": [' + b"[]," * (2 * MIB) + b"[]]}",
    "texts": b'{"userName": "x", "emails": [' + b'"",' * (2 * MIB) + b'""]}',
    "keys": b'{"userName": "x"' + b"".join(b',"%x":0' % n for n in range(600_000)) + b"}",
    "numbers": b'{"userName": "x", "title": [' + b"1," * (3 * MIB) + b"1]}",
}


@pytest.mark.parametrize("body", BODIES)
def test_a_body_of_very_many_values_is_too_large(entra, body):
    refused(timed(lambda: entra.post("/Users", BODIES[body])), 413)


@pytest.mark.parametrize(
    ("name", "count"), [("unknown", 9_000), (CUSTOM, 9_000), ("members", 190_000)]
)
def test_the_largest_bodies_are_answered_soon(entra, name, count):
    if name == "members":
        body = {"displayName": "x", "members": [{"value": f"{n:x}"} for n in range(count)]}
        response = timed(lambda: entra.post("/Groups", body))
    else:
        keys = {f"{n:x}": 0 for n in range(count)}
        body = {"userName": "x"} | ({name: keys} if name == CUSTOM else keys)
        response = timed(lambda: entra.post("/Users", body))
    assert response.status_code == (201 if name == "unknown" else 400)


def test_an_object_of_very_many_names_is_refused(entra):
    body = {"userName": "x"} | {f"{n:x}": 0 for n in range(10_001)}
    refused(timed(lambda: entra.post("/Users", body)), 400, "invalidSyntax")


@pytest.mark.parametrize("count", [1_000, 20_000])
def test_steps_for_many_members_are_joined_soon(entra, ventas, count):
    """A thousand operations with many ids each: joining them must not cost their square."""
    ids = [f"0-{n}" for n in range(count // 1_000 * 10)]
    for verb, status in (("add", 400), ("remove", 204)):
        steps = [
            {"op": verb, "path": "members", "value": [{"value": f"{n}{one}"} for one in ids]}
            for n in range(1_000)
        ]
        response = timed(lambda steps=steps: entra.patch(f"/Groups/{ventas['id']}", *steps))
        assert response.status_code == status


@pytest.mark.parametrize("text", ["\0", "\ud800"])
def test_what_no_database_keeps_is_refused_wherever_it_stands(entra, text):
    new = {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "new"}}
    for path, body in [
        ("/Users/.search", {"sortBy": text}),
        ("/Users/.search", {"filter": f"{text} eq 1"}),
        ("/Users/.search", {"cursor": f"a.b.{text}"}),
        ("/Bulk", {"Operations": [new | {"bulkId": text}]}),
        ("/Bulk", {"Operations": [new, new | {"path": f"/{text}"}]}),
        ("/Bulk", {"Operations": [new, new | {"method": text}]}),
        ("/Users", {"userName": "new", text: 1}),
    ]:
        refused(entra.post(path, body), 400, "invalidValue")
    assert not User.objects.exists()


def test_a_number_beyond_all_numbers_is_refused(entra, luis):
    huge = "1e99999999999999999999"
    for filter in (f"meta.created gt {huge}", f"userName eq {huge}", f"active eq -{huge}"):
        refused(entra.get(f"/Users?filter={quote(filter)}"), 400, "invalidFilter")
    path = f"emails[value eq {huge}].type"
    response = entra.patch(f"/Users/{luis['id']}", {"op": "remove", "path": path})
    refused(response, 400, "invalidFilter")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_body_over_8_mib_is_413(entra, luis, method):
    path = "/Users" if method == "POST" else f"/Users/{luis['id']}"
    refused(timed(lambda: entra.request(method, path, b" " * (8 * MIB + 1))), 413)


def test_a_length_that_lies_is_refused_before_anything_is_read(entra):
    headers = {"Content-Length": str(10**15)}
    refused(entra.request("POST", "/Users", {"userName": "x"}, **headers), 413)
    headers = {"Content-Length": "ten"}
    assert entra.request("POST", "/Users", {"userName": "x"}, **headers).status_code == 400


# HTTP -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "text/html",
     "application/xml", "application/scim+xml", "application/jsonx", "image/png", "x", "*/*",
     "application/json-patch+json", "application/octet-stream"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_another_media_type_is_415(entra, luis, method, kind):
    path = "/Users" if method == "POST" else f"/Users/{luis['id']}"
    refused(entra.request(method, path, {"userName": "x"}, content_type=kind), 415)


@pytest.mark.parametrize(
    "kind",
    ["application/scim+json", "application/json", "APPLICATION/JSON",
    "application/json; charset=utf-8",
     "application/scim+json;charset=UTF-8", "application/json; charset=latin-1", "text/json", ""],
)  # fmt: skip
def test_json_is_read_under_each_of_its_names_and_always_as_utf_8(entra, kind):
    body = json.dumps({"userName": "josé"}, ensure_ascii=False).encode()
    response = entra.request("POST", "/Users", body, content_type=kind)
    assert (response.status_code, response.json()["userName"]) == (201, "josé")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "x", "identity, gzip", "GZIP"])
def test_a_compressed_body_is_415(entra, coding):
    body = gzip.compress(b'{"userName": "x"}')
    refused(entra.request("POST", "/Users", body, **{"Content-Encoding": coding}), 415)


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "x", "*/*", "application/json;q=0"]
)
def test_the_answer_is_scim_whatever_is_accepted(entra, accept):
    response = entra.get("/Users", Accept=accept)
    assert (response.status_code, response["Content-Type"]) == (200, "application/scim+json")


ALLOWED = {
    "/Users": "GET, POST, HEAD",
    "/Users/{id}": "GET, PUT, PATCH, DELETE, HEAD",
    "/Groups": "GET, POST, HEAD",
    "/Groups/{id}": "GET, PUT, PATCH, DELETE, HEAD",
    "/ServiceProviderConfig": "GET, HEAD",
    "/ResourceTypes": "GET, HEAD",
    "/ResourceTypes/User": "GET, HEAD",
    "/Schemas": "GET, HEAD",
    "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User": "GET, HEAD",
}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT",
"PROPFIND", "get"]  # fmt: skip


@pytest.mark.parametrize("path", ALLOWED)
def test_another_method_is_405_with_those_that_are_allowed(entra, luis, path):
    for method in METHODS:
        if method in ALLOWED[path].split(", "):
            continue
        response = entra.request(method, path.replace("{id}", luis["id"]), {"userName": "x"})
        if method == "get":
            assert response.status_code in (200, 404, 405)
            continue
        refused(response, 405)
        assert set(response["Allow"].split(", ")) == set(ALLOWED[path].split(", "))
    healthy(entra, luis)


@pytest.mark.parametrize(
    "spelling",
    ["{upper}", "{{{id}}}", "%7B{id}%7D", "{hex}", "urn:uuid:{id}", "{id}%20", "%20{id}", "{id}%00",
    "{id}%0A",
     "{id}%0D%0AX-Injected:%201", "{id}.json", "{id};x=1", "0", "-1", "1", "null", "undefined",
     "..%2F{id}",
     "%2e%2e", "x" * 10_000, "%F0%9F%99%82", "%ff", "{id}'--", "*", "{id}/x", "{id}//",
     "00000000-0000-0000-0000-000000000000"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["Users", "Groups"])
def test_an_id_in_another_spelling_is_404(entra, luis, ventas, kind, spelling):
    own = luis["id"] if kind == "Users" else ventas["id"]
    spelt = spelling.replace("{{{id}}}", f"{{{own}}}").replace("{id}", own)
    spelt = spelt.replace("{upper}", own.upper()).replace("{hex}", own.replace("-", ""))
    for method in ("GET", "DELETE"):
        response = timed(lambda method=method: entra.request(method, f"/{kind}/{spelt}"))
        refused(response, 404)
        assert "X-Injected" not in response.headers
    healthy(entra, luis)


@pytest.mark.parametrize(
    "path",
    ["/scim", "/scim/", "/scim/vx/Users", "/scim/v2/users",
    "/scim/v2/Users/x/y",
     "/scim/v2/Nothing", "/scim/v2/Users%0d%0aX: 1", "/scim/v2/../v2/Users",
     "/scim/v2/%2e%2e/Users",
     "/scim/v2/Users.json", "/scim//v2/Users", "/scim/v2//Users", "/scim/v2/<script>", "/scim/v2/é",
     "/scim/v2/" + "x" * 50_000],
)  # fmt: skip
def test_an_unknown_address_is_a_scim_404(entra, path):
    response = entra.request("GET", path)
    refused(response, 404)
    assert "<script" not in response.content.decode()


@pytest.mark.parametrize("host", ["evil.example", "a b", "evil.example:80", "[::1", "ñ", ""])
@pytest.mark.parametrize("path", ["/Users", "/Schemas", "/nothing"])
def test_a_foreign_host_is_a_scim_400(entra, path, host):
    refused(entra.get(path, Host=host), 400)


@pytest.mark.parametrize("path", ["/scim/v1", "/scim/v1/Users", "/scim/v3/Users", "/scim/v22"])
def test_another_version_of_the_protocol_is_named_as_such(entra, path):
    refused(entra.get(path), 400, "invalidVers")


def test_a_header_that_is_no_number_or_date_harms_nothing(entra, luis):
    for name in (
        "If-None-Match",
        "Range",
        "If-Modified-Since",
        "Expect",
        "Cookie",
        "X-Request-ID",
    ):
        for value in ("x" * 7_000, "\x01", "é", "W/", '"', ",,,", "*" * 10):
            response = entra.get(f"/Users/{luis['id']}", **{name: value})
            assert response.status_code in (200, 304)
            assert response["X-Request-ID"] != value


def test_what_a_client_says_its_request_is_called_is_kept_only_when_harmless(entra):
    assert entra.get("/Users", **{"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"
    for name in ("a b", "a\nb", "<x>", "x" * 65, "é"):
        assert entra.get("/Users", **{"X-Request-ID": name})["X-Request-ID"] != name


def test_no_answer_under_the_prefix_is_html(entra, luis):
    for path in ("", "/", "/v2/Users/x", "/v2/Users?count=x", "/v2/Me", "/v2/nothing"):
        for client in (entra.client, Client(raise_request_exception=False)):
            for headers in ({}, {"Authorization": f"Bearer {entra.secret}"}):
                response = client.get(f"/scim{path}", headers=headers | {"Accept": "text/html"})
                assert response["Content-Type"] == "application/scim+json"
                assert b"<" not in response.content
