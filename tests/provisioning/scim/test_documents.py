"""Bodies of POST and PUT: what is read, ignored and refused, and what a PUT replaces."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.scim import documents, limits
from provisioning.scim.errors import ScimError
from provisioning.scim.schemas import CUSTOM, ENTERPRISE, GROUP, GROUP_URN, USER_URN
from tests.provisioning.scim.strategies import JSON, USER, attempt

WORK = {"value": "luis@example.org", "type": "work", "primary": True}


def read(type=USER, **attributes):
    name = {"displayName": "IT"} if type is GROUP else {"userName": "luis"}
    return documents.read(name | attributes, type)


def read_body(body, type=USER):
    return documents.read(body, type)


def test_a_typical_entra_user_is_read():
    document = read_body(
        {
            "schemas": [USER_URN, ENTERPRISE],
            "externalId": "0a21f0f2",
            "userName": "luis@example.org",
            "active": True,
            "emails": [{"primary": True, "type": "work", "value": "luis@example.org"}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": "Luis Gómez", "familyName": "Gómez", "givenName": "Luis"},
            "roles": [],
            "title": None,
            "department": None,
            ENTERPRISE: {"department": "IT", "employeeNumber": "7", "manager": {"value": "2"}},
        }
    )
    assert document.resource == {
        "externalId": "0a21f0f2",
        "userName": "luis@example.org",
        "active": True,
        "emails": [WORK],
        "name": {"formatted": "Luis Gómez", "familyName": "Gómez", "givenName": "Luis"},
        ENTERPRISE: {"department": "IT"},
    }
    assert document.names == {
        "externalId",
        "userName",
        "active",
        "emails",
        "name.formatted",
        "name.familyName",
        "name.givenName",
        f"{ENTERPRISE}:department",
    }
    assert document.ignored == (
        "roles",
        "title",
        "department",
        f"{ENTERPRISE}:employeeNumber",
        f"{ENTERPRISE}:manager",
    )


@pytest.mark.parametrize(
    ("given", "resource"),
    [
        pytest.param({"DISPLAYNAME": "L"}, {"displayName": "L"}, id="RFC 7643 §2.1: any case"),
        pytest.param({"active": "True"}, {"active": True}, id="Entra: boolean as a word"),
        pytest.param({"active": "fAlse"}, {"active": False}, id="boolean in any case"),
        pytest.param({"active": None}, {}, id="null active is left out"),
        pytest.param({"displayName": ""}, {}, id="Microsoft: null update with blank"),
        pytest.param({"displayName": None}, {}, id="Microsoft: null update with null"),
        pytest.param(
            {"name": {"givenName": "L", "familyName": ""}},
            {"name": {"givenName": "L"}},
            id="blank part",
        ),
        pytest.param({"name": {}}, {}, id="empty name"),
        pytest.param({"name": None}, {}, id="null name"),
        pytest.param({"name.givenName": "L"}, {"name": {"givenName": "L"}}, id="dotted key"),
        pytest.param({f"{USER_URN}:displayName": "L"}, {"displayName": "L"}, id="core URN key"),
        pytest.param(
            {f"{ENTERPRISE}:department": "IT"},
            {ENTERPRISE: {"department": "IT"}},
            id="extension URN key",
        ),
        pytest.param(
            {ENTERPRISE.upper(): {"DEPARTMENT": "IT"}},
            {ENTERPRISE: {"department": "IT"}},
            id="URN in capitals",
        ),
        pytest.param(
            {"urn:scim:schemas:extension:enterprise:2.0": {"department": "IT"}},
            {ENTERPRISE: {"department": "IT"}},
            id="OneLogin: 2.0",
        ),
        pytest.param(
            {"urn:scim:schemas:extension:enterprise:1.0": {"department": "IT"}},
            {ENTERPRISE: {"department": "IT"}},
            id="OneLogin: 1.0",
        ),
        pytest.param(
            {"urn:ietf:params:scim:schemas:extension:enterprise:2.0User": {"department": "IT"}},
            {ENTERPRISE: {"department": "IT"}},
            id="a colon lost",
        ),
        pytest.param({ENTERPRISE: {}}, {}, id="extension without data"),
        pytest.param({ENTERPRISE: None}, {}, id="null extension"),
        pytest.param({"schemas": "nonsense"}, {}, id="OneLogin: schemas hold surprises"),
        pytest.param(
            {"id": "9", "meta": {"version": 1}, "groups": "x"},
            {},
            id="Okta: read-only is passed over",
        ),
        pytest.param(
            {"emails": [WORK, dict(WORK)]}, {"emails": [WORK]}, id="equal e-mails are one"
        ),
        pytest.param(
            {"emails": [{"value": "a"}, {"value": "A", "primary": "true"}]},
            {"emails": [{"value": "a", "primary": True}]},
            id="equal e-mails are one, and primary",
        ),
        pytest.param({"emails": []}, {}, id="no e-mails"),
        pytest.param({"emails": [{"value": "", "type": "work"}]}, {}, id="Okta: blank e-mail"),
        pytest.param(
            {"emails": [{"value": "a@corp.local"}]},
            {"emails": [{"value": "a@corp.local"}]},
            id="any address",
        ),
        pytest.param(
            {f"{CUSTOM}": {"badge": 7, "rate": 1, "remote": "true"}},
            {CUSTOM: {"badge": 7, "rate": 1.0, "remote": True}},
            id="custom attributes",
        ),
        pytest.param(
            {CUSTOM: {"since": "2026-01-31T08:00:00Z", "badge": ""}},
            {CUSTOM: {"since": "2026-01-31T08:00:00Z"}},
            id="custom moment, blank number",
        ),
        pytest.param({"externalId": "1"}, {"externalId": "1"}, id="externalId is only a string"),
    ],
)
def test_a_user_body_becomes_canonical(given, resource):
    assert read(**given).resource == {"userName": "luis"} | resource


@pytest.mark.parametrize(
    ("given", "ignored"),
    [
        ({"title": "x", "nickName": "y"}, ("title", "nickName")),
        ({"password": "secret"}, ("password",)),
        ({"name": {"middleName": "x"}}, ("name.middleName",)),
        ({"PhoneNumbers": [{"value": 5}]}, ("phoneNumbers",)),
        ({"is_staff": True, "pk": 1, "role": "admin"}, ("is_staff", "pk", "role")),
        ({"emails": [{"value": "a", "foo": 1}]}, ("emails.foo",)),
        ({"name": {"foo": 1}}, ("name.foo",)),
        ({"emails.value": "a@b"}, ("emails.value",)),
        ({"urn:example:2.0:User": {"x": 1}}, ("urn:example:2.0:User",)),
        ({ENTERPRISE: {"foo": 1}}, (f"{ENTERPRISE}:foo",)),
        ({"manager": {"value": "2"}}, ("manager",)),
        ({CUSTOM: {"nope": 1}, "active": "False"}, (f"{CUSTOM}:nope",)),
        ({"id": "1", "groups": [], "meta": {}}, ()),
    ],
)
def test_what_is_not_kept_is_ignored_and_named(given, ignored):
    document = read(**given)
    assert document.ignored == ignored
    assert set(document.resource) <= {"userName", "emails", "active"}


@pytest.mark.parametrize(
    "attributes",
    [
        *({"userName": bad} for bad in (7, None, [], {}, True, "", "  ", "a\tb", "a\nb", "\x7f")),
        *({"userName": bad} for bad in ("a\u202eb", "a\u200bb", "\ufeffa", "a\u2028b", "\u3164")),
        {"userName": "x" * (limits.NAME_CHARACTERS + 1)},
        {"userName": "f" * 32 + "x" * limits.NAME_CHARACTERS, "active": False},
        {"displayName": "x" * (limits.TEXT_CHARACTERS + 1)},
        {"displayName": ["x"]},
        {"externalId": 1},
        *({"active": bad} for bad in (1, 0, "", "yes", [], {})),
        {"name": "Luis"},
        {"name": ["Luis"]},
        {"name": {"givenName": 5}},
        {"emails": "a@b"},
        {"emails": ["a@b"]},
        {"emails": [None]},
        {"emails": [{}]},
        {"emails": [{"type": "work"}]},
        {"emails": [{"value": 5}]},
        {"emails": [{"value": "a", "primary": "maybe"}]},
        {"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": "true"}]},
        {"emails": [{"value": str(n)} for n in range(limits.EMAILS + 1)]},
        {"emails": [{"value": "a"}] * 50_000},
        {ENTERPRISE: "IT"},
        {ENTERPRISE: []},
        {ENTERPRISE: {"department": 5}},
        {CUSTOM: {"badge": "7"}},
        {CUSTOM: {"badge": 7.5}},
        {CUSTOM: {"badge": True}},
        {CUSTOM: {"badge": 2**63}},
        {CUSTOM: {"rate": float("inf")}},
        {CUSTOM: {"rate": 10**400}},
        {CUSTOM: {"since": "today"}},
        {CUSTOM: {"nope": 1}},
        {CUSTOM: {"nope": 1}, "active": True},
    ],
    ids=lambda attributes: repr(attributes)[:60],
)
def test_a_wrong_value_is_refused(attributes):
    with pytest.raises(ScimError) as caught:
        read(**attributes)
    assert (caught.value.http_status, caught.value.scim_type) == (400, "invalidValue")


@pytest.mark.parametrize("body", [None, [], "x", 5, True])
def test_a_body_is_an_object(body):
    with pytest.raises(ScimError) as caught:
        read_body(body)
    assert caught.value.scim_type == "invalidSyntax"


@pytest.mark.parametrize(
    "body",
    [
        {"userName": "a", "USERNAME": "b"},
        {"userName": "a", "name": {"givenName": "a", "givenname": "b"}},
        {"userName": "a", "name": {"givenName": "a"}, "name.givenName": "b"},
        {"userName": "a", "emails": [{"value": "a", "VALUE": "b"}]},
    ],
)
def test_nothing_is_named_twice(body):
    with pytest.raises(ScimError) as caught:
        read_body(body)
    assert caught.value.scim_type == "invalidSyntax"


def test_an_unknown_custom_attribute_says_where_to_define_it():
    with pytest.raises(ScimError, match="Administración › Identidad › Atributos"):
        read(**{CUSTOM: {"nope": 1}})


def test_a_wrong_type_names_the_attribute():
    with pytest.raises(ScimError, match=r"name\.givenName must be a string, not a number"):
        read(name={"givenName": 5})


def test_required_attributes_must_be_there():
    for body, type in (({}, USER), ({}, GROUP), ({"displayName": ""}, GROUP)):
        with pytest.raises(ScimError, match="is required"):
            read_body(body, type)


def test_clearing_is_naming():
    names = read(displayName="", emails=[], name=None, **{ENTERPRISE: None}).names
    assert names == {"userName", "displayName", "emails", "name", f"{ENTERPRISE}:department"}


def test_a_deep_body_is_read_without_recursion():
    deep = inner = []
    for _ in range(100_000):
        inner.append([])
        inner = inner[0]
    assert read(foo=deep).ignored == ("foo",)


def test_the_ignored_names_are_bounded():
    ignored = read(**{f"{'k' * 300}{n}": n for n in range(5_000)}).ignored
    assert len(ignored) <= limits.IGNORED_NAMES
    assert max(map(len, ignored)) <= limits.IGNORED_NAME_CHARACTERS


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        pytest.param({}, None, id="absent"),
        pytest.param({"members": None}, None, id="null is left out"),
        pytest.param({"members": []}, (), id="Okta: nobody"),
        pytest.param(
            {"members": [{"value": "a", "display": "Ana", "$ref": None}]}, ("a",), id="objects"
        ),
        pytest.param(
            {"members": [{"value": "a"}, {"value": "b"}, {"value": "a"}]}, ("a", "b"), id="once"
        ),
        pytest.param({"MEMBERS": [{"VALUE": "a"}]}, ("a",), id="any case"),
    ],
)
def test_members_are_ids(given, ids):
    document = read(GROUP, **given)
    found = document.resource.get("members", [])
    assert tuple(member["value"] for member in found) == (ids or ())
    assert ("members" in document.names) is (ids is not None)


@pytest.mark.parametrize(
    "members",
    ["", 5, [5], [None], [{}], [{"value": 5}], [{"value": ""}], [{"value": "g", "type": "Group"}]],
    ids=repr,
)
def test_wrong_members_are_refused(members):
    with pytest.raises(ScimError) as caught:
        read(GROUP, members=members)
    assert caught.value.scim_type == "invalidValue"


def test_microsofts_own_group_urn_is_no_obstacle():
    urn = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
    assert read(GROUP, schemas=[GROUP_URN, urn]).resource == {"displayName": "IT"}


BEFORE = {
    "schemas": [USER_URN],
    "id": "1",
    "userName": "luis",
    "displayName": "Luis",
    "emails": [WORK],
    "active": False,
    "groups": [{"value": "g"}],
    ENTERPRISE: {"department": "IT"},
    "meta": {"version": "1"},
}
ALWAYS = {name: BEFORE[name] for name in ("schemas", "id", "groups", "meta")}


@pytest.mark.parametrize(
    ("given", "after"),
    [
        pytest.param({}, {"active": False}, id="left out is cleared, but active"),
        pytest.param({"active": None}, {"active": False}, id="null active is left out"),
        pytest.param({"active": True}, {"active": True}, id="active is set"),
        pytest.param({"displayName": "L"}, {"active": False, "displayName": "L"}, id="set"),
        pytest.param(
            {"id": "2", "meta": {}, "groups": []}, {"active": False}, id="Okta: read-only stays"
        ),
    ],
)
def test_put_replaces(given, after):
    before = copy.deepcopy(BEFORE)
    document = read(**given)
    assert documents.replace(document, before) == ALWAYS | {"userName": "luis"} | after
    assert before == BEFORE


@pytest.mark.parametrize(
    ("given", "members"),
    [
        ({}, [{"value": "a"}]),
        ({"members": []}, None),
        ({"members": [{"value": "b"}]}, [{"value": "b"}]),
    ],
)
def test_put_of_a_group_keeps_members_it_does_not_name(given, members):
    group = {"id": "1", "displayName": "old", "members": [{"value": "a"}]}
    after = documents.replace(read(GROUP, **given), group)
    assert after.get("members") == members


KEYS = st.sampled_from(
    [path.name for path in USER.paths.values()] + ["schemas", ENTERPRISE, CUSTOM, "emails[0]", "x"]
)
PARTS = st.sampled_from(["value", "type", "primary", "givenName", "badge", "department", "x"])
VALUES = JSON | st.dictionaries(PARTS, JSON) | st.lists(st.dictionaries(PARTS, JSON), max_size=3)


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from([USER, GROUP]))
def test_any_body_is_a_document_or_a_scim_error(body, type):
    name = "userName" if type is USER else "displayName"
    before = copy.deepcopy(body)
    document, error = attempt(documents.read, {name: "luis"} | body, type)
    if error:
        assert error.http_status == 400
        assert error.scim_type in ("invalidValue", "invalidSyntax")
    else:
        again = documents.read(document.resource, type)
        assert again.resource == document.resource
        assert again.ignored == ()
    assert repr(body) == repr(before)


@given(JSON, st.sampled_from([USER, GROUP]))
def test_any_json_is_a_document_or_a_scim_error(body, type):
    _, error = attempt(documents.read, body, type)
    assert error is None or error.to_dict()["status"] == "400"
