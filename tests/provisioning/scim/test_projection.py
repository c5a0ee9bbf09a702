"""attributes and excludedAttributes: what an answer carries."""

import pytest

from provisioning.scim.errors import ScimError
from provisioning.scim.projection import Projection
from provisioning.scim.schemas import CUSTOM, ENTERPRISE, GROUP, USER_URN
from tests.provisioning.scim.strategies import USER

LUIS = {
    "schemas": [USER_URN, ENTERPRISE],
    "id": "1",
    "userName": "luis",
    "name": {"givenName": "Luis", "familyName": "Gómez"},
    "emails": [{"value": "a@b", "type": "work"}, {"value": "c@d"}],
    "active": False,
    ENTERPRISE: {"department": "IT"},
    CUSTOM: {"badge": 0, "costCentre": "5"},
}
FIRST = {"schemas": LUIS["schemas"], "id": "1"}


@pytest.mark.parametrize(
    ("attributes", "rest"),
    [
        ("userName", {"userName": "luis"}),
        ("USERNAME, active", {"userName": "luis", "active": False}),
        (f"{USER_URN}:userName", {"userName": "luis"}),
        ("name.givenName", {"name": {"givenName": "Luis"}}),
        ("name.givenName,name", {"name": LUIS["name"]}),
        ("name,name.givenName", {"name": LUIS["name"]}),
        ("emails.type", {"emails": [{"type": "work"}]}),
        ("emails.display", {}),
        (ENTERPRISE, {ENTERPRISE: {"department": "IT"}}),
        (f"{ENTERPRISE}:department", {ENTERPRISE: {"department": "IT"}}),
        (f"{CUSTOM}:badge", {CUSTOM: {"badge": 0}}),
        ("id", {}),
        ("foo,title,password", {}),
        (",", {}),
    ],
)
def test_only_what_is_asked_for_comes_with_the_id(attributes, rest):
    assert Projection.parse(attributes, None, USER).apply(LUIS) == FIRST | rest


@pytest.mark.parametrize(
    ("excluded", "gone"),
    [
        ("userName", {"userName"}),
        ("id,schemas", set()),
        ("EMAILS", {"emails"}),
        (f"{ENTERPRISE}:department", {ENTERPRISE}),
        (CUSTOM, {CUSTOM}),
        ("foo", set()),
        ("members", set()),
        ("name.givenName,name.familyName", {"name"}),
    ],
)
def test_what_is_excluded_is_gone(excluded, gone):
    rest = Projection.parse(None, excluded, USER).apply(LUIS)
    assert rest == {name: value for name, value in LUIS.items() if name not in gone}


def test_a_part_is_excluded_from_every_element():
    rest = Projection.parse(None, "emails.value,active", USER).apply(LUIS)
    assert rest["emails"] == [{"type": "work"}]
    assert "active" not in rest


@pytest.mark.parametrize(
    ("attributes", "excluded", "wanted"),
    [
        (None, None, True),
        ("", "", True),
        ("displayName", None, False),
        ("members", None, True),
        ("members.value", None, True),
        (None, "members", False),
        (None, "MEMBERS,displayName", False),
        (None, "members.display", True),
        (None, "displayName", True),
    ],
)
def test_members_are_only_read_when_wanted(attributes, excluded, wanted):
    projection = Projection.parse(attributes, excluded, GROUP)
    assert projection.wants("members") is wanted
    assert projection.wants("id")


def test_without_parameters_nothing_is_copied():
    assert Projection.parse(None, None, USER).apply(LUIS) is LUIS


def test_both_parameters_are_refused():
    with pytest.raises(ScimError) as caught:
        Projection.parse("userName", "emails", USER)
    assert caught.value.http_status == 400


def test_a_very_long_list_is_read_too():
    names = ",".join(f"name{n}" for n in range(5_000)) + ",userName"
    assert Projection.parse(names, None, USER).apply(LUIS) == FIRST | {"userName": "luis"}
