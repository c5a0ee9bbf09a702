"""What every resource has (RFC 7643 §2, §3): schemas, id, externalId, meta, references."""

import re
from urllib.parse import urlsplit

import pytest

from audit.actors import SYSTEM
from provisioning.operations import attributes

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
BODIES = {"Users": {"userName": "x"}, "Groups": {"displayName": "x"}}
KINDS = pytest.mark.parametrize("kind", BODIES)


def path_of(resource):
    return urlsplit(resource["meta"]["location"]).path


@KINDS
def test_what_was_never_changed_was_last_modified_when_it_was_created(entra, kind):
    made = entra.post(f"/{kind}", BODIES[kind]).json()
    for found in (made, entra.get(path_of(made)).json()):
        meta = found["meta"]
        assert meta["lastModified"] == meta["created"]
        assert MOMENT.fullmatch(meta["created"])
    entra.put(path_of(made), BODIES[kind])
    assert entra.get(path_of(made)).json()["meta"] == made["meta"]


@KINDS
def test_the_version_is_the_entity_tag_in_every_answer(entra, kind):
    made = entra.post(f"/{kind}", BODIES[kind])
    path = path_of(made.json())
    operation = {"op": "add", "path": "externalId", "value": "1"}
    for response in (
        made,
        entra.get(path),
        entra.patch(f"{path}?attributes=meta", operation),
        entra.put(path, BODIES[kind] | {"externalId": "2"}),
    ):
        version = response.json()["meta"]["version"]
        assert version.startswith("W/")
        assert response["ETag"] == version
    listed = entra.get(f"/{kind}").json()["Resources"][0]
    assert listed["meta"]["version"] == entra.get(path)["ETag"] == 'W/"3"'


@KINDS
def test_an_id_is_given_once_and_stays(entra, kind):
    first = entra.post(f"/{kind}", BODIES[kind]).json()
    others = [entra.user("y"), entra.group("y")]
    assert len({first["id"], *(other["id"] for other in others)}) == 3
    assert "bulkId" not in first["id"]
    path = path_of(first)
    entra.put(path, BODIES[kind] | {"id": "1", "externalId": "e"})
    entra.patch(path, {"op": "replace", "value": {"id": "2", "externalId": "f"}})
    assert entra.get(path).json()["id"] == first["id"]


@KINDS
def test_an_external_id_is_the_clients_and_never_made_up(entra, kind):
    made = entra.post(f"/{kind}", BODIES[kind]).json()
    assert "externalId" not in made
    entra.put(path_of(made), BODIES[kind] | {"externalId": "Ä-1"})
    assert entra.get(path_of(made)).json()["externalId"] == "Ä-1"
    assert entra.find('externalId eq "ä-1"', kind) == []


def test_schemas_names_what_a_resource_has_once_and_nothing_else(entra):
    attributes.add("badge", actor=SYSTEM)
    given = [CUSTOM, USER, USER, "urn:example:unknown", GROUP]
    plain = entra.user("a", schemas=given)
    assert plain["schemas"] == [USER]
    full = entra.user(
        "b", schemas=given, **{ENTERPRISE: {"department": "x"}, CUSTOM: {"badge": "y"}}
    )
    assert sorted(full["schemas"]) == sorted([USER, ENTERPRISE, CUSTOM])
    entra.patch(path_of(full), {"op": "remove", "path": f"{ENTERPRISE}:department"})
    assert sorted(entra.get(path_of(full)).json()["schemas"]) == sorted([USER, CUSTOM])
    assert entra.group("c")["schemas"] == [GROUP]


def test_the_order_of_attributes_means_nothing(entra):
    body = {
        "schemas": [USER, ENTERPRISE],
        "userName": "luis",
        "name": {"givenName": "Luis", "familyName": "Ortega"},
        "emails": [{"value": "luis@corp.local", "type": "work", "primary": True}],
        ENTERPRISE: {"department": "Ventas"},
    }

    def reversed_(value):
        if isinstance(value, dict):
            return {key: reversed_(value[key]) for key in reversed(value)}
        return [reversed_(each) for each in value] if isinstance(value, list) else value

    made = entra.post("/Users", body)
    again = entra.put(path_of(made.json()), reversed_(body))
    assert again.json() == made.json()
    assert again["ETag"] == made["ETag"]


def test_a_reference_leads_to_what_it_names(entra):
    luis = entra.user()
    group = entra.group("Ventas", luis)
    (member,) = entra.get(path_of(group)).json()["members"]
    (of,) = entra.get(path_of(luis)).json()["groups"]
    for element, resource in ((member, luis), (of, group)):
        found = entra.get(urlsplit(element["$ref"]).path)
        assert (found.status_code, found.json()["id"]) == (200, resource["id"])
        assert element["value"] == resource["id"]


def test_members_are_the_only_way_into_a_group(entra):
    group = entra.group("Ventas")
    claim = [{"value": group["id"], "display": "Ventas"}]
    luis = entra.user(groups=claim)
    entra.put(path_of(luis), {"userName": "luis@corp.local", "groups": claim})
    entra.patch(path_of(luis), {"op": "add", "value": {"groups": claim}})
    assert entra.members(group) == set()
    assert "groups" not in entra.get(path_of(luis)).json()


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("dateTime", "2026-01-31T08:00:00.5+01:00", ["2026-01-31", "08:00:00", "31/01/2026", 5]),
        ("integer", -7, [7.5, "7", True]),
        ("decimal", 2.5, ["2.5", True]),
        ("boolean", False, [0, "no"]),
        ("string", "Ñ €", [5, ["x"], {"a": 1}]),
    ],
)
def test_a_value_has_the_form_of_its_type(entra, type_, good, bad):
    attributes.add("own", type_, actor=SYSTEM)
    made = entra.user(**{CUSTOM: {"own": good}})
    assert made[CUSTOM] == {"own": good}
    for value in bad:
        refused = entra.put(path_of(made), {"userName": "luis@corp.local", CUSTOM: {"own": value}})
        assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue"), value


def test_one_e_mail_is_not_returned_twice_with_the_same_type(entra):
    twice = [{"value": "a@x", "type": "work"}, {"value": "A@X", "type": "Work"}]
    made = entra.user(emails=[*twice, {"value": "a@x", "type": "home"}])
    assert [email["type"] for email in made["emails"]] == ["work", "home"]
    assert not any(email.get("primary") for email in made["emails"])
