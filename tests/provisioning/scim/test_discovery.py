"""Discovery, lists and errors: documents true to the RFCs and to the table of attributes."""

import subprocess
import sys

import pytest
from scim2_models import Error, ListResponse, ResourceType, Schema, ServiceProviderConfig, User

from provisioning.scim import discovery, documents, errors, limits, messages, patch
from provisioning.scim.errors import ScimError
from provisioning.scim.schemas import (
    CUSTOM,
    ENTERPRISE,
    GROUP,
    GROUP_URN,
    USER_URN,
    CustomAttribute,
    user_type,
)
from tests.provisioning.scim.strategies import USER

BASE = "https://alta.example/scim/v2"
SCHEMAS = discovery.schemas(USER, GROUP, BASE)
TYPES = discovery.resource_types(USER, GROUP, BASE)
CHARACTERISTICS = {
    "name": str,
    "type": str,
    "multiValued": bool,
    "description": str,
    "required": bool,
    "caseExact": bool,
    "mutability": str,
    "returned": str,
    "uniqueness": str,
}


def attributes(document):
    pending = list(document["attributes"])
    while pending:
        attribute = pending.pop()
        yield attribute
        pending += attribute.get("subAttributes", [])


def nulls(value):
    if isinstance(value, dict):
        return any(map(nulls, value.values()))
    return any(map(nulls, value)) if isinstance(value, list) else value is None


def test_the_schemas_are_those_of_the_service():
    assert [schema["id"] for schema in SCHEMAS] == [USER_URN, ENTERPRISE, CUSTOM, GROUP_URN]
    assert SCHEMAS[0]["meta"]["location"] == f"{BASE}/Schemas/{USER_URN}"


@pytest.mark.parametrize("document", SCHEMAS, ids=lambda document: document["name"])
def test_every_attribute_has_every_characteristic(document):
    for attribute in attributes(document):
        for name, type in CHARACTERISTICS.items():
            assert isinstance(attribute[name], type), (attribute["name"], name)
        assert attribute["description"], attribute["name"]
        assert attribute["mutability"] in ("readOnly", "readWrite", "immutable", "writeOnly")
        assert attribute["returned"] in ("always", "never", "default", "request")
        assert attribute["uniqueness"] in ("none", "server", "global")
        assert (attribute["type"] == "complex") == ("subAttributes" in attribute)
        assert (attribute["type"] == "reference") == ("referenceTypes" in attribute)


@pytest.mark.parametrize("document", SCHEMAS, ids=lambda document: document["name"])
def test_an_independent_model_accepts_every_schema(document):
    assert not nulls(document)
    assert Schema.model_validate(document).id == document["id"]


def test_an_independent_model_accepts_the_rest():
    for document in TYPES:
        assert ResourceType.model_validate(document).id == document["name"]
        assert not nulls(document)
    config = ServiceProviderConfig.model_validate(discovery.service_provider_config(BASE))
    assert config.patch.supported
    assert config.filter.max_results == limits.PAGE_MAXIMUM
    assert config.bulk.max_operations == limits.PATCH_OPERATIONS  # authentik cuts PATCHes by it


def test_what_is_not_kept_is_not_advertised():
    names = {attribute["name"] for document in SCHEMAS for attribute in attributes(document)}
    assert names.isdisjoint({"title", "password", "addresses", "middleName", "manager"})
    assert {"userName", "emails", "department", "badge", "members", "externalId"} <= names


def test_the_mutability_in_force_is_shown():
    def user_name(type):
        document = discovery.schemas(type, GROUP, BASE)[0]
        return next(each for each in document["attributes"] if each["name"] == "userName")

    assert user_name(user_type())["mutability"] == "immutable"
    assert user_name(user_type(rename=True))["mutability"] == "readWrite"


def test_every_advertised_attribute_is_read_and_changed():
    for type, document in ((USER, SCHEMAS[0]), (GROUP, SCHEMAS[3])):
        for attribute in document["attributes"]:
            path = type.find(attribute["name"])
            assert path is not None
            assert path.kept


def test_types_are_made_once_for_the_same_attributes():
    custom = (CustomAttribute("badge", "integer"),)
    assert user_type(custom) is user_type((CustomAttribute("badge", "integer"),))
    assert user_type(custom) is not user_type(custom, rename=True)
    with pytest.raises(ValueError, match="no such type"):
        user_type((CustomAttribute("badge", "complex"),))


def test_an_independent_model_accepts_a_list():
    resources = [{"schemas": [USER_URN], "id": "1", "userName": "luis"}]
    message = messages.list_response(resources, 12, 11)
    assert message["totalResults"] == 12
    assert ListResponse[User].model_validate(message).start_index == 11
    nobody = messages.list_response([], 0, 1)
    assert (nobody["totalResults"], nobody["itemsPerPage"], nobody["Resources"]) == (0, 0, [])


def test_a_page_by_cursor_has_cursors_and_no_index():
    message = messages.list_response([], 5, None, next_cursor="n", previous_cursor="p")
    assert (message["nextCursor"], message["previousCursor"]) == ("n", "p")
    assert "startIndex" not in message


@pytest.mark.parametrize(
    ("make", "scim_type"),
    [
        (errors.invalid_filter, "invalidFilter"),
        (errors.invalid_path, "invalidPath"),
        (errors.invalid_value, "invalidValue"),
        (errors.invalid_syntax, "invalidSyntax"),
        (errors.no_target, "noTarget"),
        (errors.mutability, "mutability"),
        (errors.too_many, "tooMany"),
    ],
)
def test_an_error_is_a_scim_error_with_a_status_in_text(make, scim_type):
    body = make("No.").to_dict()
    assert body == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "detail": "No.",
        "status": "400",
        "scimType": scim_type,
    }
    assert Error.model_validate(body).status == 400


def test_an_error_without_a_type_says_none():
    error = ScimError("Gone.", status=404)
    assert (error.http_status, error.to_dict()["status"]) == (404, "404")
    assert "scimType" not in error.to_dict()


def test_details_cut_what_was_sent():
    with pytest.raises(ScimError) as caught:
        patch.parse({"Operations": [{"op": "x" * 10_000}]}, USER)
    assert len(caught.value.detail) < 200


def test_the_engine_imports_no_django():
    modules = [module.__name__ for module in (discovery, documents, messages, patch)]
    script = f"import sys, {', '.join(modules)}, provisioning.scim.projection as p; " + (
        "sys.exit(any(name == 'django' or name.startswith('django.') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
