"""What the parts of a request learn on the way, for its row in the log."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from provisioning.errors import ProvisioningError
from provisioning.models import Group, User
from provisioning.models.fields import new_id
from provisioning.scim.errors import TooLong, UnknownCustomAttribute
from provisioning.scim.schemas import ResourceType

MOST_NAMES = 100
LONGEST_NAME = 256


@dataclass(slots=True)
class Notes:
    """Filled by the view, the endpoint and the error handler; empty where nothing was learnt."""

    id: UUID = field(default_factory=new_id)
    type: ResourceType | None = None
    is_read: bool = False
    resource_id: str = ""
    name: str = ""
    ignored: tuple[str, ...] = ()
    remarks: tuple[dict[str, str], ...] = ()
    error: Exception | None = None

    def saw(self, row: User | Group) -> None:
        """Note the resource that the request is about."""
        self.resource_id = str(row.pk)
        self.name = row.user_name if isinstance(row, User) else row.display_name

    def skipped(self, ignored: tuple[str, ...], remarks: tuple[dict[str, str], ...]) -> None:
        """Note what was asked and is not kept: as many names as somebody reads."""
        self.ignored = tuple(name[:LONGEST_NAME] for name in ignored[:MOST_NAMES])
        self.remarks = remarks

    def settle(self) -> str:
        """Return the rule that was broken, "" where status and scimType say it all.

        The exception is let go: its traceback holds the request and all that was read of it.
        """
        error, self.error = self.error, None
        named = (ProvisioningError, UnknownCustomAttribute, TooLong)
        return reason_of(type(error)) if isinstance(error, named) else ""


def reason_of(error: type[Any]) -> str:
    """Return the word that the log keeps for a broken rule: "user_name_taken"."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in error.__name__).lstrip("_")
