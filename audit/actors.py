"""Who does something, and from where: an administrator, an IdP's token, or the system itself."""

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as the audit trail keeps it."""

    request_id: str = ""
    ip_address: str | None = None
    user_agent: str = ""

    @property
    def network(self) -> str | None:
        """What limits count by: the address, or of IPv6 its /64, all of which one caller has."""
        return network_of(self.ip_address)


def network_of(address: str | None) -> str | None:
    """Return the first address of a caller's network."""
    if address is None or ":" not in address:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False).network_address)


@dataclass(frozen=True, slots=True)
class Provider:
    """The identity provider that an event concerns, copied so that it outlives its row."""

    id: UUID | None = None
    kind: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `id` and `label` are copies: removing an account never touches its history."""

    kind: Literal["administrator", "token", "system", "anonymous"]
    id: str
    label: str
    provider: Provider | None = None
    origin: Origin = field(default_factory=Origin)

    def columns(self) -> dict[str, Any]:
        """Return the actor as columns of an Event."""
        return {
            "actor_kind": self.kind,
            "actor_id": self.id,
            "actor_label": self.label[:255],
            "request_id": self.origin.request_id,
            "ip_address": self.origin.ip_address,
            "user_agent": self.origin.user_agent[:255],
        }


SYSTEM = Actor("system", "system", "Alta")
