"""PATCH of groups: members become steps that need no list of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.scim import filters, patch
from provisioning.scim.errors import ScimError
from provisioning.scim.patch import MemberStep
from provisioning.scim.quirks import HABITS
from provisioning.scim.schemas import GROUP_URN, group_type
from tests.provisioning.scim.strategies import JSON, attempt

ENTRA_GROUP = group_type(HABITS["entra-id"])
BEFORE = {"id": "1", "displayName": "IT", "externalId": "x"}


def parsed(*operations):
    return patch.parse({"Operations": list(operations)}, ENTRA_GROUP)


def op(verb, path=None, value=...):
    operation = {"op": verb}
    if path is not None:
        operation["path"] = path
    if value is not ...:
        operation["value"] = value
    return operation


def add(*ids):
    return MemberStep("add", ids)


def remove(*ids):
    return MemberStep("remove", ids)


def replace(*ids):
    return MemberStep("replace", ids)


@pytest.mark.parametrize(
    ("operations", "steps"),
    [
        pytest.param(
            [op("Add", "members", [{"$ref": None, "value": "a"}])], [add("a")], id="Entra: add"
        ),
        pytest.param(
            [op("add", "members", [{"value": "a", "display": "Ana"}])], [add("a")], id="Okta: add"
        ),
        pytest.param(
            [op("add", "members", ["a", "b"])],
            [add("a", "b")],
            id="Microsoft Postman: bare strings",
        ),
        pytest.param([op("add", "members", {"value": "a"})], [add("a")], id="one object"),
        pytest.param([op("add", "members", "a")], [add("a")], id="one bare id"),
        pytest.param([op("add", "members", [])], [], id="add nobody"),
        pytest.param(
            [op("add", None, {"members": [{"value": "a"}]})], [add("a")], id="add without a path"
        ),
        pytest.param(
            [op("add", f"{GROUP_URN}:MEMBERS", ["a"])], [add("a")], id="URN path in capitals"
        ),
        pytest.param(
            [op("add", "members", [{"value": "a"}])] * 3,
            [add("a")],
            id="authentik: one operation a member",
        ),
        pytest.param(
            [op("add", "members", [x]) for x in "abc"], [add("a", "b", "c")], id="adds are joined"
        ),
        pytest.param(
            [op("Remove", "members", [{"value": "a"}])],
            [remove("a")],
            id="Entra: remove with a value list",
        ),
        pytest.param(
            [op("remove", 'members[value eq "a"]')],
            [remove("a")],
            id="aadOptscim062020, Okta: remove by filter",
        ),
        pytest.param(
            [op("remove", 'Members[VALUE Eq "a"]')], [remove("a")], id="filter in any case"
        ),
        pytest.param(
            [op("remove", 'members[value eq "a" or value eq "b"]')],
            [remove("a", "b")],
            id="filter of several",
        ),
        pytest.param([op("remove", "members")], [replace()], id="RFC: remove all"),
        pytest.param([op("remove", "members", None)], [replace()], id="null is no value"),
        pytest.param([op("remove", "members", [])], [], id="remove nobody"),
        pytest.param(
            [op("replace", "members", [{"value": "a"}])], [replace("a")], id="Okta: full push"
        ),
        pytest.param([op("replace", "members", [])], [replace()], id="Okta: push nobody"),
        pytest.param(
            [op("replace", None, {"members": []})], [replace()], id="nobody without a path"
        ),
        pytest.param(
            [op("remove", 'members[value eq "a"]'), op("add", "members", [{"value": "b"}])],
            [remove("a"), add("b")],
            id="Okta: remove and add",
        ),
        pytest.param(
            [op("add", "members", ["a"]), op("remove", "members", ["a"])],
            [add("a"), remove("a")],
            id="order is kept",
        ),
        pytest.param(
            [op("replace", "members", ["a"]), op("add", "members", ["b", "a"])],
            [replace("a", "b")],
            id="add after replace",
        ),
        pytest.param(
            [op("add", "members", ["a"]), op("replace", "members", [])],
            [add("a"), replace()],
            id="replace after add",
        ),
        pytest.param([op("replace", "displayName", "X")], [], id="members not named"),
    ],
)
def test_operations_become_steps(operations, steps):
    assert parsed(*operations).members == tuple(steps)


def test_any_other_filter_stays_a_filter():
    (step,) = parsed(op("remove", 'members[value sw "a" and not (display eq "b")]')).members
    assert step.kind == "remove_matching"
    assert filters.matches(step.filter, {"value": "ab"})
    assert not filters.matches(step.filter, {"value": "ab", "display": "B"})


def test_members_are_named_only_when_they_are():
    assert parsed(op("add", "members", [])).names == {"members"}
    assert parsed(op("replace", None, {"displayName": "X"})).names == {"displayName"}


def test_applying_touches_the_name_and_never_the_members():
    changes = parsed(
        op("replace", None, {"id": "1", "displayName": "X", "members": []}),
        op("remove", "externalId"),
    )
    group = BEFORE | {"members": [{"value": "a"}]}
    expected = {"id": "1", "displayName": "X", "members": [{"value": "a"}]}
    assert patch.apply(changes, group) == expected


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        (op("add", "members", [{"value": "g", "type": "Group"}]), "invalidValue"),
        (op("add", "members", [{"value": 5}]), "invalidValue"),
        (op("add", "members", [{}]), "invalidValue"),
        (op("add", "members", 5), "invalidValue"),
        (op("replace", "members", ""), "invalidValue"),
        (op("remove", "members", ""), "invalidValue"),
        (op("remove", "members", [None]), "invalidValue"),
        (op("add", "members"), "invalidValue"),
        (op("replace", "members"), "invalidValue"),
        (op("replace", 'members[value eq "a"]', {"value": "b"}), "mutability"),
        (op("replace", 'members[value eq "a"].value', "b"), "mutability"),
        (op("remove", 'members[value eq "a"].value'), "mutability"),
        (op("replace", 'members[value eq "a"].display', "b"), "mutability"),
        (op("add", None, {"members.value": "b"}), "mutability"),
        (op("add", None, {f"{GROUP_URN}:members.type": "User"}), "mutability"),
        (op("remove", 'members[foo eq "a"]'), "invalidFilter"),
        (op("remove", "members[]"), "invalidFilter"),
        (op("remove", "displayName"), "mutability"),
        (op("replace", "displayName", ""), "invalidValue"),
        (op("replace", "displayName", "x" * 257), "invalidValue"),
        (op("replace", "userName", "x"), "invalidPath"),
    ],
    ids=lambda each: repr(each)[:70],
)
def test_an_operation_is_refused(operation, scim_type):
    with pytest.raises(ScimError) as caught:
        parsed(operation)
    assert (caught.value.http_status, caught.value.scim_type) == (400, scim_type)


IDS = st.lists(st.sampled_from("abcd"), max_size=3)
OPERATIONS = st.one_of(
    st.builds(op, st.sampled_from(["add", "remove", "replace"]), st.just("members"), IDS),
    st.builds(lambda one: op("remove", f'members[value eq "{one}"]'), st.sampled_from("abcd")),
    st.just(op("remove", "members")),
)


def after(operations, members):
    """Carry out operations on a set, one by one: what the steps must come to."""
    for operation in operations:
        value = operation.get("value")
        ids = set(value or ())
        match operation["op"], operation["path"]:
            case "add", _:
                members = members | ids
            case "replace", _:
                members = ids
            case "remove", "members":
                members = set() if value is None else members - ids
            case "remove", path:
                members = members - {path.split('"')[1]}
    return members


@given(st.lists(OPERATIONS, min_size=1, max_size=6), st.sets(st.sampled_from("abcd")))
def test_joined_steps_come_to_what_the_operations_say(operations, members):
    found = set(members)
    for step in parsed(*operations).members:
        match step.kind:
            case "add":
                found |= set(step.ids)
            case "remove":
                found -= set(step.ids)
            case _:
                found = set(step.ids)
    assert found == after(operations, set(members))


@given(st.sampled_from(["add", "remove", "replace"]), JSON)
def test_any_members_are_steps_or_a_scim_error(verb, value):
    changes, error = attempt(parsed, op(verb, "members", value))
    if error:
        assert error.http_status == 400
    else:
        # Only null or a list empties: no blank, false or zero does.
        empties = replace() in changes.members
        assert not empties or value is None or (verb == "replace" and value == [])
