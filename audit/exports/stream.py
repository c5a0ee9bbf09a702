"""An export as bytes: header, events, trailer, whoever keeps them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone, translation

from audit import queries
from audit.evidence import seals
from audit.evidence.windows import SQLITE
from audit.exports import rows
from audit.exports.formats import FORMATS
from audit.forms import FilterForm
from audit.models import Event, Seal, TrailExport


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of the file, and how many events are in it up to here."""

    data: bytes
    rows: int
    trailer: dict[str, Any] | None = None


def events_of(export: TrailExport) -> QuerySet[Event]:
    """Return the events that were asked for, of those that had happened then."""
    with translation.override(export.language), timezone.override(ZoneInfo(export.time_zone)):
        form = FilterForm(QueryDict(export.query), now=export.asked_at)
        filters = form.filters()
    return queries.matching(filters).filter(performed_at__lte=export.asked_at)


def parts(export: TrailExport) -> Iterator[Part]:
    """Yield the file in parts of some thousand events; the last one is the trailer."""
    format = FORMATS[export.format](export.language)
    digest = sha256()
    count = 0
    data = format.begin()
    digest.update(data)
    yield Part(data, count)
    with rows.reading(events_of(export)) as lists:
        for some in lists:
            data = format.lines(some)
            digest.update(data)
            count += len(some)
            yield Part(data, count)
    trailer = _trailer(export, count, digest.hexdigest())
    yield Part(format.trailer(trailer), count, trailer)


def _trailer(export: TrailExport, count: int, digest: str) -> dict[str, Any]:
    """Return what proves the file: `sha256` is of all bytes before the trailer's line."""
    seal = seals.newest()
    return {
        "rows": count,
        "sha256": digest,
        "query": export.query,
        "until": export.asked_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "head": seals.head(seal) if seal else None,
        "unsealed": _after(seal).count(),
    }


def _after(seal: Seal | None) -> QuerySet[Event]:
    """Return the events that no seal covers yet."""
    if seal is None:
        return Event.objects.all()
    if seal.source == SQLITE:
        return Event.objects.filter(pk__gte=seal.hi)
    return Event.objects.filter(transaction_id__gte=seal.hi)
