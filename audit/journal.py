"""The one function that writes an Event, inside the transaction of the change it records."""

from typing import Any, Protocol
from uuid import UUID

from django.db import transaction

from audit import direct
from audit.actors import Actor, Provider
from audit.masking import masked
from audit.models import PROVIDER_ALIASES, Event
from audit.search import searchable
from audit.types import EventType, Outcome


class Target(Protocol):
    """What an event can be about: a row that can name itself."""

    @property
    def audit_kind(self) -> str: ...
    @property
    def audit_id(self) -> str: ...
    @property
    def audit_label(self) -> str: ...


def record(
    type: EventType,
    *,
    actor: Actor,
    target: Target,
    provider: Provider | None = None,
    changes: dict[str, list[Any]] | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    **details: Any,
) -> Event:
    """Append one event inside the caller's transaction: both commit, or neither.

    `changes` is {attribute: [before, after]}. Raises RuntimeError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("journal.record() needs the transaction of the change it records")
    provider = provider or actor.provider or Provider()
    label = target.audit_label[:300]
    event = Event(
        type=type.key,
        category=type.category.key,
        outcome=outcome.key,
        **actor.columns(),
        target_kind=target.audit_kind,
        target_id=target.audit_id,
        target_label=label,
        provider_id=provider.id,
        provider_kind=provider.kind,
        provider_label=provider.label,
        changes=masked(changes or {}),
        details=plain(masked(details)),
        search=searchable(
            (
                label,
                actor.label,
                provider.label,
                PROVIDER_ALIASES.get(provider.kind, ""),
                actor.origin.ip_address or "",
                actor.origin.request_id,
            )
        ),
    )
    direct.insert(event)
    return event


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Turn identifiers into text, as JSON keeps them."""
    return {k: str(v) if isinstance(v, UUID) else v for k, v in values.items()}
