"""The bodies Entra ID sends, in the default dialect and in that of `aadOptscim062020`.

Sources: Microsoft's "Develop a SCIM endpoint" for the default one, "Known issues and resolutions
with SCIM 2.0 protocol compliance" for what the flag changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.simulator.client import Body
from portal.simulator.expected import (
    CORE_GROUP,
    CORE_USER,
    DEPARTMENT,
    ENTERPRISE,
    PATCH_OP,
    WORK_EMAIL,
    Attributes,
)
from portal.simulator.people import Team

ADSCIM_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
MANAGER = f"{ENTERPRISE}:manager"


@dataclass(frozen=True)
class Dialect:
    """One of Entra's two ways to write a PATCH."""

    is_flagged: bool

    @property
    def query(self) -> str:
        """Return what the tenant URL adds to every request."""
        return "aadOptscim062020" if self.is_flagged else ""

    def op(self, name: str) -> str:
        """Return the operation's name as this dialect spells it."""
        return name.lower() if self.is_flagged else name

    def operation(self, name: str, path: str, value: Any) -> Body:
        """Return one operation with a path; booleans are words without the flag."""
        if isinstance(value, bool) and not self.is_flagged:
            value = str(value)
        return {"op": self.op(name), "path": path, "value": value}

    def update(self, changes: Mapping[str, Any], name: str = "Replace") -> Body:
        """Return a PATCH: one operation an attribute, or with the flag most folded into one."""
        foldable = {path: value for path, value in changes.items() if "[" not in path}
        if not self.is_flagged or len(foldable) < 2:
            return patch(self.operation(name, path, value) for path, value in changes.items())
        apart = (self.operation(name, path, changes[path]) for path in changes if "[" in path)
        return patch([*apart, {"op": self.op(name), "value": foldable}])

    def add_members(self, ids: Iterable[str]) -> Body:
        """Return a PATCH that adds many members in one operation."""
        return patch([self.operation("Add", "members", [_reference(member) for member in ids])])

    def add_members_one_by_one(self, ids: Iterable[str]) -> Body:
        """Return a PATCH that adds each member in an operation of its own."""
        return patch(self.operation("Add", "members", [_reference(member)]) for member in ids)

    def remove_members(self, ids: Iterable[str]) -> Body:
        """Return a PATCH that removes members: by value list, or with the flag by value path."""
        if self.is_flagged:
            paths = [f'members[value eq "{member}"]' for member in ids]
            return patch({"op": "remove", "path": path} for path in paths)
        return patch([self.operation("Remove", "members", [_reference(member) for member in ids])])

    def set_manager(self, manager_id: str, base: str) -> Body:
        """Return a PATCH that sets the manager, in the shape this dialect uses."""
        if self.is_flagged:
            return patch([self.operation("Add", MANAGER, manager_id)])
        reference = {"$ref": f"{base}/Users/{manager_id}", "value": manager_id}
        return patch([self.operation("Add", "manager", [reference])])

    def clear_manager(self) -> Body:
        """Return a PATCH that clears the manager."""
        path = MANAGER if self.is_flagged else "manager"
        return patch([self.operation("Replace", path, "")])


def patch(operations: Iterable[Body]) -> Body:
    """Return a PatchOp message."""
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def user(attributes: Attributes) -> Body:
    """Return the POST of today's service."""
    body: Body = {
        "schemas": [CORE_USER, ENTERPRISE],
        "externalId": attributes["externalId"],
        "userName": attributes["userName"],
        "active": attributes["active"],
        "displayName": attributes["displayName"],
        "emails": _emails(attributes),
        "meta": {"resourceType": "User"},
        "name": _name(attributes),
        "roles": [],
        ENTERPRISE: {"department": attributes[DEPARTMENT]},
    }
    if not body["emails"]:
        del body["emails"]
    return body


def user_with_nulls(attributes: Attributes) -> Body:
    """Return the POST of older tenants: nulls for what is empty, and a mistyped extension URN."""
    return user(attributes) | {
        "schemas": [CORE_USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
        "addresses": None,
        "phoneNumbers": None,
        "preferredLanguage": None,
        "title": None,
        "department": None,
        "manager": None,
    }


def group(team: Team, name: str) -> Body:
    """Return the POST of a group: Microsoft's own URN beside the standard one, no members."""
    return {
        "schemas": [CORE_GROUP, ADSCIM_GROUP],
        "externalId": team.object_id,
        "displayName": name,
        "meta": {"resourceType": "Group"},
    }


def _emails(attributes: Attributes) -> list[Body]:
    value = attributes[WORK_EMAIL]
    return [{"primary": True, "type": "work", "value": value}] if value else []


def _name(attributes: Attributes) -> Body:
    given, family = attributes["name.givenName"], attributes["name.familyName"]
    return {"formatted": f"{given} {family}", "familyName": family, "givenName": given}


def _reference(member: str) -> Body:
    return {"$ref": None, "value": member}
