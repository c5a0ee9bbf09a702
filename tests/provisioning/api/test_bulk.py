"""/Bulk: references in any order, each operation a transaction and an event of its own."""

import pytest

from audit.models import Event
from provisioning.models import Group, User
from provisioning.scim import bulk

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NOBODY = "018f0000-0000-7000-8000-000000000000"


def user(bulk_id, name=None):
    data = {"userName": name or f"{bulk_id}@corp.local"}
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def group(bulk_id, *members):
    data = {
        "displayName": f"Grupo {bulk_id}",
        "members": [{"value": f"bulkId:{name}"} for name in members],
    }
    return {"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data}


def send(idp, *operations, **also):
    body = {"schemas": [bulk.URN], "Operations": list(operations)} | also
    return idp.post("/Bulk", body)


def statuses(response):
    assert response.status_code == 200, response.content
    assert response.json()["schemas"] == [bulk.RESPONSE_URN]
    return [operation["status"] for operation in response.json()["Operations"]]


def test_a_group_may_name_users_that_are_made_after_it(entra):
    response = send(entra, group("g", "a", "b"), user("a"), user("b"))
    assert statuses(response) == ["201", "201", "201"]
    made = response.json()["Operations"]
    assert [operation["bulkId"] for operation in made] == ["g", "a", "b"]
    assert made[0]["version"] == 'W/"1"'
    group_id = made[0]["location"].rpartition("/")[2]
    assert made[0]["location"].endswith(f"/scim/v2/Groups/{group_id}")
    expected = {operation["location"].rpartition("/")[2] for operation in made[1:]}
    assert entra.members({"id": group_id}) == expected


def test_each_change_is_one_event(entra):
    send(entra, user("a"), user("b"), group("g", "a"))
    assert Event.objects.filter(category__in=("user", "group")).count() == 3


def test_one_made_here_may_be_changed_and_deleted_here(entra):
    patch = {"Operations": [{"op": "replace", "path": "active", "value": False}]}
    response = send(
        entra,
        user("a"),
        {"method": "PATCH", "path": "/Users/bulkId:a", "data": patch},
        {"method": "PUT", "path": "/Users/bulkId:a", "data": {"userName": "a@corp.local"}},
        {"method": "DELETE", "path": "/Users/bulkId:a"},
    )
    assert statuses(response) == ["201", "200", "200", "204"]
    assert User.objects.get().is_deleted


def test_a_failure_is_told_as_a_scim_error_and_the_rest_is_done(entra):
    entra.user("taken@corp.local")
    response = send(entra, user("a", "TAKEN@corp.local"), user("b"), group("g", "a"))
    assert statuses(response) == ["409", "201", "400"]
    refused = response.json()["Operations"][0]["response"]
    assert (refused["status"], refused["scimType"]) == ("409", "uniqueness")
    assert not Group.objects.exists()


def test_after_fail_on_errors_the_rest_is_not_done(entra):
    wrong = {"method": "GET", "path": "/Users"}
    response = send(entra, user("a"), wrong, user("b"), wrong, user("c"), failOnErrors=2)
    assert statuses(response) == ["201", "400", "201", "400"]
    assert User.objects.count() == 2


def test_a_circle_is_409_and_the_others_are_done(entra):
    response = send(entra, group("g", "h"), group("h", "g"), user("a"))
    assert statuses(response) == ["409", "409", "201"]


def test_a_version_is_a_condition(entra):
    made = entra.user()
    change = {
        "method": "PUT",
        "path": f"/Users/{made['id']}",
        "data": {"userName": "luis@corp.local", "displayName": "Luis"},
    }
    response = send(entra, change | {"version": 'W/"9"'}, change | {"version": 'W/"1"'})
    assert statuses(response) == ["412", "200"]
    assert response.json()["Operations"][1]["version"] == 'W/"2"'


def test_the_others_resources_are_404_here_too(entra, okta):
    made = entra.user()
    response = send(okta, {"method": "DELETE", "path": f"/Users/{made['id']}"})
    assert statuses(response) == ["404"]
    assert entra.get(f"/Users/{made['id']}").status_code == 200


@pytest.mark.parametrize(
    ("operations", "status"), [([], 400), ([user("a")] * 1001, 413), ("no list", 400)]
)
def test_a_wrong_request_is_refused_whole(entra, operations, status):
    response = entra.post("/Bulk", {"schemas": [bulk.URN], "Operations": operations})
    assert response.status_code == status
    assert not User.objects.exists()


def test_a_bug_in_one_operation_is_no_200(entra, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr("provisioning.operations.users.create", fail)
    assert send(entra, user("a")).status_code == 500


def test_every_answer_but_that_of_a_failed_post_has_its_place(entra):
    made = entra.user()
    path, other = f"/Users/{made['id']}", f"/Users/{NOBODY}"
    rename = {"userName": "otra@corp.local"}
    response = send(
        entra,
        user("a", "luis@corp.local"),
        {"method": "PUT", "path": path, "data": rename},
        {"method": "PATCH", "path": path, "data": {"Operations": []}},
        {"method": "DELETE", "path": other},
        {"method": "DELETE", "path": path},
    )
    assert statuses(response) == ["409", "400", "400", "404", "204"]
    places = [operation.get("location") for operation in response.json()["Operations"]]
    assert places[0] is None
    assert [place.partition("/scim/v2")[2] for place in places[1:]] == [path, path, other, path]
    for operation in response.json()["Operations"][:4]:
        assert operation["response"]["status"] == operation["status"]


def test_a_limit_that_is_exceeded_is_named(entra):
    many = entra.post("/Bulk", {"schemas": [bulk.URN], "Operations": [user("a")] * 1_001})
    large = entra.request("POST", "/Bulk", b" " * (8 * 1024 * 1024 + 1))
    for response, limit in ((many, "1000"), (large, str(8 * 1024 * 1024))):
        assert (response.status_code, response.json()["status"]) == (413, "413")
        assert limit in response.json()["detail"]


def test_without_fail_on_errors_everything_is_tried(entra):
    wrong = {"method": "GET", "path": "/Users"}
    response = send(entra, wrong, user("a"), wrong, user("b"), wrong)
    assert statuses(response) == ["400", "201", "400", "201", "400"]


def test_what_is_not_kept_refers_to_nothing(entra):
    """`manager` is ignored and `groups` read-only: a circle through them is none."""

    def of(bulk_id, **data):
        return {"method": "POST", "path": "/Users", "bulkId": bulk_id,
                "data": {"userName": f"{bulk_id}@corp.local"} | data}  # fmt: skip

    response = send(
        entra,
        of("a", **{ENTERPRISE: {"department": "x", "manager": {"value": "bulkId:b"}}}),
        of("b", manager={"value": "bulkId:a"}),
        of("c", groups=[{"value": "bulkId:g"}]),
        group("g", "c"),
        of("d", **{f"{ENTERPRISE}:manager": {"value": "bulkId:nobody"}}),
    )
    assert statuses(response) == ["201"] * 5
    assert Group.objects.get().display_name == "Grupo g"


def test_a_malformed_operation_has_its_place_too(entra):
    path = f"/Users/{entra.user()['id']}"
    response = send(
        entra,
        {"method": "PUT", "path": path},
        {"method": "PATCH", "path": path, "data": []},
        {"method": "DELETE", "path": path, "version": 3},
        {"method": "POST", "path": "/Users", "data": {}},
    )
    assert statuses(response) == ["400"] * 4
    places = [operation.get("location") for operation in response.json()["Operations"]]
    assert [place and place.partition("/scim/v2")[2] for place in places] == [path] * 3 + [None]


def test_part_of_an_id_is_no_reference(entra):
    put = {"method": "PUT", "path": "/Users/xbulkId:nope", "data": {"userName": "q"}}
    assert statuses(send(entra, user("a"), put)) == ["201", "404"]


def test_the_filters_of_a_whole_bulk_count_together(entra):
    path = f"/Groups/{entra.group()['id']}"
    terms = " or ".join(f'display co "{n}"' for n in range(150))
    remove = {"Operations": [{"op": "remove", "path": f"members[{terms}]"}]}
    response = send(entra, *[{"method": "PATCH", "path": path, "data": remove}] * 8)
    assert statuses(response) == ["200"] * 6 + ["413"] * 2
