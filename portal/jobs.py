"""The page «Trabajos»: scheduled tasks and jobs in words."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.jobs import registry
from audit.jobs.pulses import task_name
from audit.models import Job, Pulse

LATE = 3  # periods without a run, after which a task is late
SOONEST_LATE = timedelta(minutes=2)
SCHEDULED: dict[str, str | Promise] = {
    "alerts": _("Look for what should not be"),
    "authentication-failures": _("Count the refused SCIM requests"),
    "erasure": _("Erase users deleted long ago"),
    "exports": _("Look for exports that wait"),
    "hourly-counts": _("Count the events of each hour"),
    "jobs": _("Look for jobs that wait"),
    "old-jobs": _("Delete old jobs"),
    "old-exports": _("Delete old exports"),
    "partitions": _("Make the coming months' partitions"),
    "portal-sweep": _("Delete ended sessions"),
    "provisioning-log": _("Trim the provisioning log"),
    "retention": _("Remove old months of the audit trail"),
    "seals": _("Seal the audit trail"),
    "statistics": _("Refresh the database's statistics"),
    "sweep": _("Delete secrets whose overlap is over"),
    "tokens": _("Expire tokens and give notice"),
    "verification": _("Verify the audit trail"),
}
QUEUES: dict[str, str | Promise] = {
    registry.DEFAULT: _("General"),
    registry.EXPORTS: _("Exports"),
}


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A scheduled task with its last run."""

    label: str
    every: timedelta
    last: Pulse | None

    @property
    def duration(self) -> str:
        """How long the last run took, in milliseconds or seconds."""
        if self.last is None or self.last.duration_ms is None:
            return "—"
        ms = self.last.duration_ms
        return f"{ms} ms" if ms < 10_000 else f"{ms // 1_000} s"

    @property
    def is_late(self) -> bool:
        """Whether it should have run again long ago."""
        if self.last is None:
            return False
        return timezone.now() - self.last.at > max(self.every * LATE, SOONEST_LATE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A job in words."""

    job: Job

    @property
    def label(self) -> str:
        return registry.label_of(self.job.kind)

    @property
    def has_label(self) -> bool:
        return self.label != self.job.kind

    @property
    def queue(self) -> str | Promise:
        return QUEUES.get(self.job.queue, self.job.queue)

    @property
    def is_overdue(self) -> bool:
        """Whether the worker that holds it has not been heard of."""
        return self.job.due_at <= timezone.now()


def scheduled(known: dict[str, Pulse]) -> list[Scheduled]:
    """Return the scheduled tasks by their names, each with its last run."""
    found = []
    for key, entry in settings.CELERY_BEAT_SCHEDULE.items():
        name = task_name(str(entry["task"]), _arguments(entry))
        every: Any = entry["schedule"]
        period = every if isinstance(every, timedelta) else timedelta(seconds=float(every))
        found.append(Scheduled(str(SCHEDULED.get(key, key)), period, known.get(name)))
    return sorted(found, key=lambda task: task.label)


def _arguments(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.get("args", ()))
