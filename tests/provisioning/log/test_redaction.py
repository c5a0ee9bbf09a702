"""No secret reaches the table, and of a body no more than Alta keeps anyway."""

from urllib.parse import quote

import pytest
from django.db import connection

from provisioning.log import redaction
from provisioning.log.redaction import LARGEST, MASK
from provisioning.models import LoggedRequest
from provisioning.scim.schemas import GROUP, user_type

USER = user_type()
CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WORD = "Sesamo-9913"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def everything():
    """Return all that the table holds, as one text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM provisioning_loggedrequest")
        return repr(cursor.fetchall())


def places(user):
    """Every place in which an IdP could send a password."""
    patch = lambda *operations: {"schemas": [PATCH_OP], "Operations": list(operations)}  # noqa: E731
    return [
        ("POST", "/Users", {"userName": "a@x", "password": WORD}),
        ("POST", "/Users", {"userName": "a@x", "Password": {"value": WORD}}),
        ("POST", "/Users", {"userName": "b@x", CUSTOM: {"secretKey": WORD}}),
        ("POST", "/Users", {"userName": "c@x", f"{ENTERPRISE}:password": WORD}),
        ("POST", "/Users", {"userName": 7, "password": WORD}),
        ("POST", "/Users", {"userName": "d@x", "nickName": WORD, "roles": [{"value": WORD}]}),
        ("POST", "/Users", {"userName": "e@x", "emails": [{"value": "e@x", "secret": WORD}]}),
        ("POST", "/Users", f'{{"userName": "f@x", "password": "{WORD}"'.encode()),
        ("PUT", user, {"userName": "luis@corp.example", "password": WORD}),
        ("PATCH", user, patch({"op": "replace", "path": "password", "value": WORD})),
        ("PATCH", user, patch({"op": "replace", "value": {"password": WORD}})),
        ("PATCH", user, patch({"op": "add", "path": "x", "value": WORD, "other": WORD})),
        ("PATCH", user, patch({"op": "add", "path": f'password[value eq "{WORD}"]', "value": 1})),
        ("PATCH", user, patch({"op": "replace", "path": f"{CUSTOM}:pin", "value": WORD})),
        ("PATCH", user, {"password": WORD, "Operations": [{"op": "add", "value": {"ims": WORD}}]}),
        ("PATCH", user, [WORD]),
        ("GET", f"/Users?filter={quote(f'password eq {chr(34)}{WORD}{chr(34)}')}", None),
        ("GET", f"/Users?password={WORD}", None),
        ("GET", f"/Users?access_token={WORD}", None),
        ("POST", "/Users/.search", {"filter": f'password eq "{WORD}"'}),
        ("POST", "/Me", {"password": WORD}),
        ("POST", "/Bulk", {"Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "a",
             "data": {"userName": "g@x", "password": WORD}},
            {"method": "PATCH", "path": user,
             "data": patch({"op": "add", "value": {"password": WORD}})},
        ]}),
        ("POST", "/Bulk", {"Operations": [], "password": WORD}),
    ]  # fmt: skip


def test_no_password_reaches_the_table(scim, luis, rows):
    cases = places(f"/Users/{luis}")
    for method, path, body in cases:
        scim.request(method, path, body)
    assert len(rows()) >= len(cases)
    assert WORD not in everything()


def test_no_token_reaches_the_table_wherever_it_is_sent(scim, entra, luis, rows):
    token = entra.secret
    scim.get("/Users", headers={"X-Request-ID": token, "User-Agent": f"curl {token}"})
    scim.get(f"/Users?access_token={token}")
    scim.get(f"/Users?x={token.replace('_', '%5F')}")
    scim.get(f"/Users/{token}")
    scim.get(f'/Users?filter=userName eq "{token}"')
    scim.post("/Users", {"userName": token, "displayName": f"Bearer {token}"})
    scim.post("/Users", {"userName": "x", "active": token, token: 1})
    scim.patch(f"/Users/{luis}", {"Operations": [{"op": "add", "path": token, "value": token}]})
    assert len(rows()) == 8
    assert token not in everything()
    assert token[10:] not in everything()


def test_what_alta_keeps_is_shown_and_the_rest_keeps_its_name():
    shown = redaction.request(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "luis@x",
            "name": {"givenName": "Luis", "middleName": "Q"},
            "emails": [{"value": "luis@x", "type": "work", "primary": True}],
            "active": True,
            "title": "Dr.",
            "password": "x",
            ENTERPRISE: {"department": "IT", "manager": {"value": "7"}},
            CUSTOM: {"unheardOf": "x"},
        },
        "POST",
        USER,
    )
    assert shown == {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "luis@x",
        "name": {"givenName": "Luis", "middleName": MASK},
        "emails": [{"value": "luis@x", "type": "work", "primary": True}],
        "active": True,
        "title": MASK,
        "password": MASK,
        ENTERPRISE: {"department": "IT", "manager": MASK},
        CUSTOM: {"unheardOf": MASK},
    }


@pytest.mark.parametrize(
    ("operation", "shown"),
    [
        ({"op": "Replace", "path": "active", "value": "False"}, None),
        ({"op": "replace", "path": 'emails[type eq "work"].value', "value": "a@x"}, None),
        ({"op": "replace", "path": f"{ENTERPRISE}:department", "value": "IT"}, None),
        ({"op": "add", "value": {"displayName": "L", "name.familyName": "P"}}, None),
        ({"op": "remove", "path": "displayName"}, None),
        (
            {"op": "add", "path": "title", "value": "x"},
            {"op": "add", "path": "title", "value": MASK},
        ),
    ],
)  # fmt: skip
def test_an_operation_of_a_patch_is_shown_when_its_attribute_is_kept(operation, shown):
    body = {"schemas": [PATCH_OP], "Operations": [operation]}
    found = redaction.request(body, "PATCH", USER)
    assert found["Operations"] == [shown or operation]


def test_long_lists_and_texts_are_cut():
    members = [{"value": str(n)} for n in range(50_000)]
    shown = redaction.request({"displayName": "x" * 5_000, "members": members}, "POST", GROUP)
    assert len(shown["members"]) == redaction.MOST_ELEMENTS + 1
    assert shown["members"][-1] == "… +49980"
    assert len(shown["displayName"]) == redaction.LONGEST_TEXT + 1


def test_a_large_body_is_counted_and_not_kept(scim, last):
    scim.post("/Users", {"userName": "a@x", "displayName": "x" * 500, "title": "y" * LARGEST})
    row = last()
    assert row.request_size > LARGEST
    assert row.request_body == ""
    assert row.name == "a@x"


def test_what_no_database_holds_is_left_out(scim, rows):
    scim.get("/Users?filter=%00%ff%ed%a0%80")
    scim.post("/Users", b'{"userName": "a\\u0000b\\ud800"}')
    scim.get("/Users/" + "x" * 6_000)
    assert len(rows()) == 3
    assert LoggedRequest.objects.count() == 3
