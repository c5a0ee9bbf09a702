"""Makes the seals. It touches no event, keeps no writer waiting, and writes nothing when idle."""

from dataclasses import dataclass, replace

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from audit.evidence import seals, serial
from audit.evidence.merkle import Tree
from audit.evidence.windows import NO_END, Horizon, Stream, Window, holds_any, horizon, reading
from audit.models import Event, Seal

MOST_EVENTS = 10_000  # in a seal, unless one transaction wrote more
MOST_SEALS = 50  # in a run, so that other work of the same worker has its turn
LOCK = 0x5345414C  # "SEAL"

log = structlog.get_logger("alta.audit")


@dataclass(frozen=True, slots=True)
class Link:
    """Where the next seal continues the chain."""

    last: Seal | None
    epoch: int
    window: Window


def seal_all(most: int = MOST_SEALS) -> int:
    """Seal the events that are decided; return how many seals were made.

    Another sealer's turn, or nothing to seal, ends it.
    """
    for made in range(most):
        if not _seal_next():
            return made
    return most


def _seal_next() -> bool:
    if _link(seals.newest(), horizon()) is None:
        return False  # idle: three short questions, no lock, no transaction
    if connection.vendor == "postgresql":
        with transaction.atomic():
            made = _locked() and _draft()
            if made:
                made.save(force_insert=True)
    else:
        # Read without the one writer's lock, then take it only to write.
        made = _draft()
        if made:
            try:
                with transaction.atomic():
                    made.save(force_insert=True)
            except IntegrityError:  # another sealer was first
                return False
    if not made:
        return False
    log.info("audit trail sealed", **seals.head(made))
    return True


def _locked() -> bool:
    """Take the right to seal until the transaction ends, unless somebody has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _draft() -> Seal | None:
    """Return the next seal, signed and not yet saved."""
    now = horizon()
    link = _link(seals.newest(), now)
    if link is None:
        return None
    last, window = link.last, link.window
    tree, last_id = Tree(), last.last_id if last else 0
    listed: list[bytes] = []
    hi = window.hi or NO_END
    with reading():
        if window.upto_id == NO_END:
            hi = _cut(window, hi)
        with Stream(replace(window, hi=None if hi == NO_END else hi)) as stream:
            for rows in stream.below(hi):
                leaves = [serial.leaf(row) for row in rows]
                tree.extend(leaves)
                listed += map(seals.LISTED.pack, [row[serial.ID] for row in rows], leaves)
                last_id = max(last_id, *(row[serial.ID] for row in rows))
    seal = Seal(
        number=last.number + 1 if last else 1,
        epoch=link.epoch,
        source=window.source,
        after_id=window.after_id or 0,
        upto_id=window.upto_id or NO_END,
        lo=window.lo or 0,
        hi=hi,
        count=tree.count,
        total=(last.total if last else 0) + tree.count,
        last_id=last_id,
        root=tree.root(),
        leaves=b"".join(listed),
        previous=seals.digest(last) if last else seals.NOTHING_BEFORE,
        made_at=now.now,
    )
    seals.sign(seal)
    return seal


def _cut(window: Window, hi: int) -> int:
    """Return where to end a window that holds too many events: never inside a transaction."""
    where, values = window.where()
    sql = (
        f"SELECT {window.position} FROM audit_event"  # noqa: S608 — our own words
        f" WHERE {where} ORDER BY {window.position} LIMIT 1 OFFSET %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, 0])
        first = cursor.fetchone()
        cursor.execute(sql, [*values, MOST_EVENTS])
        beyond = cursor.fetchone()
    if beyond is None:
        return hi
    return int(beyond[0]) if beyond[0] > first[0] else int(first[0]) + 1


def _link(last: Seal | None, now: Horizon) -> Link | None:
    """Return where the chain continues, or None when nothing new is decided."""
    if last is None:
        link = Link(None, 1, Window(now.source, 0, now.hi, 0, NO_END))
    else:
        window = Window(now.source, last.hi, now.hi, last.after_id, NO_END)
        epoch = last.epoch
        if last.upto_id != NO_END:  # the last epoch is closed
            window = replace(window, lo=0, after_id=last.upto_id)
            epoch += 1
        elif now.begins_anew_after(last.source, last.hi):
            boundary = _last_id_before(last, now)
            rest = Window(last.source, last.hi, None, last.after_id, boundary)
            if holds_any(rest):  # what the old epoch had not sealed yet
                window = rest
            else:
                window = replace(window, lo=0, after_id=boundary)
                epoch += 1
        link = Link(last, epoch, window)
    return link if holds_any(link.window) else None


def _last_id_before(last: Seal, now: Horizon) -> int:
    """Return the greatest id that was certainly written before positions began anew.

    Ids go on where the restored ones ended. What is not sealed and bears a transaction id that
    this cluster has not reached yet came with the restore.
    """
    if connection.vendor != "postgresql":
        return last.last_id
    future = Event.objects.filter(transaction_id__gte=now.beyond, pk__gt=last.after_id)
    return max(last.last_id, future.aggregate(last=Max("pk"))["last"] or 0)
