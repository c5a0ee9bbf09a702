"""Jobs that were given up: told in the trail, then tried again or discarded by somebody."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import journal
from audit.actors import SYSTEM, Actor
from audit.jobs import wakeup
from audit.jobs.leases import LeaseLost
from audit.models import BEAT, Job, Pulse
from audit.types import EventType, Outcome

DAYS_DONE = 7  # that a job which was done is kept
DAYS_FAILED = 90  # that a dead letter nobody looked at is kept: its event stays
DAYS_SILENT = 7  # after which a worker's sign of life is no news
BATCH = 1_000


class NotFailed(Exception):
    """The job is no dead letter, or not any longer; nothing was changed."""


class AlreadyAsked(Exception):
    """The same work waits already under another job; nothing was changed."""


@transaction.atomic
def bury(job: Job, error: str) -> None:
    """Give up a job that this worker holds: a dead letter. Raises LeaseLost when it does not."""
    mine = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, attempts=job.attempts)
    if not mine.update(state=Job.State.FAILED, finished_at=Now(), error=error):
        raise LeaseLost
    journal.record(
        EventType.JOB_FAILED,
        actor=SYSTEM,
        target=job,
        outcome=Outcome.FAILURE,
        attempts=job.attempts,
        error=error,
    )


@transaction.atomic
def retry(job_id: int, *, actor: Actor) -> None:
    """Have a dead letter tried again from the first attempt. Raises NotFailed and AlreadyAsked."""
    job = _failed(job_id)
    try:
        with transaction.atomic():
            Job.objects.filter(pk=job.pk).update(
                state=Job.State.WAITING, attempts=0, due_at=Now(), started_at=None, finished_at=None
            )
    except IntegrityError:
        raise AlreadyAsked(_("The same work waits already; discard this job instead.")) from None
    journal.record(EventType.JOB_RETRIED, actor=actor, target=job, error=job.error)
    transaction.on_commit(lambda: wakeup.send(job.queue), robust=True)


@transaction.atomic
def discard(job_id: int, *, actor: Actor) -> None:
    """Delete a dead letter: nobody will do it. Raises NotFailed."""
    job = _failed(job_id)
    journal.record(
        EventType.JOB_DISCARDED,
        actor=actor,
        target=job,
        error=job.error,
        asked_at=job.created_at.isoformat(),
    )
    job.delete()


def sweep() -> int:
    """Delete what has had its time, some at a time; return how many jobs.

    Not a change that anybody made, so no event.
    """
    now = timezone.now()
    Pulse.objects.filter(at__lt=now - timedelta(days=DAYS_SILENT)).exclude(name=BEAT).delete()
    deleted = 0
    for state, days in ((Job.State.DONE, DAYS_DONE), (Job.State.FAILED, DAYS_FAILED)):
        old = Job.objects.filter(state=state, finished_at__lt=now - timedelta(days=days))
        while batch := list(old.order_by("finished_at").values_list("pk", flat=True)[:BATCH]):
            deleted += Job.objects.filter(pk__in=batch, state=state).delete()[0]
    return deleted


def _failed(job_id: int) -> Job:
    job = Job.objects.select_for_update().filter(pk=job_id, state=Job.State.FAILED).first()
    if job is None:
        raise NotFailed(_("This job has not failed, or somebody has already dealt with it."))
    return job
