"""A job in the hands of a worker, for as long as the worker says so."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from audit.models import Job


class LeaseLost(Exception):
    """Another worker has taken the job, or somebody discarded it: stop, and leave no trace."""


@dataclass(slots=True)
class RunningJob:
    """A job in the hands of this worker."""

    row: Job
    lease_s: int
    _extended: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> int:
        return self.row.pk

    @property
    def attempts(self) -> int:
        """Which attempt this is, from 1."""
        return self.row.attempts

    def extend(self, *, now: bool = False) -> None:
        """Keep the job; call it often while you work. Raises LeaseLost.

        It writes when a quarter of the lease has passed, or `now`.
        """
        if not now and time.monotonic() - self._extended < self.lease_s / 4:
            return
        self.change(due_at=Now() + timedelta(seconds=self.lease_s))
        self._extended = time.monotonic()

    def change(self, **columns: Any) -> None:
        """Write columns while the job is this worker's. Raises LeaseLost."""
        mine = Job.objects.filter(
            pk=self.row.pk, state=Job.State.RUNNING, attempts=self.row.attempts
        )
        if not mine.update(**columns):
            raise LeaseLost
