"""Habits against the RFC: understood from the providers that have them, refused from all others."""

from dataclasses import fields

import pytest

from provisioning.scim import documents, patch
from provisioning.scim.errors import ScimError
from provisioning.scim.quirks import HABITS, STRICT, Habits, buried_name, standard_urn
from provisioning.scim.schemas import ENTERPRISE, group_type, user_type

WORK = {"value": "luis@example.org", "type": "work"}


def patched(habits, operation):
    body = {"Operations": [operation]}
    return patch.apply(patch.parse(body, user_type(habits=habits)), {"userName": "luis"})


def added_members(habits, value):
    body = {"Operations": [{"op": "add", "path": "members", "value": value}]}
    return patch.parse(body, group_type(habits)).members[0].ids


def read_members(habits, value):
    body = {"displayName": "IT", "members": value}
    return documents.read(body, group_type(habits)).resource["members"]


def read_emails(habits, value):
    body = {"userName": "luis", "emails": value}
    return documents.read(body, user_type(habits=habits)).resource["emails"]


FIRST = {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "luis@example.org"}
CASES = {
    "replaces_what_is_missing": [
        (lambda habits: patched(habits, FIRST)["emails"], [WORK], "noTarget")
    ],
    "names_members_by_text": [
        (lambda habits: added_members(habits, ["a", "b"]), ("a", "b"), "invalidValue"),
        (lambda habits: added_members(habits, "a"), ("a",), "invalidValue"),
        (lambda habits: read_members(habits, ["a"]), [{"value": "a"}], "invalidValue"),
    ],
    "sends_one_for_many": [
        (lambda habits: read_emails(habits, WORK), [WORK], "invalidValue"),
        (lambda habits: read_members(habits, {"value": "a"}), [{"value": "a"}], "invalidValue"),
    ],
}


def test_every_habit_is_shown_here_and_belongs_to_a_provider():
    names = {field.name for field in fields(Habits)}
    assert set(CASES) == names
    assert {name for habits in HABITS.values() for name in names if getattr(habits, name)} == names


@pytest.mark.parametrize("habit", CASES)
def test_a_habit_is_understood_from_who_has_it_and_refused_from_others(habit):
    for act, understood, scim_type in CASES[habit]:
        for habits in (*HABITS.values(), STRICT):
            if getattr(habits, habit):
                assert act(habits) == understood
            else:
                with pytest.raises(ScimError) as refused:
                    act(habits)
                assert refused.value.scim_type == scim_type


def test_a_patch_takes_one_member_or_e_mail_without_its_list_from_everybody():
    assert added_members(STRICT, {"value": "a"}) == ("a",)
    operation = {"op": "add", "path": "emails", "value": WORK}
    assert patched(STRICT, operation)["emails"] == [WORK]


@pytest.mark.parametrize(
    "urn",
    [
        "urn:scim:schemas:extension:enterprise:1.0",
        "urn:scim:schemas:extension:enterprise:2.0",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0user",
    ],
)
def test_other_spellings_of_the_enterprise_urn_are_put_right(urn):
    assert standard_urn(urn) == ENTERPRISE.lower()
    assert standard_urn(f"{urn}:department") == f"{ENTERPRISE}:department".lower()
    assert standard_urn(f"{urn}s:department") == f"{urn}s:department"


def test_a_tombstone_holds_the_name_behind_32_hex_digits():
    digits = "3c7d0c0f9f6e4d7d8e9b6a1f2c4d5e6f"
    assert buried_name(f"{digits}luis@x") == "luis@x"
    assert buried_name(digits) is None
    assert buried_name("luis@x") is None
