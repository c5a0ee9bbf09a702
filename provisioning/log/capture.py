"""From a request and its answer to an entry: the one place that decides what is logged.

Nothing here raises: a log that cannot be written must not cost an answer.
"""

import random
import time
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import orjson
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from audit.actors import Actor
from provisioning.log import buffer
from provisioning.log.entries import LONGEST_PATH, Entry
from provisioning.log.notes import Notes
from provisioning.log.redaction import LARGEST
from provisioning.models import Provider, Token

LONGEST_DETAIL = 2_000
READS = frozenset({"GET", "HEAD"})


class Caller(Protocol):
    """Who asked."""

    @property
    def token(self) -> Token: ...
    @property
    def provider(self) -> Provider: ...
    @property
    def actor(self) -> Actor: ...


def note_request(
    request: HttpRequest,
    caller: Caller | None,
    notes: Notes,
    response: HttpResponseBase | None,
    started_ns: int,
) -> None:
    """Log a request; without a response it ended in a fault of ours.

    Nothing without a caller: who has no valid token is counted in the audit trail instead, or
    anybody could fill the log (see the package's own words).
    """
    if caller is None or settings.PROVISIONING_LOG == "off":
        return
    try:
        _note_request(request, caller, notes, response, started_ns)
    except Exception as error:
        buffer.LOG.lose(1, error)


def _note_request(
    request: HttpRequest,
    caller: Caller,
    notes: Notes,
    response: HttpResponseBase | None,
    started_ns: int,
) -> None:
    method = request.method or ""
    is_read = notes.is_read or method in READS
    if response is None:
        status = 503 if isinstance(notes.error, DatabaseError) else 500
    else:
        status = response.status_code
    rate = settings.PROVISIONING_LOG_READS if is_read else 1.0
    if not _is_wanted(status, is_read) or (
        status < 400 and rate < 1 and random.random() >= rate  # noqa: S311 — a sample, no secret
    ):
        return
    answer = getattr(response, "data", None)
    reason = notes.settle()
    entry = Entry(
        at=datetime.now(UTC),
        duration_us=(time.perf_counter_ns() - started_ns) // 1000,
        provider=caller.provider,
        token=caller.token,
        origin=caller.actor.origin,
        method=method,
        path=request.get_full_path()[:LONGEST_PATH],
        status=status,
        notes=notes,
        reason=reason if status >= 400 else "",
        is_sample=is_read and status < 400 and rate < 1,
        keeps_bodies=not is_read or status >= 400,
    )
    if isinstance(answer, dict):
        _tell_answer(entry, answer)
    if entry.keeps_bodies:
        # A body that was never read, such as one past the limit, is not read for this either.
        entry.request, entry.request_size = _kept(getattr(request, "_body", b""))
        entry.reply, entry.reply_size = _kept(getattr(response, "content", b""))
    buffer.LOG.add(entry)


def note_operation(
    caller: Caller,
    notes: Notes,
    answer: dict[str, Any],
    data: Any,
    *,
    path: str,
    part_of: UUID,
    started_ns: int,
) -> None:
    """Log one operation of a Bulk: a row of its own, so that a user's history has it."""
    try:
        status, reason = int(answer["status"]), notes.settle()
        if not _is_wanted(status, False):
            return
        entry = Entry(
            at=datetime.now(UTC),
            duration_us=(time.perf_counter_ns() - started_ns) // 1000,
            provider=caller.provider,
            token=caller.token,
            origin=caller.actor.origin,
            method=answer["method"],
            path=path,
            status=status,
            notes=notes,
            reason=reason if status >= 400 else "",
            part_of=part_of,
            keeps_bodies=True,
        )
        # As bytes, whose size is known: the queue is bounded by what it holds.
        if data is not None:
            entry.request, entry.request_size = _kept(_written(data))
        if (refusal := answer.get("response")) is not None:
            _tell_answer(entry, refusal)
            entry.reply, entry.reply_size = _kept(_written(refusal))
        buffer.LOG.add(entry)
    except Exception as error:
        buffer.LOG.lose(1, error)


def _is_wanted(status: int, is_read: bool) -> bool:
    match settings.PROVISIONING_LOG:
        case "all":
            return True
        case "changes":
            return status >= 400 or not is_read
        case "errors":
            return status >= 400
        case _:
            return False


def _tell_answer(entry: Entry, answer: dict[str, Any]) -> None:
    """Note what an answer says of itself: why it refuses, how much it found, whom."""
    if entry.status >= 400:
        entry.detail = str(answer.get("detail", ""))[:LONGEST_DETAIL]
        entry.scim_type = str(answer.get("scimType", ""))
    elif "totalResults" in answer:
        entry.results = answer["totalResults"]
        found: list[dict[str, Any]] = answer.get("Resources", [])
        if len(found) == 1 and entry.notes.type is not None:
            only = found[0]
            entry.notes.resource_id = str(only.get("id", ""))
            entry.notes.name = str(only.get("userName") or only.get("displayName") or "")
    elif "Operations" in answer:
        entry.results = len(answer["Operations"])
        entry.keeps_bodies = False  # each operation has a row with its own


def _written(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # a number past 64 bits: JSON, but not for everybody
        return b""


def _kept(body: bytes) -> tuple[bytes, int]:
    """Return a body, unless it is too large to keep, and its size."""
    size = len(body)
    return body if size <= LARGEST else b"", size
