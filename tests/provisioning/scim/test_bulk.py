"""Bulk requests: what is read, in which order, and what references become."""

import pytest

from provisioning.scim import bulk
from provisioning.scim.errors import ScimError


def post(bulk_id, path="/Users", **data):
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data or {"userName": "x"}}


def group(bulk_id, *members):
    return post(bulk_id, "/Groups", members=[{"value": f"bulkId:{name}"} for name in members])


def read(*operations, **also):
    return bulk.parse({"schemas": [bulk.URN], "Operations": list(operations)} | also)


def order(request):
    return [operation.bulk_id for operation in bulk.ordered(request)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], "400"), ({}, "400"), ({"Operations": []}, "400"), ({"Operations": {}}, "400"),
        ({"Operations": [post("a")] * 1001}, "413"),
        ({"Operations": [post("a")], "failOnErrors": 0}, "400"),
        ({"Operations": [post("a")], "failOnErrors": True}, "400"),
        ({"Operations": [post("a")], "failOnErrors": "1"}, "400"),
    ],
)  # fmt: skip
def test_what_is_no_bulk_request_is_refused_whole(body, status):
    with pytest.raises(ScimError) as refused:
        bulk.parse(body)
    assert refused.value.to_dict()["status"] == status


@pytest.mark.parametrize(
    "operation",
    [
        None, "POST", {}, {"method": "GET", "path": "/Users"},
        {"method": "POST", "path": "/Users", "data": {}},
        post("a", "/Me"), post("a", "/Users/1"), post("a", "/Users?x=1"), post("a", "//Users"),
        post("a", "/Bulk"), post("a", "https://x/Users"), post("a", "/users"),
        {"method": "DELETE", "path": "/Users"}, {"method": "PUT", "path": "/Users/1"},
        {"method": "PATCH", "path": "/Users/1", "data": []},
        {"method": "DELETE", "path": "/Users/1", "version": 3},
    ],
)  # fmt: skip
def test_a_wrong_operation_keeps_its_error_to_itself(operation):
    request = read(operation, post("good"))
    assert request.operations[0].error.http_status == 400
    assert request.operations[1].error is None


def test_names_and_methods_come_in_any_case():
    request = bulk.parse({"operations": [{"METHOD": "delete", "Path": "/Users/1"}]})
    assert (request.operations[0].method, request.operations[0].resource_id) == ("DELETE", "1")


def test_a_bulk_id_used_twice_is_an_error_of_the_second():
    first, second = read(post("a"), post("a")).operations
    assert (first.error, second.error.http_status) == (None, 400)


def test_operations_without_references_keep_their_order():
    assert order(read(post("a"), post("b"), post("c"))) == ["a", "b", "c"]


def test_what_is_referred_to_comes_first():
    assert order(read(group("g", "a", "b"), post("a"), post("b"))) == ["a", "b", "g"]


def test_nothing_moves_that_need_not():
    later = {"method": "DELETE", "path": "/Groups/1", "bulkId": "d"}
    assert order(read(post("a"), group("g", "a"), later)) == ["a", "g", "d"]


def test_a_circle_is_409_and_so_is_what_waits_for_it():
    request = read(group("g", "h"), group("h", "g"), group("w", "g"), post("a"))
    found = {op.bulk_id: op.error and op.error.http_status for op in bulk.ordered(request)}
    assert found == {"a": None, "g": 409, "h": 409, "w": 409}


def test_a_resource_that_refers_to_itself_is_a_circle():
    assert next(iter(bulk.ordered(read(group("g", "g"))))).error.http_status == 409


def test_references_are_replaced_in_values_paths_and_ids():
    operation = {
        "method": "PATCH",
        "path": "/Groups/bulkId:g",
        "data": {
            "Operations": [
                {"op": "remove", "path": 'members[value eq "bulkId:a"]'},
                {"op": "add", "path": "members", "value": [{"value": "bulkId:b"}]},
            ]
        },
    }
    request = read(group("g"), post("a"), post("b"), operation)
    resource_id, data = bulk.resolved(request.operations[3], {"g": "G", "a": "A", "b": "B"})
    assert resource_id == "G"
    assert data["Operations"][0]["path"] == 'members[value eq "A"]'
    assert data["Operations"][1]["value"] == [{"value": "B"}]


def test_a_text_that_merely_mentions_a_bulk_id_stays():
    request = read(post("a", displayName="see bulkId:b, please"))
    assert request.operations[0].needs == frozenset()


def test_a_reference_to_what_failed_is_an_error():
    with pytest.raises(ScimError, match="stands for no resource"):
        bulk.resolved(read(group("g", "missing")).operations[0], {})


def test_a_thousand_operations_in_a_chain_are_ordered_at_once():
    chain = [group(f"g{n}", f"g{n + 1}") for n in range(999)]
    assert order(read(*chain, post("g999")))[0] == "g999"
