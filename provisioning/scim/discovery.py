"""What the service says about itself: ServiceProviderConfig, ResourceTypes, Schemas.

`base` is the public URL of the service up to and without the slash before "Users".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django_scim.constants import SchemaURI  # type: ignore[import-untyped, unused-ignore]

from provisioning.scim import limits
from provisioning.scim.model import Attribute, ResourceType, Schema

SCHEMA_URN = "urn:ietf:params:scim:schemas:core:2.0:Schema"


def service_provider_config(base: str) -> dict[str, Any]:
    """Return what the service can do (RFC 7643 §5, paging of RFC 9865 §4)."""
    return {
        "schemas": [SchemaURI.SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": True},
        # authentik cuts PATCHes, too, into maxOperations: 0 would be none at all.
        "bulk": {
            "supported": True,
            "maxOperations": limits.BULK_OPERATIONS,
            "maxPayloadSize": limits.BODY_BYTES,
        },
        "filter": {"supported": True, "maxResults": limits.PAGE_MAXIMUM},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.PAGE_DEFAULT,
            "maxPageSize": limits.PAGE_MAXIMUM,
            "cursorTimeout": limits.CURSOR_TIMEOUT_S,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth Bearer Token",
                "description": "A token that an administrator generates in the portal, sent in "
                "the Authorization header.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{base}/ServiceProviderConfig",
        },
    }


def resource_types(user: ResourceType, group: ResourceType, base: str) -> list[dict[str, Any]]:
    """Return the resource types (RFC 7643 §6)."""
    return [_resource_type(each, base) for each in (user, group)]


def _resource_type(type_: ResourceType, base: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "schemas": [SchemaURI.RESOURCE_TYPE],
        "id": type_.name,
        "name": type_.name,
        "endpoint": type_.endpoint,
        "description": type_.description,
        "schema": type_.schema,
    }
    if extensions := _shown(type_):
        document["schemaExtensions"] = [
            {"schema": extension.id, "required": False} for extension in extensions
        ]
    location = f"{base}/ResourceTypes/{type_.name}"
    return document | {"meta": {"resourceType": "ResourceType", "location": location}}


def schemas(user: ResourceType, group: ResourceType, base: str) -> list[dict[str, Any]]:
    """Return the schemas of what is kept (RFC 7643 §7), true to the table of attributes."""
    found = []
    for type_ in (user, group):
        core = Schema(type_.schema, type_.name, type_.description, type_.attributes)
        found += [_schema(each, base) for each in (core, *_shown(type_))]
    return found


def _shown(type_: ResourceType) -> list[Schema]:
    """Return the extensions that have attributes: no client can use one without any."""
    return [extension for extension in type_.extensions if extension.attributes]


def _schema(schema: Schema, base: str) -> dict[str, Any]:
    return {
        "schemas": [SCHEMA_URN],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": _described(
            attribute
            for attribute in schema.attributes
            # RFC 7643 §3: these belong to every resource and to no schema. externalId is named all
            # the same, because Entra ID maps only what it finds here.
            if attribute.name not in ("schemas", "id", "meta")
        ),
        "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{schema.id}"},
    }


def _described(attributes: Iterable[Attribute]) -> list[dict[str, Any]]:
    return [_attribute(each) for each in attributes if each.kept]


def _attribute(attribute: Attribute) -> dict[str, Any]:
    """Return every characteristic of RFC 7643 §7 that has a meaning for the attribute's type."""
    document: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
        "uniqueness": attribute.uniqueness,
    }
    if attribute.canonical_values:
        document["canonicalValues"] = list(attribute.canonical_values)
    if attribute.reference_types:
        document["referenceTypes"] = list(attribute.reference_types)
    if attribute.sub_attributes:
        document["subAttributes"] = _described(attribute.sub_attributes)
    return document
