"""What retention removed, as its events tell it, and as the verification reads it again.

A month's event names the range of the seals that held the removed events. Of a seal in that range
all events are gone, except where `parts` names those that are: at both ends of the month, where a
seal's window reaches into another one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from audit.models import Event, Seal
from audit.partitions import month_after

TYPE = "trail.trimmed"
LEAST_MONTHS = 3  # that are kept whatever the setting says; the database refuses less
LATEST_SEAL = timedelta(hours=1)  # after a month's end; a month that was sealed later is kept


@dataclass(frozen=True, slots=True)
class Removal:
    """One month that was removed."""

    month: date
    events: int
    first_seal: int
    last_seal: int
    parts: dict[int, frozenset[int]] = field(default_factory=dict)
    removed_at: datetime | None = None
    event: int = 0

    @property
    def starts_at(self) -> datetime:
        """The first moment of the month, in UTC."""
        return midnight(self.month)

    @property
    def ends_at(self) -> datetime:
        """The first moment after the month, in UTC."""
        return midnight(month_after(self.month))

    def may_touch(self, seal: Seal) -> bool:
        """Return whether events of a seal can have gone with this month.

        Bounds what a forged event could hide: whole months that ended long before it, and seals
        that were made in them.
        """
        return (
            self.first_seal <= seal.number <= self.last_seal
            and self.starts_at <= seal.made_at <= self.ends_at + LATEST_SEAL
            and self.removed_at is not None
            and midnight(month_after(self.month, 1 + LEAST_MONTHS)) <= self.removed_at
        )

    def removed_from(self, seal: Seal, listed: Iterable[int]) -> set[int]:
        """Return which of a seal's events went with this month."""
        if not self.may_touch(seal):
            return set()
        return set(self.parts.get(seal.number, listed))

    def details(self) -> dict[str, Any]:
        """Return what the event tells."""
        return {
            "month": f"{self.month:%Y-%m}",
            "events": self.events,
            "seals": [self.first_seal, self.last_seal],
            "parts": {str(number): sorted(ids) for number, ids in self.parts.items()},
        }


def removals() -> list[Removal]:
    """Return what retention removed; an event that does not tell it well removed nothing."""
    found: dict[date, Removal] = {}
    for event in Event.objects.filter(type=TYPE).order_by("performed_at", "pk"):
        try:
            removal = _read(event)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        found.setdefault(removal.month, removal)  # a month goes once
    return list(found.values())


def left(removal: Removal) -> QuerySet[Event]:
    """Return the events of a removed month that are there all the same."""
    return Event.objects.filter(
        performed_at__gte=removal.starts_at, performed_at__lt=removal.ends_at
    )


def _read(event: Event) -> Removal:
    told = event.details
    first, last = told["seals"]
    return Removal(
        month=date.fromisoformat(f"{told['month']}-01"),
        events=int(told["events"]),
        first_seal=int(first),
        last_seal=int(last),
        parts={int(number): frozenset(ids) for number, ids in told["parts"].items()},
        removed_at=event.performed_at,
        event=event.pk,
    )


def midnight(day: date) -> datetime:
    """Return the first moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
