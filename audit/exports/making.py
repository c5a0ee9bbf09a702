"""The job that makes an export's file, in chunks in the database, and what becomes of them.

A folder would have to be shared by all machines that serve pages and do jobs; the database is
shared already, is backed up with what it tells of, and deletes a file with its row.
"""

import zlib
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.exports import stream
from audit.jobs.leases import LeaseLost, RunningJob
from audit.jobs.registry import EXPORTS, GiveUp, handles
from audit.jobs.running import told
from audit.models import ExportChunk, Job, TrailExport
from audit.operations.exports import KIND
from audit.patience import TooSlow, within

State = TrailExport.State
CHUNK = 1_000_000  # bytes before they are compressed: no chunk is greater
LEVEL = 1  # zlib's fastest: the text is a tenth of its size even so
MOST_ATTEMPTS = 5
COUNT_MS = 3_000


@handles(
    KIND,
    queue=EXPORTS,
    most_attempts=MOST_ATTEMPTS,
    lease_s=60,
    transactional=False,
    label=_("Export of the audit trail"),
)
def make(payload: dict[str, Any], job: RunningJob) -> None:
    """Make the file from its beginning: nothing of an attempt that broke off is kept."""
    export = TrailExport.objects.filter(pk=UUID(payload["export"])).first()
    if export is None or export.state in (State.DONE, State.EXPIRED):
        return
    run = uuid4()
    export.chunks.all().delete()
    TrailExport.objects.filter(pk=export.pk).update(
        state=State.RUNNING, run=run, rows=0, error="", estimate=_estimate(export)
    )
    try:
        _write(export, run, job)
    except LeaseLost:
        ExportChunk.objects.filter(export=export, run=run).delete()
        raise
    except Exception as error:
        is_last = job.attempts >= MOST_ATTEMPTS or isinstance(error, GiveUp)
        mine = TrailExport.objects.filter(pk=export.pk, run=run)
        mine.update(state=State.FAILED if is_last else State.WAITING, error=told(error))
        ExportChunk.objects.filter(export=export, run=run).delete()
        raise


def _write(export: TrailExport, run: UUID, job: RunningJob) -> None:
    mine = TrailExport.objects.filter(pk=export.pk, run=run)
    whole, waiting = sha256(), bytearray()
    size = number = 0
    for part in stream.parts(export):
        waiting += part.data
        while len(waiting) >= CHUNK or (part.trailer and waiting):
            data = bytes(waiting[:CHUNK])
            del waiting[:CHUNK]
            whole.update(data)
            size += len(data)
            job.extend()
            with transaction.atomic():
                # Whoever took the job over has named its own run: this one writes no more.
                if not mine.update(rows=part.rows):
                    raise LeaseLost
                ExportChunk.objects.create(
                    export=export, run=run, number=number, data=zlib.compress(data, LEVEL)
                )
            number += 1
    now = timezone.now()
    finished = mine.update(
        state=State.DONE,
        rows=part.rows,
        size=size,
        sha256=whole.hexdigest(),
        trailer=part.trailer,
        finished_at=now,
        expires_at=now + timedelta(days=settings.AUDIT_EXPORT_DAYS),
    )
    if not finished:
        raise LeaseLost


def _estimate(export: TrailExport) -> int | None:
    """Return how many events there are, or None when counting them takes long."""
    try:
        with within(COUNT_MS):
            return stream.events_of(export).order_by().count()
    except TooSlow:
        return None


def file_of(export: TrailExport) -> Iterator[bytes]:
    """Yield the file, a chunk in memory at a time."""
    number = 0
    while export.run:
        chunk = export.chunks.filter(run=export.run, number=number).first()
        if chunk is None:
            return
        yield zlib.decompress(chunk.data)
        number += 1


def manifest(export: TrailExport) -> dict[str, Any]:
    """Return what an export's file is, for `audit_verify --expect-head`."""
    told = export.trailer
    return {
        "file": f"{export.file_name}",
        "format": export.format,
        "size": export.size,
        "sha256": export.sha256,
        "rows": export.rows,
        "query": export.query,
        "until": told.get("until"),
        "head": told.get("head"),
        "unsealed": told.get("unsealed"),
    }


def expire() -> int:
    """Delete the files whose days are over, and those of jobs that were discarded or given up."""
    now = timezone.now()
    over = TrailExport.objects.filter(state=State.DONE, expires_at__lte=now)
    unfinished = (Job.State.WAITING, Job.State.RUNNING)
    living = Job.objects.filter(kind=KIND, state__in=unfinished).values("pk")
    lost = TrailExport.objects.filter(
        Q(state__in=TrailExport.UNFINISHED) & ~Q(job_id__in=living),
        asked_at__lt=now - timedelta(minutes=5),
    )
    count = 0
    for export in over:
        with transaction.atomic():
            export.chunks.all().delete()
            count += TrailExport.objects.filter(pk=export.pk).update(state=State.EXPIRED)
    for export in lost:
        with transaction.atomic():
            export.chunks.all().delete()
            TrailExport.objects.filter(pk=export.pk).update(state=State.FAILED)
    return count
