"""Groups: names, members by every dialect, and nobody lost when sixteen write at once."""

from functools import partial

import pytest

from audit.models import Event
from provisioning.models import Membership
from tests.concurrency import at_once


@pytest.fixture
def people(entra):
    return [entra.user(f"u{n}@corp.local") for n in range(4)]


def values(*users):
    return [{"value": user["id"]} for user in users]


def ids(*users):
    return {user["id"] for user in users}


@pytest.mark.parametrize(
    ("operations", "left"),
    [
        pytest.param([{"op": "Add", "path": "members", "value": "3"}], "0123", id="one"),
        pytest.param([{"op": "remove", "path": 'members[value eq "{0}"]'}], "12", id="by filter"),
        pytest.param([{"op": "Remove", "path": "members", "value": "01"}], "2", id="by list"),
        pytest.param([{"op": "remove", "path": "members"}], "", id="all by path"),
        pytest.param([{"op": "replace", "path": "members", "value": ""}], "", id="[] is nobody"),
        pytest.param([{"op": "replace", "path": "members", "value": "23"}], "23", id="replace"),
        pytest.param([{"op": "add", "path": "members", "value": ""}], "012", id="add nobody"),
        pytest.param([{"op": "add", "path": "members", "value": "012"}], "012", id="twice"),
        pytest.param([{"op": "remove", "path": "members", "value": "3"}], "012", id="non-member"),
        pytest.param([{"op": "replace", "value": {"displayName": "X"}}], "012", id="not named"),
        pytest.param(
            [
                {"op": "replace", "path": "members", "value": ""},
                {"op": "add", "path": "members", "value": "3"},
                {"op": "remove", "path": 'members[value eq "{3}"]'},
                {"op": "add", "path": "members", "value": "1"},
            ],
            "1",
            id="in their order",
        ),
    ],
)
def test_member_operations_leave_exactly_whom_they_say(entra, people, operations, left):
    group = entra.group("Ventas", *people[:3])
    for operation in operations:
        if "path" in operation:
            operation["path"] = operation["path"].format(*(user["id"] for user in people))
        if isinstance(operation.get("value"), str):
            operation["value"] = values(*(people[int(n)] for n in operation["value"]))
    response = entra.patch(f"/Groups/{group['id']}", *operations)
    assert (response.status_code, response.content) == (204, b"")
    assert entra.members(group) == ids(*(people[int(n)] for n in left))


def test_a_change_of_members_is_one_event_with_its_names(entra, people):
    group = entra.group("Ventas", people[0])
    Event.objects.count()
    entra.patch(
        f"/Groups/{group['id']}",
        {"op": "add", "path": "members", "value": values(*people[1:3])},
        {"op": "remove", "path": f'members[value eq "{people[0]["id"]}"]'},
    )
    event = Event.objects.first()
    assert event.type == "group.members_changed"
    assert event.details["members_added"]["names"] == ["u1@corp.local", "u2@corp.local"]
    assert event.details["members_removed"] == {"count": 1, "names": ["u0@corp.local"]}


def test_a_change_that_changes_nothing_writes_nothing(entra, people):
    group = entra.group("Ventas", people[0])
    events = Event.objects.count()
    entra.patch(
        f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": values(people[0])}
    )
    entra.put(f"/Groups/{group['id']}", {"displayName": "Ventas"})
    assert Event.objects.count() == events
    assert entra.get(f"/Groups/{group['id']}")["ETag"] == 'W/"1"'


def test_unknown_members_are_named_and_nothing_is_half_written(entra, people):
    group = entra.group("Ventas")
    unknown = "018f0000-0000-7000-8000-000000000000"
    response = entra.patch(
        f"/Groups/{group['id']}",
        {"op": "replace", "path": "displayName", "value": "Otra"},
        {"op": "add", "path": "members", "value": [*values(people[0]), {"value": unknown}]},
        {"op": "add", "path": "members", "value": [{"value": "no-uuid"}]},
    )
    assert (response.status_code, response.json()["scimType"]) == (400, "invalidValue")
    assert unknown in response.json()["detail"]
    assert entra.members(group) == set()
    assert entra.get(f"/Groups/{group['id']}").json()["displayName"] == "Ventas"


def test_put_keeps_the_members_it_does_not_name_and_empties_with_none(entra, people):
    group = entra.group("Ventas", *people[:2])
    path = f"/Groups/{group['id']}"
    assert entra.put(path, {"displayName": "Comercial"}).status_code == 200
    assert entra.members(group) == ids(*people[:2])
    entra.put(path, {"displayName": "Comercial", "members": values(*people[1:3])})
    assert entra.members(group) == ids(*people[1:3])
    entra.put(path, {"displayName": "Comercial", "members": []})
    assert entra.members(group) == set()


def test_nested_groups_are_refused_with_a_sentence(entra):
    inner = entra.group("Dentro")
    response = entra.post(
        "/Groups",
        {"displayName": "Fuera", "members": [{"value": inner["id"], "type": "Group"}]},
    )
    assert response.status_code == 400
    assert "Groups within groups" in response.json()["detail"]


def test_excluding_members_never_reads_them(entra, people, django_assert_num_queries):
    group = entra.group("Ventas", *people)
    with django_assert_num_queries(2):
        response = entra.get(f"/Groups/{group['id']}?excludedAttributes=members")
    assert "members" not in response.json()


def test_a_member_shows_its_new_name_after_a_change(entra, people):
    group = entra.group("Ventas", people[0])
    entra.patch(
        f"/Users/{people[0]['id']}", {"op": "add", "path": "displayName", "value": "Ana G."}
    )
    member = entra.get(f"/Groups/{group['id']}").json()["members"][0]
    assert member["display"] == "Ana G."
    assert member["$ref"].endswith(f"/scim/v2/Users/{people[0]['id']}")


def test_a_deleted_group_leaves_its_users(entra, people):
    group = entra.group("Ventas", *people)
    assert entra.delete(f"/Groups/{group['id']}").status_code == 204
    assert entra.get(f"/Groups/{group['id']}").status_code == 404
    assert entra.get(f"/Users/{people[0]['id']}").status_code == 200
    assert not Membership.objects.exists()
    assert entra.group("Ventas")


@pytest.mark.django_db(transaction=True)
def test_sixteen_concurrent_adds_and_removes_lose_nobody(entra):
    users = [entra.user(f"u{n}@corp.local") for n in range(16)]
    group = entra.group("Ventas", *users[:8])
    path = f"/Groups/{group['id']}"

    def call(n):
        user = users[n]
        if n < 8:
            operation = {"op": "remove", "path": f'members[value eq "{user["id"]}"]'}
        else:
            operation = {"op": "add", "path": "members", "value": values(user)}
        return lambda: entra.patch(path, operation).status_code

    assert at_once([call(n) for n in range(16)]) == [204] * 16
    assert entra.members(group) == ids(*users[8:])
    assert entra.get(path)["ETag"] == 'W/"17"'


@pytest.mark.django_db(transaction=True)
def test_sixteen_equal_creates_make_one_user(entra):
    names = ["José@corp.local", "JOSÉ@CORP.LOCAL", "jose\u0301@corp.local", "ｊosé@corp.local"]

    def call(n):
        return lambda: entra.post("/Users", {"userName": names[n % 4]}).status_code

    statuses = sorted(at_once([call(n) for n in range(16)]))
    assert statuses == [201] + [409] * 15
    assert Event.objects.filter(type="user.created").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_put_beside_a_delete_never_brings_a_user_back(entra):
    for n in range(4):
        user = entra.user(f"u{n}@corp.local")
        path = f"/Users/{user['id']}"
        body = {"userName": f"u{n}@corp.local", "displayName": "x"}
        puts = [lambda p=path, b=body: entra.put(p, b).status_code] * 7
        statuses = at_once([*puts, lambda p=path: entra.delete(p).status_code])
        assert statuses.count(204) == 1
        assert set(statuses) <= {200, 204, 404}
        assert entra.get(path).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_conditional_puts_one_wins(entra):
    user = entra.user()

    def call(n):
        body = {"userName": "luis@corp.local", "displayName": f"Luis {n}"}
        headers = {"If-Match": 'W/"1"'}
        return lambda: entra.put(f"/Users/{user['id']}", body, **headers).status_code

    statuses = at_once([call(n) for n in range(16)])
    assert sorted(statuses) == [200] + [412] * 15


@pytest.mark.django_db(transaction=True)
def test_adding_members_beside_their_deletion_leaves_no_deleted_member(entra):
    for n in range(4):
        user = entra.user(f"d{n}@corp.local")
        groups = [entra.group(f"G{n}-{m}", user) for m in range(3)]
        add = {"op": "add", "path": "members", "value": values(user)}
        calls = [partial(entra.patch, f"/Groups/{group['id']}", add) for group in groups]
        calls.append(partial(entra.delete, f"/Users/{user['id']}"))
        statuses = {response.status_code for response in at_once(calls)}
        assert statuses <= {204, 400}
        assert not Membership.objects.filter(user_id=user["id"]).exists()
