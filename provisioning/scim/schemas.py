"""The one table of attributes: it feeds validation, PATCH, filters and /Schemas alike."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from django_scim import schemas as published  # type: ignore[import-untyped, unused-ignore]
from django_scim.constants import SchemaURI  # type: ignore[import-untyped, unused-ignore]

from provisioning.scim import limits
from provisioning.scim.model import Attribute, AttributePath, ResourceType, Schema
from provisioning.scim.quirks import STRICT, Habits

__all__ = [
    "CUSTOM",
    "CUSTOM_TYPES",
    "ENTERPRISE",
    "GROUP",
    "GROUP_URN",
    "USER_URN",
    "Attribute",
    "AttributePath",
    "CustomAttribute",
    "ResourceType",
    "Schema",
    "any_type",
    "group_type",
    "user_type",
]

USER_URN: str = SchemaURI.USER
GROUP_URN: str = SchemaURI.GROUP
ENTERPRISE: str = SchemaURI.ENTERPRISE_USER
CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
CUSTOM_TYPES = ("string", "boolean", "integer", "decimal", "dateTime", "reference")


class CustomAttribute(NamedTuple):
    """An attribute the administrator defined; `type` is one of CUSTOM_TYPES."""

    name: str
    type: str


def _descriptions() -> dict[tuple[str, str], str]:
    """Collect the texts of RFC 7643 §8.7.1 by schema URN and dotted name."""
    texts: dict[tuple[str, str], str] = {}

    def collect(urn: str, attributes: list[dict[str, Any]], prefix: str) -> None:
        for attribute in attributes:
            name = prefix + attribute["name"]
            texts[urn, name] = " ".join(attribute.get("description", "").split())
            collect(urn, attribute.get("subAttributes", []), f"{name}.")

    for schema in published.ALL:
        collect(schema["id"], schema["attributes"], "")
    return texts


_TEXTS = _descriptions()
# Attributes that RFC 7643 §3.1 defines outside any schema, and what its texts leave blank.
_OWN_TEXTS = {
    "schemas": "The URNs of the schemas that the resource uses.",
    "id": "A unique identifier for the resource, given by the service provider; never reused.",
    "externalId": "The identifier of the resource at the provisioning client.",
    "meta": "Metadata that the service provider keeps about the resource.",
    "meta.resourceType": "The name of the resource type.",
    "meta.created": "When the resource was added.",
    "meta.lastModified": "When the resource was last changed.",
    "meta.location": "The URI of the resource.",
    "meta.version": "The version of the resource, equal to its ETag.",
    "emails.value": "The e-mail address.",
    "emails.display": "A name of the address, for display.",
    "emails.primary": "Whether this is the preferred address; true for at most one.",
    "groups.value": "The id of the group.",
    "groups.display": "The displayName of the group.",
    "members.value": "The id of the member.",
    "members.display": "The displayName of the member.",
}


def _attribute(schema: str, name: str, *subs: Attribute, **traits: Any) -> Attribute:
    text = _TEXTS.get((schema, name)) or _OWN_TEXTS.get(name, "")
    parts: dict[str, Any] = {"name": name.rpartition(".")[2], "description": text, "schema": schema}
    if subs:
        parts |= {"type": "complex", "sub_attributes": subs}
    return Attribute(**parts | traits)


def _user(name: str, *subs: Attribute, **traits: Any) -> Attribute:
    return _attribute(USER_URN, name, *subs, **traits)


def _group(name: str, *subs: Attribute, **traits: Any) -> Attribute:
    return _attribute(GROUP_URN, name, *subs, **traits)


def _unkept(schema: str, names: str, **traits: Any) -> tuple[Attribute, ...]:
    return tuple(_attribute(schema, name, kept=False, **traits) for name in names.split())


_READ_ONLY: dict[str, Any] = {"mutability": "readOnly"}
_EXACT_READ_ONLY: dict[str, Any] = {"mutability": "readOnly", "case_exact": True}

_COMMON = (
    # Kept by what a resource holds; filters ask for it (RFC 7644 §3.4.2.2, Figure 2).
    _attribute(
        "",
        "schemas",
        type="reference",
        multi_valued=True,
        required=True,
        returned="always",
        reference_types=("uri",),
        **_READ_ONLY,
    ),
    _attribute(
        "",
        "id",
        required=True,
        returned="always",
        uniqueness="server",
        **_EXACT_READ_ONLY,
    ),
    _attribute("", "externalId", case_exact=True),
    _attribute(
        "",
        "meta",
        _attribute("", "meta.resourceType", **_EXACT_READ_ONLY),
        _attribute("", "meta.created", type="dateTime", **_READ_ONLY),
        _attribute("", "meta.lastModified", type="dateTime", **_READ_ONLY),
        _attribute(
            "", "meta.location", type="reference", reference_types=("uri",), **_EXACT_READ_ONLY
        ),
        _attribute("", "meta.version", **_EXACT_READ_ONLY),
        **_READ_ONLY,
    ),
)

_EMAILS = _user(
    "emails",
    _user("emails.value", required=True),
    _user("emails.display"),
    _user("emails.type", canonical_values=("work", "home", "other")),
    _user("emails.primary", type="boolean"),
    multi_valued=True,
)
_NAME = _user(
    "name",
    _user("name.formatted"),
    _user("name.familyName"),
    _user("name.givenName"),
    *_unkept(USER_URN, "name.middleName name.honorificPrefix name.honorificSuffix"),
)
_GROUPS = _user(
    "groups",
    _user("groups.value", **_EXACT_READ_ONLY),
    _user("groups.$ref", type="reference", reference_types=("Group",), **_EXACT_READ_ONLY),
    _user("groups.display", **_READ_ONLY),
    _user("groups.type", canonical_values=("direct",), **_READ_ONLY),
    multi_valued=True,
    **_READ_ONLY,
)

_UNKEPT_USER = (
    *_unkept(USER_URN, "title nickName userType preferredLanguage locale timezone"),
    *_unkept(USER_URN, "profileUrl", type="reference"),
    *_unkept(USER_URN, "password", mutability="writeOnly", returned="never"),
    *_unkept(
        USER_URN,
        "phoneNumbers ims photos addresses entitlements roles x509Certificates",
        type="complex",
        multi_valued=True,
    ),
    # Older Entra examples put these two in the core body.
    *_unkept(USER_URN, "department"),
    *_unkept(USER_URN, "manager", type="complex"),
)

_ENTERPRISE_SCHEMA = Schema(
    ENTERPRISE,
    "Enterprise User",
    "Enterprise User",
    (
        _attribute(ENTERPRISE, "department"),
        *_unkept(ENTERPRISE, "employeeNumber costCenter organization division"),
        *_unkept(ENTERPRISE, "manager", type="complex"),
    ),
)


@lru_cache(maxsize=64)
def user_type(
    custom: tuple[CustomAttribute, ...] = (), *, rename: bool = False, habits: Habits = STRICT
) -> ResourceType:
    """Return the User type of an installation and one provider.

    `rename` tells whether names may change, `habits` what the provider sends against the RFC.
    """
    user_name = _user(
        "userName",
        required=True,
        uniqueness="server",
        mutability="readWrite" if rename else "immutable",
        max_length=limits.NAME_CHARACTERS,
        clearable=False,
        printable=True,
    )
    extensions = [_ENTERPRISE_SCHEMA, _custom_schema(custom)]
    return ResourceType(
        name="User",
        endpoint="/Users",
        schema=USER_URN,
        description="User Account",
        attributes=(
            *_COMMON,
            user_name,
            _user("displayName"),
            _NAME,
            _EMAILS,
            _user("active", type="boolean", blank_clears=False),
            _GROUPS,
        ),
        extensions=tuple(extensions),
        unkept=_UNKEPT_USER,
        habits=habits,
    )


def _custom_schema(custom: tuple[CustomAttribute, ...]) -> Schema:
    attributes = []
    for name, type_ in custom:
        if type_ not in CUSTOM_TYPES:
            raise ValueError(f"custom attribute {name!r} has no such type: {type_!r}")
        is_reference = type_ == "reference"  # compared exactly: RFC 7643 §2.3.7
        attributes.append(
            Attribute(
                name,
                type_,
                schema=CUSTOM,
                case_exact=is_reference,
                reference_types=("external",) if is_reference else (),
                description=f"{name}, defined by the administrator.",
            )
        )
    return Schema(
        CUSTOM, "Custom User", "Attributes that the administrator defined", (*attributes,)
    )


@lru_cache(maxsize=8)
def group_type(habits: Habits = STRICT) -> ResourceType:
    """Return the Group type as one provider uses it."""
    return ResourceType(
        name="Group",
        endpoint="/Groups",
        schema=GROUP_URN,
        description="Group",
        attributes=(
            *_COMMON,
            _group(
                "displayName",
                required=True,
                uniqueness="server",
                max_length=limits.NAME_CHARACTERS,
                clearable=False,
            ),
            _group(
                "members",
                _group("members.value", required=True, case_exact=True, mutability="immutable"),
                _group(
                    "members.$ref",
                    type="reference",
                    reference_types=("User",),
                    case_exact=True,
                    mutability="immutable",
                ),
                _group("members.type", canonical_values=("User",), mutability="immutable"),
                _group("members.display", **_READ_ONLY),
                multi_valued=True,
            ),
        ),
        habits=habits,
    )


GROUP = group_type()


@lru_cache(maxsize=64)
def any_type(user: ResourceType, group: ResourceType) -> ResourceType:
    """Return the type of what the root lists: the attributes that either type has."""
    own = {attribute.name for attribute in user.attributes}
    return ResourceType(
        name="Resource",
        endpoint="/",
        schema=user.schema,
        description="User or Group",
        attributes=(*user.attributes, *(a for a in group.attributes if a.name not in own)),
        extensions=user.extensions,
        unkept=user.unkept,
    )
