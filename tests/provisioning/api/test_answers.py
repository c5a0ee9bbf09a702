"""What each verb answers (RFC 7644 §3.3 to §3.9), where no other file has its subject."""

import pytest

from provisioning.models import Group, User

NOBODY = "018f0000-0000-7000-8000-000000000000"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/Users", {"userName": "x"}), ("/Groups", {"displayName": "x"})],
)
def test_put_never_creates(entra, path, body):
    response = entra.put(f"{path}/{NOBODY}", body)
    assert (response.status_code, response.json()["status"]) == (404, "404")
    assert not User.objects.exists()
    assert not Group.objects.exists()


def test_a_group_keeps_its_required_name(entra):
    group = entra.group("Ventas")
    path = f"/Groups/{group['id']}"
    remove = {"op": "remove", "path": "displayName"}
    for response, scim_type in (
        (entra.put(path, {"externalId": "x"}), "invalidValue"),
        (entra.patch(path, remove), "mutability"),
    ):
        assert (response.status_code, response.json()["scimType"]) == (400, scim_type)
    assert entra.get(path).json() == group


def test_a_group_patch_answers_its_body_when_attributes_asks_for_it(entra):
    luis = entra.user()
    path = f"/Groups/{entra.group('Ventas', luis)['id']}"

    def rename(query, name):
        return entra.patch(path + query, {"op": "replace", "path": "displayName", "value": name})

    asked = rename("?attributes=displayName,members.value", "A")
    assert asked.status_code == 200
    assert set(asked.json()) == {"schemas", "id", "displayName", "members"}
    assert asked.json()["members"] == [{"value": luis["id"]}]
    for query, name in (("", "B"), ("?excludedAttributes=members", "C")):
        response = rename(query, name)
        assert (response.status_code, response.content) == (204, b"")
        assert response["ETag"] == entra.get(path)["ETag"]


def test_a_group_put_answers_the_whole_group(entra):
    luis = entra.user()
    group = entra.group("Ventas", luis)
    answered = entra.put(f"/Groups/{group['id']}", {"displayName": "Compras"})
    assert answered.json() == entra.get(f"/Groups/{group['id']}").json()
    assert answered.json()["members"][0]["value"] == luis["id"]


def test_a_new_group_is_201_with_its_place_and_its_members(entra, settings):
    luis = entra.user()
    body = {"displayName": "Ventas", "members": [{"value": luis["id"]}]}
    response = entra.post("/Groups", body)
    group = response.json()
    place = f"{settings.PUBLIC_URL}/scim/v2/Groups/{group['id']}"
    assert response.status_code == 201
    assert response["Location"] == group["meta"]["location"] == place
    assert group["meta"]["resourceType"] == "Group"
    assert [member["value"] for member in group["members"]] == [luis["id"]]


@pytest.mark.parametrize("accept", ["application/scim+json", "application/json", None])
def test_json_in_utf_8_is_answered_to_either_of_its_names(entra, accept):
    entra.user("josé@corp.local")
    response = entra.get("/Users", **({"Accept": accept} if accept else {}))
    assert response["Content-Type"] == "application/scim+json"
    assert "josé@corp.local".encode() in response.content


@pytest.mark.parametrize(
    "name",
    ["userName", "USERNAME", f"{CORE}:userName", f"{CORE.upper()}:USERNAME"],
)
def test_one_name_of_an_attribute_serves_everywhere_in_any_case(entra, name):
    user = entra.user("b@corp.local", displayName="B")
    entra.user("a@corp.local")
    assert [found["id"] for found in entra.find(f'{name} eq "B@CORP.LOCAL"')] == [user["id"]]
    listed = entra.get(f"/Users?sortBy={name}&attributes={name}").json()["Resources"]
    assert [found["userName"] for found in listed] == ["a@corp.local", "b@corp.local"]
    assert all(set(found) == {"schemas", "id", "userName"} for found in listed)
    same = {"op": "replace", "path": name, "value": "B@corp.local"}
    assert entra.patch(f"/Users/{user['id']}", same).status_code == 200


def test_an_attribute_of_an_extension_goes_by_its_full_name(entra):
    user = entra.user(**{ENTERPRISE: {"department": "Ventas"}})
    full = f"{ENTERPRISE}:department"
    assert [found["id"] for found in entra.find(f'{full} eq "ventas"')] == [user["id"]]
    asked = entra.get(f"/Users/{user['id']}?attributes={full}").json()
    assert asked[ENTERPRISE] == {"department": "Ventas"}
    assert ENTERPRISE not in entra.get(f"/Users/{user['id']}?attributes=department").json()
    refused = entra.get('/Users?filter=department eq "ventas"')
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidFilter")


@pytest.mark.parametrize("kind", ["Users", "Groups"])
@pytest.mark.parametrize(
    ("header", "method"),
    [("If-None-Match", method) for method in ("PUT", "PATCH", "DELETE")] + [("If-Match", "GET")],
)
@pytest.mark.parametrize("tag", ['W/"1"', "*", 'W/"9"'])
def test_every_method_heeds_every_condition(entra, kind, header, method, tag):
    """RFC 9110 §13.1.1, §13.1.2: a condition that does not hold stops any method with 412."""
    name = {"Users": "userName", "Groups": "displayName"}[kind]
    made = entra.post(f"/{kind}", {name: "x"}).json()
    path = f"/{kind}/{made['id']}"
    bodies = {
        "PUT": {name: "x", "externalId": "1"},
        "PATCH": {"Operations": [{"op": "add", "path": "externalId", "value": "1"}]},
    }
    response = entra.request(method, path, bodies.get(method), **{header: tag})
    is_present = tag in ('W/"1"', "*")
    if is_present == (header == "If-Match"):
        assert response.status_code in (200, 204)
    else:
        assert (response.status_code, response.json()["status"]) == (412, "412")
        assert entra.get(path).json() == made
