"""What the server should hold: kept in memory during the conversation, compared at its end."""

from dataclasses import dataclass, field
from typing import Any

from portal.simulator.people import Person

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
DEPARTMENT = f"{ENTERPRISE}:department"
WORK_EMAIL = 'emails[type eq "work"].value'

Attributes = dict[str, Any]


@dataclass
class ExpectedUser:
    """A user as the last accepted request left it; `attributes` is keyed by SCIM path."""

    id: str
    attributes: Attributes
    is_deleted: bool = False
    is_tombstone: bool = False  # its name may already belong to a newcomer

    @property
    def user_name(self) -> str:
        """Return the name by which this user was provisioned."""
        return str(self.attributes["userName"])

    def accept(self, changes: Attributes) -> None:
        """Take over those changes that a SCIM server of this product keeps."""
        self.attributes |= {key: value for key, value in changes.items() if key in self.attributes}


@dataclass
class ExpectedGroup:
    """A group as the last accepted request left it."""

    id: str
    display_name: str
    external_id: str | None
    members: set[str] = field(default_factory=set)
    is_deleted: bool = False


@dataclass
class Expected:
    """Every resource this run created or took over."""

    users: list[ExpectedUser] = field(default_factory=list)
    groups: list[ExpectedGroup] = field(default_factory=list)

    def remove_user(self, user: ExpectedUser) -> None:
        """Mark a user as deleted: it leaves its groups too."""
        user.is_deleted = True
        for group in self.groups:
            group.members.discard(user.id)


def attributes_of(person: Person) -> Attributes:
    """Return what the IdP provisions for a person, keyed by SCIM path."""
    return {
        "userName": person.user_name,
        "externalId": person.object_id,
        "displayName": person.display_name,
        "name.givenName": person.given_name,
        "name.familyName": person.family_name,
        WORK_EMAIL: person.email,
        DEPARTMENT: person.department,
        "active": True,
    }


def flatten(resource: dict[str, Any]) -> Attributes:
    """Return a read user in the same keys, with what is missing, null or empty as None."""
    name = _object(resource.get("name"))
    emails = [
        str(email.get("value"))
        for email in resource.get("emails") or []
        if isinstance(email, dict) and email.get("type") == "work" and email.get("value")
    ]
    read = {
        "userName": resource.get("userName"),
        "externalId": resource.get("externalId"),
        "displayName": resource.get("displayName"),
        "name.givenName": name.get("givenName"),
        "name.familyName": name.get("familyName"),
        WORK_EMAIL: emails[0] if len(emails) == 1 else emails,
        DEPARTMENT: _object(resource.get(ENTERPRISE)).get("department"),
    }
    flat = {key: value or None for key, value in read.items()}
    return flat | {"active": resource.get("active")}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
