"""What the service says about itself is what it does."""

import pytest
from django_scim import utils

from audit.actors import SYSTEM
from provisioning.operations import attributes

CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"


def schema(idp, urn):
    response = idp.get(f"/Schemas/{urn}")
    assert response.status_code == 200, response.content
    return {attribute["name"]: attribute for attribute in response.json()["attributes"]}


def test_the_configuration_tells_what_is_served(entra):
    config = entra.get("/ServiceProviderConfig").json()
    supported = {name: config[name]["supported"] for name in ("patch", "bulk", "filter", "etag")}
    assert supported == dict.fromkeys(supported, True)
    assert config["sort"] == {"supported": True}
    assert config["changePassword"] == {"supported": False}
    assert config["filter"]["maxResults"] == 500
    assert config["pagination"]["defaultPaginationMethod"] == "index"
    assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"
    assert "pagination" in config


def test_resource_types_name_their_extensions(entra):
    types = {each["id"]: each for each in entra.get("/ResourceTypes").json()["Resources"]}
    assert set(types) == {"User", "Group"}
    extensions = {each["schema"] for each in types["User"]["schemaExtensions"]}
    assert extensions == {ENTERPRISE}
    assert entra.get("/ResourceTypes/User").json() == types["User"]
    assert entra.get("/ResourceTypes/Nothing").status_code == 404


def test_every_attribute_of_a_user_is_in_the_schemas(entra):
    assert set(schema(entra, CORE)) == {
        "externalId", "userName", "name", "displayName", "emails", "active", "groups",
    }  # fmt: skip
    assert set(schema(entra, ENTERPRISE)) == {"department"}


def test_the_custom_extension_is_told_of_once_it_has_an_attribute(entra):
    assert entra.get(f"/Schemas/{CUSTOM}").status_code == 404
    attributes.add("badge", actor=SYSTEM)
    extensions = entra.get("/ResourceTypes/User").json()["schemaExtensions"]
    assert {each["schema"] for each in extensions} == {ENTERPRISE, CUSTOM}
    assert set(schema(entra, CUSTOM)) == {"badge"}


def test_no_schema_holds_a_null(entra):
    def walk(value):
        assert value is not None
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, dict | list):
                walk(inner)
            assert inner is not None

    walk(entra.get("/Schemas").json())


def test_a_custom_attribute_is_there_at_once_and_leaves_when_removed(entra):
    entra.get("/Schemas")  # the worker now keeps this version
    attribute = attributes.add("costCenter", "integer", actor=SYSTEM)
    assert schema(entra, CUSTOM)["costCenter"]["type"] == "integer"
    user = entra.user(**{CUSTOM: {"costCenter": 42}})
    assert user[CUSTOM] == {"costCenter": 42}
    attributes.remove(attribute.pk, actor=SYSTEM, confirmation="costCenter")
    assert entra.get(f"/Schemas/{CUSTOM}").status_code == 404
    assert CUSTOM not in entra.get(f"/Users/{user['id']}").json()


@pytest.mark.unreconciled
def test_the_mutability_of_user_name_follows_the_providers_setting(entra):
    assert schema(entra, CORE)["userName"]["mutability"] == "immutable"
    entra.provider.allow_rename = True
    entra.provider.save()
    assert schema(entra, CORE)["userName"]["mutability"] == "readWrite"


@pytest.mark.parametrize("path", ["/Schemas", "/ResourceTypes"])
def test_a_filter_on_discovery_is_refused_not_ignored(entra, path):
    assert entra.get(f"{path}?filter=id pr").status_code == 403


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_me_is_not_implemented(entra, method):
    response = entra.request(method, "/Me")
    assert (response.status_code, response.json()["status"]) == (501, "501")


@pytest.mark.parametrize(
    ("kind", "getter", "body"),
    [
        ("Users", "USER_ADAPTER", {"userName": "x"}),
        ("Groups", "GROUP_ADAPTER", {"displayName": "x"}),
    ],
)
def test_django_scim2s_adapter_is_on_every_resource_request(entra, monkeypatch, kind, getter, body):
    made = entra.post(f"/{kind}", body).json()
    path = f"/{kind}/{made['id']}"
    change = {"Operations": [{"op": "replace", "path": "externalId", "value": "1"}]}

    class Broken(getattr(utils.scim_settings, getter)):
        def to_dict(self):
            raise RuntimeError("the adapter was asked")

    monkeypatch.setattr(utils.scim_settings, getter, Broken)
    for method, where, sent in [
        ("GET", path, None),
        ("GET", f"/{kind}", None),
        ("POST", f"/{kind}", dict.fromkeys(body, "y")),
        ("PUT", path, body),
        ("PATCH", f"{path}?attributes=id", change),
        ("POST", f"/{kind}/.search", {}),
    ]:
        assert entra.request(method, where, sent).status_code == 500, (method, where)


@pytest.mark.parametrize(
    "path", ["/Schemas", f"/Schemas/{CORE}", "/ResourceTypes", "/ServiceProviderConfig"]
)
def test_an_etag_spares_what_the_caller_has(entra, path):
    tag = entra.get(path)["ETag"]
    again = entra.get(path, **{"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)


@pytest.mark.unreconciled
def test_the_etag_of_the_schemas_follows_the_attributes_and_the_provider(entra, okta):
    tag = entra.get("/Schemas")["ETag"]
    assert okta.get("/Schemas")["ETag"] == tag
    attributes.add("badge", actor=SYSTEM)
    assert entra.get("/Schemas", **{"If-None-Match": tag}).status_code == 200
    okta.provider.allow_rename = True
    okta.provider.save()
    assert okta.get("/Schemas")["ETag"] != entra.get("/Schemas")["ETag"]


def test_the_configuration_has_every_member_that_is_required(entra):
    config = entra.get("/ServiceProviderConfig").json()
    assert config["schemas"] == [
        "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
    ]
    for name in ("patch", "bulk", "filter", "changePassword", "sort", "etag"):
        assert isinstance(config[name]["supported"], bool)
    assert config["bulk"] == {
        "supported": True, "maxOperations": 1_000, "maxPayloadSize": 8 * 1024 * 1024,
    }  # fmt: skip
    for scheme in config["authenticationSchemes"]:
        assert all(scheme[name] for name in ("type", "name", "description"))
    assert config["pagination"] == {
        "cursor": True, "index": True, "defaultPaginationMethod": "index",
        "defaultPageSize": 100, "maxPageSize": 500, "cursorTimeout": 3_600,
    }  # fmt: skip
    assert config["meta"]["resourceType"] == "ServiceProviderConfig"


def test_each_schema_and_each_resource_type_is_read_alone_as_in_the_list(entra):
    attributes.add("badge", actor=SYSTEM)
    for kind in ("Schemas", "ResourceTypes"):
        listed = entra.get(f"/{kind}").json()
        assert listed["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
        assert listed["totalResults"] == len(listed["Resources"])
        for document in listed["Resources"]:
            assert entra.get(f"/{kind}/{document['id']}").json() == document
            assert entra.get(document["meta"]["location"].partition("8000")[2]).json() == document


def test_what_a_resource_type_names_can_be_found(entra):
    attributes.add("badge", actor=SYSTEM)
    schemas = {document["id"] for document in entra.get("/Schemas").json()["Resources"]}
    named = set()
    for document in entra.get("/ResourceTypes").json()["Resources"]:
        assert all(document[name] for name in ("name", "endpoint", "schema"))
        assert entra.get(document["endpoint"]).status_code == 200
        extensions = document.get("schemaExtensions", [])
        assert all(extension["required"] is False for extension in extensions)
        named |= {document["schema"], *(extension["schema"] for extension in extensions)}
    assert named == schemas
    assert not [urn for urn in schemas if urn.startswith("urn:ietf:params:scim:api:")]


@pytest.mark.parametrize("path", ["/Schemas", "/ResourceTypes"])
def test_discovery_is_neither_paged_nor_sorted(entra, path):
    whole = entra.get(path).json()
    assert entra.get(f"{path}?startIndex=2&count=1&sortBy=id&sortOrder=descending").json() == whole


def test_no_attribute_of_a_complex_one_is_complex_itself(entra):
    for document in entra.get("/Schemas").json()["Resources"]:
        for attribute in document["attributes"]:
            for sub in attribute.get("subAttributes", []):
                assert sub["type"] != "complex"
                assert "subAttributes" not in sub


def test_references_and_ids_are_compared_with_their_case(entra):
    user, group = schema(entra, CORE), schema(entra, CORE.replace("User", "Group"))
    assert user["externalId"]["caseExact"]
    for attribute in (user["groups"], group["members"]):
        parts = {part["name"]: part for part in attribute["subAttributes"]}
        assert parts["value"]["caseExact"]
        assert (parts["$ref"]["type"], parts["$ref"]["caseExact"]) == ("reference", True)
    assert not user["userName"]["caseExact"]
    assert not group["displayName"]["caseExact"]


def test_a_filter_on_the_configuration_is_refused_too(entra):
    response = entra.get("/ServiceProviderConfig?filter=patch.supported eq true")
    assert (response.status_code, response.json()["status"]) == (403, "403")


@pytest.mark.parametrize(
    "path", [f"/Schemas/{CORE}", "/ResourceTypes/User", "/ServiceProviderConfig"]
)
def test_discovery_answers_the_attributes_that_were_asked_for(entra, path):
    whole = entra.get(path).json()
    asked = entra.get(f"{path}?attributes=META").json()
    assert asked == {name: whole[name] for name in ("schemas", "id", "meta") if name in whole}
    rest = entra.get(f"{path}?excludedAttributes=id,meta,description").json()
    assert rest == {n: v for n, v in whole.items() if n not in ("meta", "description")}
