"""Copies of the trail: who asks for one and who takes one is told in the trail itself."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import journal
from audit.actors import Actor
from audit.jobs import outbox
from audit.models import TrailExport
from audit.types import EventType

KIND = "export.trail"
MOST_UNFINISHED = 3  # of one person


class TooManyExports(Exception):
    """The person has as many unfinished exports as one may have; nothing was changed."""


class NotReady(Exception):
    """The export has no file, or not any longer."""


@transaction.atomic
def ask(format: str, query: str, *, language: str, time_zone: str, actor: Actor) -> TrailExport:
    """Have a file made of what a page's query shows. Raises TooManyExports."""
    mine = TrailExport.objects.filter(actor_id=actor.id, state__in=TrailExport.UNFINISHED)
    if mine.count() >= MOST_UNFINISHED:
        raise TooManyExports(
            _("%(number)d exports of yours are being made: wait until one of them is ready.")
            % {"number": MOST_UNFINISHED}
        )
    export = _new(format, query, language, time_zone, actor)
    export.save(force_insert=True)
    export.job_id = outbox.enqueue(KIND, {"export": str(export.pk)}).pk
    export.save(update_fields=["job_id"])
    _record(export, actor)
    return export


@transaction.atomic
def note_direct(
    format: str, query: str, *, language: str, time_zone: str, actor: Actor
) -> TrailExport:
    """Record that somebody writes a file by a command; return what it is, which is not kept."""
    export = _new(format, query, language, time_zone, actor)
    _record(export, actor)
    return export


@transaction.atomic
def note_download(export_id: UUID, *, actor: Actor) -> TrailExport:
    """Record that somebody takes a file. Raises NotReady."""
    export = TrailExport.objects.filter(pk=export_id, state=TrailExport.State.DONE).first()
    if export is None:
        raise NotReady(_("This export has no file, or not any longer."))
    journal.record(
        EventType.EXPORT_DOWNLOADED,
        actor=actor,
        target=export,
        format=export.format,
        rows=export.rows,
        sha256=export.sha256,
    )
    return export


def _new(format: str, query: str, language: str, time_zone: str, actor: Actor) -> TrailExport:
    return TrailExport(
        actor_id=actor.id,
        actor_label=actor.label[:255],
        format=format,
        query=query,
        language=language,
        time_zone=time_zone,
        asked_at=timezone.now(),
    )


def _record(export: TrailExport, actor: Actor) -> None:
    asked: dict[str, Any] = {name: ", ".join(v) for name, v in QueryDict(export.query).lists()}
    filters = [f"{name}: {value}" for name, value in asked.items()]
    journal.record(
        EventType.TRAIL_EXPORTED,
        actor=actor,
        target=export,
        format=export.format,
        filters=filters,
    )
