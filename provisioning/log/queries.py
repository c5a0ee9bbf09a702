"""What the page of the log asks: filters, pages by key, capped counts, what is new and lost."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import OperationalError
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from audit import keyset
from audit.models import Event
from audit.patience import TooSlow, told, within
from provisioning.models import LoggedRequest, LostRequests
from provisioning.models.fields import key_of
from provisioning.models.requests import first_id_of

PAGE_SIZE = 50
MOST_COUNTED = 10_000
MOST_NEWS = 99
QUICK_MS = 3_000
CHUNK = 500
ORDER = keyset.ById()
BODIES = ("request_body", "reply_body")
LAST = "\U0010ffff"
# The clocks of two machines, and a change that waited for a lock.
AROUND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for. `status` is a class or a number: "4xx", "409"; `until` is excluded."""

    text: str = ""
    provider: UUID | None = None
    method: str = ""
    status: str = ""
    scim_type: str = ""
    resource: UUID | None = None
    part_of: UUID | None = None
    errors: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many requests there are, or that there are more than were counted."""

    number: int
    is_capped: bool


def matching(filters: Filters) -> QuerySet[LoggedRequest]:
    """Return the requests that pass every filter, without their bodies."""
    found = LoggedRequest.objects.defer(*BODIES)
    if filters.since:
        found = found.filter(pk__gte=first_id_of(filters.since))
    if filters.until:
        found = found.filter(pk__lt=first_id_of(filters.until))
    if filters.provider:
        found = found.filter(provider_id=filters.provider)
    if filters.method:
        found = found.filter(method=filters.method)
    if filters.resource:
        found = found.filter(resource_id=filters.resource)
    if filters.part_of:
        found = found.filter(Q(part_of=filters.part_of) | Q(pk=filters.part_of))
    if filters.status:
        found = found.filter(_of_status(filters.status))
    if filters.scim_type:
        found = found.filter(is_refusal=True, scim_type=filters.scim_type)
    if filters.errors:
        found = found.filter(is_refusal=True)
    return found.filter(_of_text(filters.text)) if filters.text else found


def _of_status(text: str) -> Q:
    if not text.endswith("xx"):
        status = int(text)
        return Q(status=status, is_refusal=status >= 400)
    least = int(text[0]) * 100
    if least < 400:
        return Q(is_refusal=False)
    return Q(is_refusal=True, status__gte=least, status__lt=least + 100)


def _of_text(text: str) -> Q:
    """Return the condition of a name that begins with a text, or an id that is it."""
    key = key_of(text)
    found = Q(name_key__gte=key, name_key__lt=key + LAST) | Q(request_id=text)
    if re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        found |= Q(resource_id=UUID(text)) | Q(pk=UUID(text))
    return found


def page(
    filters: Filters, cursor: str = "", *, counted: Count | None = None, size: int = PAGE_SIZE
) -> keyset.Page[LoggedRequest]:
    """Return a page of requests, newest first. `counted` helps to find few ones. Raises TooSlow."""
    if counted and not counted.number:
        return keyset.Page([])
    are_few = bool(filters.text and counted and not counted.is_capped)
    with within(QUICK_MS):
        return keyset.page(matching(filters), ORDER, cursor, size, are_few=are_few)


def count(filters: Filters, most: int = MOST_COUNTED) -> Count | None:
    """Count the requests, up to `most`; None when even that takes too long."""
    try:
        with within(QUICK_MS):
            number = matching(filters).order_by().values("pk")[: most + 1].count()
    except TooSlow:
        return None
    return Count(min(number, most), is_capped=number > most)


def news(filters: Filters, since: UUID) -> int:
    """Count the requests that came after one, a hundred at most. Raises TooSlow."""
    with within(QUICK_MS):
        newer = matching(filters).filter(pk__gt=since).order_by("pk")
        return newer.values("pk")[: MOST_NEWS + 1].count()


def all_of(filters: Filters, most: int) -> Iterator[LoggedRequest]:
    """Yield up to `most` requests with their bodies, newest first, a chunk in memory at a time."""
    found = matching(filters).defer(None).order_by("-pk")
    last: UUID | None = None
    left = most
    while left > 0:
        rows = found.filter(pk__lt=last) if last else found
        try:
            chunk = list(rows[: min(CHUNK, left)])
        except OperationalError as error:
            raise told(error) from error
        if not chunk:
            return
        yield from chunk
        last = chunk[-1].pk
        left -= len(chunk)


def lost(since: datetime | None = None) -> int:
    """Return how many rows of the last day never reached the log."""
    since = since or timezone.now() - timedelta(days=1)
    return LostRequests.objects.filter(hour__gte=since).aggregate(n=Sum("count"))["n"] or 0


def events_of(request: LoggedRequest) -> list[Event]:
    """Return the audit events of a request: what it changed, before and after.

    Found by the token and the minute, which an index holds; the request id picks its own. A row
    of a Bulk has the events of its own resource.
    """
    found = Event.objects.filter(
        actor_id=str(request.token_id),
        performed_at__gte=request.at - AROUND,
        performed_at__lt=request.at + AROUND,
        request_id=request.request_id,
    ).defer("search")
    if request.resource_id:
        found = found.filter(target_id=str(request.resource_id))
    return list(found.order_by("performed_at", "pk")[:20])
