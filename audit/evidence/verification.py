"""Verifies seals against events and each other, in one pass and constant memory."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from django.db import connection
from django.db.models import Max, Min
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit import retention
from audit.evidence import seals, serial
from audit.evidence.merkle import Tree
from audit.evidence.serial import Row
from audit.evidence.windows import NO_END, SQLITE, Horizon, Stream, Window, horizon, reading
from audit.models import Event, Seal
from audit.retention import Removal, removals

MOST_NAMED = 100  # events that a finding names
# How long before its transaction's end an event may have been written, and how far clocks may go.
SLACK = timedelta(hours=1)


class Kind(Enum):
    """What was done to the trail."""

    CHANGED = "changed", _("changed after it was sealed")
    DELETED = "deleted", _("deleted, or moved out of its seal")
    FORGED = "forged", _("forged: written past the trail's own ways")
    BACKDATED = "backdated", _("back-dated: put before others that are older")
    POSTDATED = "postdated", _("dated after its own seal")
    CONTENT = "content", _("the events are not those that were sealed")
    RESTORED = "restored", _("there, although retention removed its month")
    REMOVAL = "removal", _("retention tells another number of events than it removed")
    SEAL_MISSING = "seal_missing", _("the seal is missing")
    SEAL_CHANGED = "seal_changed", _("the seal was changed, or does not follow the one before it")
    KEY_UNKNOWN = "key_unknown", _("the seal is signed with a key that is not trusted")
    HEAD_MISSING = "head_missing", _("a seal that had left the database is gone")
    HEAD_REPLACED = "head_replaced", _("a seal that had left the database is now another one")

    def __init__(self, key: str, label: Promise) -> None:
        self.key = key
        self.label = label


@dataclass(slots=True)
class Finding:
    """Something that cannot have happened by itself, with where it is seen."""

    kind: Kind
    seal: int | None
    events: list[int] = field(default_factory=list)
    count: int = 0

    def add(self, events: Collection[int]) -> None:
        """Count more events, and name the first ones."""
        self.count += len(events)
        self.events += list(events)[: MOST_NAMED - len(self.events)]


@dataclass(slots=True)
class Report:
    """What a verification saw."""

    findings: dict[tuple[Kind, int | None], Finding] = field(default_factory=dict)
    events: int = 0
    seals: int = 0
    last: Seal | None = None  # the last seal that was verified
    is_whole: bool = False  # whether that is the newest one
    unsealed: int = 0
    unsealed_since: datetime | None = None
    removals: list[Removal] = field(default_factory=list)  # what retention says it removed
    unproven: list[Removal] = field(default_factory=list)  # of these: not sealed yet, or going on

    def add(self, kind: Kind, seal: int | None, events: Collection[int] = ()) -> None:
        """Note a finding; those of one kind and seal are one."""
        self.findings.setdefault((kind, seal), Finding(kind, seal)).add(events)


def verify(
    *,
    trusted: Collection[bytes],
    after: int = 0,
    through: int | None = None,
    most_events: int | None = None,
    accepts_removals: bool = True,
    on_events: Callable[[int], None] = lambda count: None,
) -> Report:
    """Verify the seals after number `after`, with their events; `after` 0 is the whole chain.

    `most_events` ends it after the seal that reaches so many. Without `accepts_removals`, what
    retention removed counts as deleted.
    """
    report = Report()
    with reading():
        newest = seals.newest()
        if newest is None:
            return report
        if accepts_removals:
            # Inside: from this question on, PostgreSQL lets no month go until all is read.
            report.removals = removals()
        now = horizon()
        last = min(through or newest.number, newest.number)
        walk = _Walk(report, trusted, after, last, on_events)
        walk.accepts_removals = accepts_removals
        if now.begins_anew_after(newest.source, newest.hi):
            walk.end_id = newest.last_id  # what follows is for the next seal to order
        walk.run(most_events)
        report.is_whole = report.last is not None and report.last.number == newest.number
        if report.is_whole:
            _look_beyond(report, newest, now)
    return report


def compare_heads(report: Report, heads: Collection[dict[str, Any]]) -> None:
    """Compare heads that left the database with the seals of the same number."""
    for head in heads:
        seal = Seal.objects.defer("leaves").filter(number=head["seal"]).first()
        if seal is None:
            report.add(Kind.HEAD_MISSING, head["seal"])
        elif bytes(seal.signature).hex() != head["signature"]:
            report.add(Kind.HEAD_REPLACED, head["seal"])


def _look_beyond(report: Report, newest: Seal, now: Horizon) -> None:
    """Count what is not sealed yet, and find what never could be."""
    if newest.upto_id != NO_END or now.begins_anew_after(newest.source, newest.hi):
        unsealed = Event.objects.filter(pk__gt=newest.last_id)
    elif now.source == SQLITE:
        unsealed = Event.objects.filter(pk__gte=newest.hi)
    else:
        unsealed = Event.objects.filter(pk__gt=newest.after_id, transaction_id__gte=newest.hi)
        never = Event.objects.filter(transaction_id__isnull=True)
        _add_strays(report, [*never.order_by().values_list("pk", flat=True)[: MOST_NAMED + 1]])
        never = unsealed.filter(transaction_id__gte=now.beyond)
        _add_strays(report, [*never.order_by().values_list("pk", flat=True)[: MOST_NAMED + 1]])
    found = unsealed.order_by().aggregate(last=Max("pk"), since=Min("performed_at"))
    if found["last"] is not None:
        report.unsealed = unsealed.order_by().count()
        report.unsealed_since = found["since"]


def _add_strays(report: Report, events: list[int]) -> None:
    if events:
        report.add(Kind.FORGED, None, events)


@dataclass(slots=True)
class Trace:
    """What a walk saw of one removal."""

    removal: Removal
    missing: int = 0
    last_missing: int = 0
    there: int = 0

    def see(self, missing: Collection[int], there: Collection[int]) -> None:
        """Count the events of a seal that are gone with the month, and those that are not."""
        self.missing += len(missing)
        self.last_missing = max(self.last_missing, *missing, 0)
        self.there += len(there)

    def wrong(self, *, is_whole: bool) -> list[int]:
        """Return the events that cannot be there.

        SQLite removes them in the order of their ids, in several transactions: what is still
        there then lies behind all that is gone.
        """
        left = retention.left(self.removal).order_by("pk")
        if connection.vendor == "sqlite":
            left = left.filter(pk__lt=self.last_missing) if is_whole else left.none()
        return list(left.values_list("pk", flat=True)[: MOST_NAMED + 1])

    @property
    def is_miscounted(self) -> bool:
        """Whether the removal tells another number of events than are gone or going.

        What is left of its month must be events that it tells of; some may have gone meanwhile.
        """
        if self.missing + self.there != self.removal.events:
            return True
        return retention.left(self.removal).count() > self.there


class _Walk:
    """Goes along the chain with the events beside it."""

    def __init__(
        self,
        report: Report,
        trusted: Collection[bytes],
        after: int,
        last: int,
        on_events: Callable[[int], None],
    ) -> None:
        self.report = report
        self.trusted = trusted
        self.after = after
        self.last = last
        self.on_events = on_events
        self.end_id = NO_END  # of the epoch that has no end yet
        self.before: Seal | None = None
        self.stream: Stream | None = None
        self.accepts_removals = True
        self.traces: dict[date, Trace] = {}
        self.latest = ""  # when the last event of the seal before happened

    def run(self, most_events: int | None) -> None:
        """Verify each seal, its place in the chain, and its events."""
        chosen = Seal.objects.filter(number__gt=self.after, number__lte=self.last)
        if self.after:
            self.before = Seal.objects.filter(number=self.after).first()
            if self.before is None:
                self.report.add(Kind.SEAL_MISSING, self.after)
        try:
            for seal in chosen.order_by("number").iterator(chunk_size=20):
                gap = self._gap_before(seal)
                for number in gap[:MOST_NAMED]:
                    self.report.add(Kind.SEAL_MISSING, number)
                self._check_link(seal, follows=not gap)
                self._open_stream(seal)
                self._check_events(seal, gap[0] if gap else None)
                self.before = self.report.last = seal
                self.report.seals += 1
                if most_events is not None and self.report.events >= most_events:
                    break
            self._check_last()
            self._check_removals()
        finally:
            if self.stream:
                self.stream.__exit__()

    def _check_removals(self) -> None:
        """Check that each removal that was walked through took a whole month, and only that."""
        last = self.report.last.number if self.report.last else 0
        for removal in self.report.removals:
            trace = self.traces.get(removal.month, Trace(removal))
            if not removal.is_sealed or retention.left(removal).exists():
                self.report.unproven.append(removal)
            whole = self.after < removal.first_seal and removal.last_seal <= last
            if events := trace.wrong(is_whole=whole):
                self.report.add(Kind.RESTORED, None, events)
            elif whole and trace.is_miscounted:
                self.report.add(Kind.REMOVAL, None, [removal.event])

    # The chain -----------------------------------------------------------------------------

    def _gap_before(self, seal: Seal) -> range:
        """Return the numbers that are missing before a seal."""
        expected = self.before.number + 1 if self.before else self.after + 1
        return range(expected, seal.number)

    def _check_link(self, seal: Seal, *, follows: bool) -> None:
        """Check that a seal follows the one before it.

        Each seal holds the hash of the one before, signature included, so that a valid signature
        vouches for everything before it: only the last one under each key needs to be checked.
        """
        before = self.before
        if before is None:
            if not self.after and follows and not _is_first(seal):
                self.report.add(Kind.SEAL_CHANGED, seal.number)
            return
        if not follows:
            self._check_signature(before, vouched=False)
        elif bytes(seal.previous) != seals.digest(before):
            guilty = [one for one in (before, seal) if not seals.is_signed(one)]
            for one in guilty or [seal]:
                self.report.add(Kind.SEAL_CHANGED, one.number)
        elif not _continues(before, seal):
            self.report.add(Kind.SEAL_CHANGED, seal.number)
        elif before.public_key != seal.public_key:
            self._check_signature(before, vouched=True)

    def _check_last(self) -> None:
        """Check the signature that vouches for the whole, and end the last epoch's events."""
        last = self.report.last
        if last is None:
            return
        # A part of the chain may end under a key that is no longer trusted by itself.
        newer = Seal.objects.filter(number__gt=last.number, public_key__in=self.trusted)
        self._check_signature(last, vouched=newer.exists())
        if last.upto_id != NO_END:
            self._end_stream()

    def _check_signature(self, seal: Seal, *, vouched: bool) -> None:
        if not seals.is_signed(seal):
            self.report.add(Kind.SEAL_CHANGED, seal.number)
        elif not vouched and bytes(seal.public_key) not in self.trusted:
            self.report.add(Kind.KEY_UNKNOWN, seal.number)

    # The events ----------------------------------------------------------------------------

    def _open_stream(self, seal: Seal) -> None:
        """Read on in the events; those of another epoch are another stream."""
        before = self.before
        is_same = before is not None and (before.source, before.after_id) == (
            seal.source,
            seal.after_id,
        )
        if self.stream and is_same:
            return
        self._end_stream()
        lo = before.hi if before and is_same else None
        after_id = seal.after_id if seal.epoch > 1 else None
        self.stream = Stream(Window(seal.source, lo, None, after_id, self._end_of(seal)))

    def _end_of(self, seal: Seal) -> int:
        """Return the last id of a seal's epoch, as far as it is closed."""
        own = Seal.objects.filter(number__gte=seal.number, after_id=seal.after_id)
        later = Seal.objects.filter(number__gt=seal.number, after_id__gt=seal.after_id)
        ends = own.aggregate(end=Min("upto_id")), later.aggregate(end=Min("after_id"))
        known = [end["end"] for end in ends if end["end"] is not None]
        return int(min(known)) if min(known) != NO_END else self.end_id

    def _end_stream(self) -> None:
        """Find the events that an epoch holds beyond its last seal."""
        if self.stream is None:
            return
        for rows in self.stream.below(NO_END):
            self.report.add(Kind.FORGED, None, [row[serial.ID] for row in rows])
        self.stream.__exit__()
        self.stream = None

    def _check_events(self, seal: Seal, missing: int | None) -> None:
        """Compare the events of a window with the tree and the list of its seal."""
        assert self.stream is not None  # noqa: S101
        self._pass_before(seal, missing)
        tree, listed, at = Tree(), bytes(seal.leaves), 0
        found: dict[int, bytes] = {}  # from the first difference on
        earliest, latest = self._bounds(seal)
        for rows in self.stream.below(seal.hi):
            leaves = [serial.leaf(row) for row in rows]
            tree.extend(leaves)
            ids = [row[serial.ID] for row in rows]
            entries = b"".join(map(seals.LISTED.pack, ids, leaves))
            if not found and listed[at : at + len(entries)] == entries:
                at += len(entries)
            else:
                found |= dict(zip(ids, (leaf[:8] for leaf in leaves), strict=True))
            self._check_moments(seal, rows, earliest, latest)
            self.report.events += len(rows)
            self.on_events(len(rows))
        gone = self._removed_from(seal, listed, at, found)
        if gone or tree.count != seal.count or tree.root() != bytes(seal.root):
            self._name_differences(seal, listed[at:], found, gone)

    def _pass_before(self, seal: Seal, missing: int | None) -> None:
        """Find the events before a window that no seal covers: a seal is missing, or they are."""
        assert self.stream is not None  # noqa: S101
        for rows in self.stream.below(seal.lo):
            kind = Kind.SEAL_MISSING if missing else Kind.FORGED
            self.report.add(kind, missing, [row[serial.ID] for row in rows])

    def _removed_from(self, seal: Seal, listed: bytes, at: int, found: Collection[int]) -> set[int]:
        """Return which events of a seal retention removed, by its own events.

        `at` is up to where the list agrees with what is there, `found` is what follows.
        """
        touching = [each for each in self.report.removals if each.may_touch(seal)]
        if not touching:
            # Nothing holds SQLite's retention up: it may have begun since this did.
            is_short = connection.vendor == "sqlite" and at + 16 * len(found) < len(listed)
            if not (is_short and self.accepts_removals):
                return set()
            known = {each.month for each in self.report.removals}
            begun = [each for each in removals() if each.month not in known]
            self.report.removals += begun
            touching = [each for each in begun if each.may_touch(seal)]
        ids = [id for id, _leaf in seals.LISTED.iter_unpack(listed[: len(listed) // 16 * 16])]
        there = {*ids[: at // 16], *found}
        gone: set[int] = set()
        for removal in touching:
            own = removal.removed_from(seal, ids) & set(ids)
            trace = self.traces.setdefault(removal.month, Trace(removal))
            trace.see(own - there, own & there)
            gone |= own - there
        return gone

    def _name_differences(
        self, seal: Seal, listed: bytes, found: dict[int, bytes], gone: set[int]
    ) -> None:
        """Say which events differ from the list in the seal, as far as that list is genuine."""
        sealed = dict(seals.LISTED.iter_unpack(listed[: len(listed) // 16 * 16]))
        changed = [id for id in found if id in sealed and sealed[id] != found[id]]
        deleted = [id for id in sealed if id not in found and id not in gone]
        added = [id for id in found if id not in sealed]
        named = {
            Kind.CHANGED: changed,
            Kind.DELETED: deleted,
            Kind.FORGED: [id for id in added if id <= seal.last_id],
            Kind.BACKDATED: [id for id in added if id > seal.last_id],
        }
        for kind, events in named.items():
            if events:
                self.report.add(kind, seal.number, events)
        if not gone and not any(named.values()):
            self.report.add(Kind.CONTENT, seal.number)

    def _bounds(self, seal: Seal) -> tuple[str, str]:
        """Return the earliest and the latest moment that an event of a seal may bear."""
        made = seal.made_at.replace(tzinfo=None)
        earliest = self.latest and min(self.latest, str(self.before and seals.made_at(self.before)))
        return _moved(earliest, -SLACK), _text(made + SLACK)

    def _check_moments(self, seal: Seal, rows: list[Row], earliest: str, latest: str) -> None:
        moments = [str(row[serial.MOMENT]) for row in rows]
        self.latest = moments[-1]
        for kind, is_odd in (
            (Kind.BACKDATED, min(moments) < earliest),
            (Kind.POSTDATED, max(moments) > latest),
        ):
            if is_odd:
                ids = [
                    row[serial.ID]
                    for row, moment in zip(rows, moments, strict=True)
                    if (moment < earliest if kind is Kind.BACKDATED else moment > latest)
                ]
                self.report.add(kind, seal.number, ids)


def _is_first(seal: Seal) -> bool:
    """Return whether a seal can be the first one of a trail."""
    return (
        (seal.number, seal.epoch, seal.after_id, seal.lo) == (1, 1, 0, 0)
        and seal.total == seal.count
        and bytes(seal.previous) == seals.NOTHING_BEFORE
    )


def _continues(before: Seal, seal: Seal) -> bool:
    """Return whether a window begins where the one before it ended."""
    if seal.total != before.total + seal.count:
        return False
    if seal.epoch == before.epoch:
        same = (seal.source, seal.after_id, seal.lo) == (before.source, before.after_id, before.hi)
        return same and before.upto_id == NO_END
    is_next = seal.epoch == before.epoch + 1 and seal.lo == 0
    return is_next and seal.after_id >= before.last_id


def _moved(moment: str, by: timedelta) -> str:
    try:
        return _text(datetime.fromisoformat(moment) + by)
    except (ValueError, OverflowError):
        return ""


def _text(moment: datetime) -> str:
    return moment.isoformat(" ", "microseconds")
