"""Writing a job with the change that asks for it: both are kept, or neither."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from audit.jobs import wakeup
from audit.jobs.registry import handler_of
from audit.models import Job

TRIES = 5


def enqueue(
    kind: str, payload: dict[str, Any], *, key: str = "", due_at: datetime | None = None
) -> Job:
    """Write a job inside the caller's transaction, and wake a worker once that is committed.

    With a `key` there is one unfinished job of the kind: a second call returns the first's row.
    The payload is JSON and holds no secret. Raises RuntimeError outside a transaction and
    UnknownKind when nothing would do the job.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("enqueue() needs the transaction of the change that asks for the job")
    handler = handler_of(kind)
    job = Job(kind=kind, queue=handler.queue, key=key, payload=payload)
    if due_at is not None:
        job.due_at = due_at
    else:
        transaction.on_commit(partial(wakeup.send, handler.queue), robust=True)
    if not key:
        job.save(force_insert=True)
        return job
    unfinished = Job.objects.unfinished()
    for _ in range(TRIES):
        Job.objects.bulk_create([job], ignore_conflicts=True)
        found = unfinished.filter(queue=handler.queue, kind=kind, key=key).first()
        if found:
            return found
    raise RuntimeError(f"a job {kind!r} with the key {key!r} ends as fast as it is written")
