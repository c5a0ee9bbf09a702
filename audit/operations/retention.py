"""Remove whole months of the trail that are old enough, sealed and verified; one event each."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.models import Min, QuerySet

from audit import append_only, journal, month_functions
from audit.actors import SYSTEM, Actor
from audit.evidence import keys, seals, serial
from audit.evidence.verification import verify
from audit.evidence.windows import NO_END, Stream, Window, reading
from audit.models import Event, Seal, Verification
from audit.partitions import month_after
from audit.patience import soon
from audit.retention import LATEST_SEAL, LEAST_MONTHS, Removal, midnight, removals
from audit.types import EventType

LOCK_MS = 300  # for which writers may have to wait behind the removal of a partition
LOCK_TIMEOUT = "55P03"
ATTEMPTS, PAUSE_S = 3, 1.0  # of a removal that others do not let through
ROWS_AT_ONCE = 2_000  # that SQLite deletes in one transaction
BREATH_S = 0.05  # after each, in which others write: SQLite's waiting writers have no queue

log = structlog.get_logger("alta.audit")


class CannotTrim(Exception):
    """Why a month is kept, in a sentence."""


class _Trail:
    """The trail itself, as the target of an event."""

    audit_kind = "trail"
    audit_id = "audit_event"
    audit_label = "Alta"


def due(keep_months: int | None = None) -> list[date]:
    """Return the months that are older than what is kept and hold events, the oldest first."""
    keep = settings.AUDIT_MONTHS if keep_months is None else keep_months
    if not keep:
        return []
    this_month = datetime.now(UTC).date().replace(day=1)
    first_kept = month_after(this_month, -max(keep, LEAST_MONTHS))
    oldest = Event.objects.filter(performed_at__lt=midnight(first_kept)).aggregate(
        oldest=Min("performed_at")
    )["oldest"]
    if oldest is None:
        return []
    found, month = [], oldest.astimezone(UTC).date().replace(day=1)
    while month < first_kept:
        if _events(month).exists():
            found.append(month)
        month = month_after(month)
    return found


def trim_due() -> int:
    """Remove every month that is due; return how many. What cannot go is kept, and logged."""
    done = 0
    _finish()
    for month in due():
        try:
            trim(month)
        except CannotTrim as reason:
            log.warning(
                "a month of the audit trail is kept", month=f"{month:%Y-%m}", why=str(reason)
            )
            continue
        done += 1
    return done


def trim(month: date, *, actor: Actor = SYSTEM) -> Removal:
    """Plan a month's removal and carry it out. Raises CannotTrim."""
    removal = plan(month)
    month_functions.keep(connection, settings.AUDIT_MONTHS)
    return remove(removal, actor=actor)


def remove(removal: Removal, *, actor: Actor = SYSTEM) -> Removal:
    """Remove a month's events and record that, in one transaction. Raises CannotTrim.

    SQLite removes them in several short transactions after the event's own, because it has one
    writer; what a crash leaves is removed by the next run.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _remove(removal, actor)
            break
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != LOCK_TIMEOUT:
                raise
            if attempt == ATTEMPTS:
                raise CannotTrim("others are using it; the next run tries again.") from error
            time.sleep(PAUSE_S)  # an autovacuum makes way only after a second
        except ProgrammingError as error:  # what audit_drop_month says
            raise CannotTrim(f"the database refused: {' '.join(str(error).split())}") from error
    if connection.vendor == "sqlite":
        _delete(removal.month)
    log.info(
        "a month of the audit trail was removed",
        month=f"{removal.month:%Y-%m}",
        events=removal.events,
    )
    return removal


def _remove(removal: Removal, actor: Actor) -> None:
    with soon(LOCK_MS):
        journal.record(
            EventType.TRAIL_TRIMMED,
            actor=actor,
            target=_Trail(),
            **removal.details(),
            carried=_carried(removal),
        )
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT audit_drop_month(%s)", [removal.month])


def _carried(removal: Removal) -> list[dict[str, Any]]:
    """Return what the events tell of earlier removals that go with this month themselves."""
    return [
        each.carried()
        for each in removals()
        if each.told_at and removal.starts_at <= each.told_at < removal.ends_at
    ]


def plan(month: date) -> Removal:
    """Return what the removal of a month would remove. Raises CannotTrim.

    Walks the month's events beside the seals that hold them: both are in the same order.
    """
    if any(each.month == month for each in removals()):
        raise CannotTrim("an event says that it was removed, and it holds events.")
    events = _events(month).order_by().count()
    if not events:
        raise CannotTrim("it holds no event.")
    _check_verified(month)
    numbers: list[int] = []
    parts: dict[int, frozenset[int]] = {}
    found = 0
    with reading():
        for seal, removed in _sealed(month):
            listed = [id for id, _leaf in seals.LISTED.iter_unpack(bytes(seal.leaves))]
            if not removed and not numbers:
                continue  # before the month's first event
            numbers.append(seal.number)
            found += len(removed)
            if len(removed) != len(listed):
                parts[seal.number] = frozenset(removed)
    while numbers and parts.get(numbers[-1]) == frozenset():  # after the month's last event
        del parts[numbers.pop()]
    if found != events:
        raise CannotTrim("not every event of it is under a seal made in time.")
    return Removal(month, events, numbers[0], numbers[-1], parts)


def _sealed(month: date) -> Iterator[tuple[Seal, list[int]]]:
    """Yield each seal that may hold events of a month, and the ids of those that it holds."""
    starts_at, ends_at = midnight(month), midnight(month_after(month))
    chosen = Seal.objects.filter(made_at__gte=starts_at, made_at__lte=ends_at + LATEST_SEAL)
    stream, epoch = None, None
    try:
        for seal in chosen.order_by("number").iterator(chunk_size=20):
            if seal.epoch != epoch:
                if stream:
                    stream.__exit__()
                upto = None if seal.upto_id == NO_END else seal.upto_id
                after = seal.after_id if seal.epoch > 1 else None
                window = Window(seal.source, seal.lo, None, after, upto)
                stream, epoch = Stream(window, within=(starts_at, ends_at)), seal.epoch
            assert stream is not None  # noqa: S101
            listed = {id for id, _leaf in seals.LISTED.iter_unpack(bytes(seal.leaves))}
            rows = [row[serial.ID] for some in stream.below(seal.hi) for row in some]
            yield seal, [id for id in rows if id in listed]
    finally:
        if stream:
            stream.__exit__()


def _check_verified(month: date) -> None:
    state = Verification.objects.filter(pk=1).first() or Verification()
    if state.broken_since:
        raise CannotTrim("the verification found that the trail was altered.")
    last = Seal.objects.filter(made_at__lte=midnight(month_after(month)) + LATEST_SEAL).order_by(
        "-number"
    )
    number = last.values_list("number", flat=True).first()
    if number is None or state.through < number:
        raise CannotTrim("it is not verified yet.")


def _events(month: date) -> QuerySet[Event]:
    return Event.objects.filter(
        performed_at__gte=midnight(month), performed_at__lt=midnight(month_after(month))
    )


def _finish() -> None:
    """On SQLite, go on with a removal that was cut off. What a forged event says is not obeyed."""
    if connection.vendor != "sqlite":
        return
    for removal in removals():
        if not _events(removal.month).exists():
            continue
        after = max(removal.first_seal - 1, 0)
        report = verify(trusted=keys.configured(), after=after, through=removal.last_seal)
        if report.findings or not removal.is_sealed or removal.month not in due():
            log.warning("a removal is not gone on with", month=f"{removal.month:%Y-%m}")
            continue
        _delete(removal.month)


def _delete(month: date) -> None:
    # By id: what is gone when this is cut off lies before what is left.
    while ids := list(_events(month).order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        with transaction.atomic(), append_only.deleting(connection):
            _events(month).filter(pk__lte=ids[-1])._raw_delete(connection.alias)
        time.sleep(BREATH_S)
