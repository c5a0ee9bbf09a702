"""What retention removed, as its events tell it, and as the verification reads it again.

A month's event names the range of the seals that held the removed events. Of a seal in that range
all events are gone, except where `parts` names those that are: at both ends of the month, where a
seal's window reaches into another one. Such an event goes itself with its own month one day: the
event of that removal carries its claims on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from audit.evidence import seals, serial
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
    told_at: datetime | None = None  # when the event was written that says so, or carries it on
    is_sealed: bool = True  # whether a seal covers that event

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
            and self.told_at is not None
            and midnight(month_after(self.month, 1 + LEAST_MONTHS))
            <= self.removed_at
            <= self.told_at
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

    def carried(self) -> dict[str, Any]:
        """Return what a later event tells, with which this one's event is removed."""
        return self.details() | {"removed_at": self.removed_at and self.removed_at.isoformat()}


def removals() -> list[Removal]:
    """Return what retention removed; an event that does not tell it well removed nothing."""
    found: dict[date, Removal] = {}
    for event in Event.objects.filter(type=TYPE).order_by("performed_at", "pk"):
        try:
            told = list(_read(event))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            continue
        for removal in told:
            found.setdefault(removal.month, removal)  # a month goes once
    return list(found.values())


def left(removal: Removal) -> QuerySet[Event]:
    """Return the events of a removed month that are there all the same."""
    return Event.objects.filter(
        performed_at__gte=removal.starts_at, performed_at__lt=removal.ends_at
    )


def _read(event: Event) -> Iterator[Removal]:
    is_sealed = _is_sealed(event)
    yield _one(event, event.details, event.performed_at, is_sealed)
    for told in event.details["carried"]:
        yield _one(event, told, datetime.fromisoformat(told["removed_at"]), is_sealed)


def _one(event: Event, told: dict[str, Any], removed_at: datetime, is_sealed: bool) -> Removal:
    first, last = told["seals"]
    return Removal(
        month=date.fromisoformat(f"{told['month']}-01"),
        events=int(told["events"]),
        first_seal=int(first),
        last_seal=int(last),
        parts={int(number): frozenset(ids) for number, ids in told["parts"].items()},
        removed_at=removed_at,
        event=event.pk,
        told_at=event.performed_at,
        is_sealed=is_sealed,
    )


def _is_sealed(event: Event) -> bool:
    """Return whether a signed seal lists the event as it is."""
    position = event.pk if connection.vendor == "sqlite" else event.transaction_id
    around = Seal.objects.filter(after_id__lt=event.pk, upto_id__gte=event.pk)
    seal = around.filter(lo__lte=position, hi__gt=position).order_by("-number").first()
    if seal is None or not seals.is_signed(seal):
        return False
    with connection.cursor() as cursor:
        sql = f"SELECT {serial.columns(connection)} FROM audit_event WHERE id = %s"  # noqa: S608
        cursor.execute(sql, [event.pk])
        leaf = serial.leaf(cursor.fetchone())[:8]
    listed = bytes(seal.leaves)
    whole = listed[: len(listed) // seals.LISTED.size * seals.LISTED.size]
    return (event.pk, leaf) in seals.LISTED.iter_unpack(whole)


def midnight(day: date) -> datetime:
    """Return the first moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
