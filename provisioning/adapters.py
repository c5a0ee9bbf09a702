"""Row ↔ SCIM resource: subclasses of django-scim2's adapters, named in its settings.

A resource here is canonical, as `scim.documents` makes it: attribute names in their RFC spelling,
extensions under their URN, what has no value left out.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django_scim.adapters import SCIMGroup, SCIMUser
from django_scim.models import SCIMServiceProviderConfig

from audit.search import searchable
from provisioning.models import Group, IndexedValue, User
from provisioning.models.fields import index_key, key_of
from provisioning.models.users import EMAILS, custom_values
from provisioning.scim import discovery, schemas
from provisioning.scim.keys import sort_key

Resource = dict[str, Any]

BASE_PATH = "/scim/v2"


def base_location(request: Any = None, *args: Any, **kwargs: Any) -> str:
    """Return the SCIM URL as the outside knows it: from PUBLIC_URL, never from a Host header."""
    return f"{settings.PUBLIC_URL}{BASE_PATH}"


def user_model() -> type[User]:
    """Return the model of provisioned users."""
    return User


def timestamp(moment: datetime) -> str:
    """Return an xsd:dateTime in UTC with milliseconds (RFC 7643 §2.3.5)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def meta(kind: str, endpoint: str, row: User | Group) -> dict[str, str]:
    """Return the `meta` of a resource (RFC 7643 §3.1)."""
    return {
        "resourceType": kind,
        "created": timestamp(row.created_at),
        "lastModified": timestamp(row.updated_at),
        "location": f"{base_location()}{endpoint}/{row.pk}",
        "version": etag(row),
    }


def etag(row: User | Group) -> str:
    """Return the weak entity tag of a row's version (RFC 7644 §3.14)."""
    return f'W/"{row.version}"'


# What every change moves, or what names the resource itself.
_UNTOLD = {"schemas", "id", "meta", "groups", "members"}


def flat(resource: dict[str, Any]) -> dict[str, Any]:
    """Spread `name` and the extensions: "name.givenName", "urn:…:User:department"."""
    spread: dict[str, Any] = {}
    for key, value in resource.items():
        if key in _UNTOLD:
            continue
        if isinstance(value, dict):
            mark = ":" if key.startswith("urn:") else "."
            spread |= {f"{key}{mark}{part}": inner for part, inner in value.items()}
        else:
            spread[key] = value
    return spread


class UserAdapter(SCIMUser):
    """A provisioned user as a SCIM User."""

    id_field = "id"
    obj: User

    def to_dict(self) -> Resource:
        """Return the resource without `groups`, which need a query of their own."""
        user = self.obj
        resource: Resource = {"schemas": [schemas.USER_URN], "id": str(user.pk)}
        if user.external_id:
            resource["externalId"] = user.external_id
        resource["userName"] = user.user_name
        if user.display_name:
            resource["displayName"] = user.display_name
        name = {
            key: value
            for key, value in (
                ("formatted", user.formatted_name),
                ("familyName", user.family_name),
                ("givenName", user.given_name),
            )
            if value
        }
        if name:
            resource["name"] = name
        if user.emails:
            resource["emails"] = user.emails
        if user.is_active is not None:
            resource["active"] = user.is_active
        if user.department:
            resource["schemas"].append(schemas.ENTERPRISE)
            resource[schemas.ENTERPRISE] = {"department": user.department}
        if user.custom:
            resource["schemas"].append(schemas.CUSTOM)
            resource[schemas.CUSTOM] = _with_doubles(user.custom)
        resource["meta"] = meta("User", "/Users", user)
        return resource

    def from_dict(self, resource: Resource) -> list[str]:
        """Write a resource onto the row, in memory; return the columns that differ.

        `userName` is left to the operation, whose rules decide what becomes of it.
        """
        user, name = self.obj, resource.get("name") or {}
        user.custom = _with_doubles(user.custom)
        values: dict[str, Any] = {
            "external_id": resource.get("externalId") or "",
            "display_name": resource.get("displayName") or "",
            "formatted_name": name.get("formatted") or "",
            "family_name": name.get("familyName") or "",
            "given_name": name.get("givenName") or "",
            "is_active": resource.get("active"),
            "department": (resource.get(schemas.ENTERPRISE) or {}).get("department") or "",
            "emails": resource.get("emails") or [],
            "custom": resource.get(schemas.CUSTOM) or {},
        }
        for column in KEYED:
            values[f"{column}_key"] = key_of(values[column])
        changed = [column for column, value in values.items() if getattr(user, column) != value]
        for column in changed:
            setattr(user, column, values[column])
        return changed

    def refresh_search(self) -> list[str]:
        """Write what the portal's search reads, in memory; return the column if it differs."""
        user = self.obj
        found = searchable(
            (
                user.user_name,
                user.display_name,
                user.given_name,
                user.family_name,
                *(email["value"] for email in user.emails),
                user.department,
                user.external_id,
            )
        )
        if found == user.search:
            return []
        user.search = found
        return ["search"]

    def indexed_values(self, type: schemas.ResourceType) -> list[IndexedValue]:
        """Return the rows under which filters find the user's e-mails and custom values."""
        user = self.obj
        rows = [
            IndexedValue(
                user=user,
                attribute=EMAILS,
                value_key=key_of(email["value"]),
                type_key=key_of(email.get("type") or ""),
                display_key=key_of(email.get("display") or ""),
                is_primary=email.get("primary"),
            )
            for email in user.emails
        ]
        for name, value in user.custom.items():
            path = type.find(f"{schemas.CUSTOM}:{name}")
            if path is not None:
                key = index_key(sort_key(path.attribute, value))
                rows.append(IndexedValue(user=user, attribute=custom_values(name), value_key=key))
        return rows


def _with_doubles(custom: dict[str, Any]) -> dict[str, Any]:
    """Return custom values; a decimal that PostgreSQL's JSON holds as a long whole number again."""
    return {
        name: float(value) if type(value) is int and not _LEAST <= value <= _MOST else value
        for name, value in custom.items()
    }


_LEAST, _MOST = -(2**63), 2**63 - 1  # of an integer attribute


KEYED = ("display_name", "formatted_name", "family_name", "given_name", "department")


class GroupAdapter(SCIMGroup):
    """A provisioned group as a SCIM Group."""

    id_field = "id"
    obj: Group

    def to_dict(self) -> Resource:
        """Return the resource without `members`, which need a query of their own."""
        group = self.obj
        resource: Resource = {"schemas": [schemas.GROUP_URN], "id": str(group.pk)}
        if group.external_id:
            resource["externalId"] = group.external_id
        resource["displayName"] = group.display_name
        resource["meta"] = meta("Group", "/Groups", group)
        return resource

    def from_dict(self, resource: Resource) -> list[str]:
        """Write a resource onto the row, in memory; return the columns that differ."""
        group = self.obj
        values = {
            "external_id": resource.get("externalId") or "",
            "display_name": resource["displayName"],
            "display_name_key": key_of(resource["displayName"]),
            "search": searchable((resource["displayName"], resource.get("externalId") or "")),
        }
        changed = [column for column, value in values.items() if getattr(group, column) != value]
        for column in changed:
            setattr(group, column, values[column])
        return changed


def member_elements(rows: Iterable[tuple[Any, str]]) -> list[Resource]:
    """Return `members` from (user id, display) pairs."""
    base = f"{base_location()}/Users/"
    return [
        {"value": str(user_id), "$ref": f"{base}{user_id}", "type": "User"}
        | ({"display": display} if display else {})
        for user_id, display in rows
    ]


def group_elements(rows: Iterable[tuple[Any, str]]) -> list[Resource]:
    """Return a user's `groups` from (group id, display name) pairs."""
    base = f"{base_location()}/Groups/"
    return [
        {"value": str(group_id), "$ref": f"{base}{group_id}", "display": name, "type": "direct"}
        for group_id, name in rows
    ]


class ServiceProviderConfig(SCIMServiceProviderConfig):
    """What the service can do, as /ServiceProviderConfig tells it."""

    def to_dict(self) -> Resource:
        return discovery.service_provider_config(base_location())


def all_schemas(caller: Any) -> list[Resource]:
    """Return the /Schemas documents in force for a caller (`api.authentication.Caller`)."""
    return discovery.schemas(caller.user_type, schemas.GROUP, base_location())
