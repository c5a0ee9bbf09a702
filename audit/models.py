"""What happened: append-only rows that hold copies, not foreign keys."""

from datetime import datetime
from typing import Any, NoReturn
from uuid import uuid4

from django.db import models
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit import types

# Other words under which an auditor looks for an IdP.
PROVIDER_ALIASES = {
    "entra-id": "microsoft entra id azure active directory aad",
    "okta": "okta",
    "onelogin": "onelogin one login",
    "pingone": "pingone ping identity",
    "pingfederate": "pingfederate ping federate identity",
    "jumpcloud": "jumpcloud jump cloud",
    "google-workspace": "google workspace g suite",
    "other": "scim",
}


class AppendOnly(models.Model):
    """Rows that are inserted and never touched again; the database refuses it too."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a saved row is never saved again."""
        if not self._state.adding:
            self._refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: the database would too."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise TypeError("The audit trail is never changed or deleted.")


class Event(AppendOnly):
    """One thing that happened. The database refuses UPDATE and DELETE (migration 0003).

    On PostgreSQL the table is partitioned by month and a trigger sets `performed_at` and
    `transaction_id`, so that the application cannot choose them (docs/decisions/0003).
    """

    id = models.BigAutoField(primary_key=True)
    performed_at = models.DateTimeField(_("Performed at"), db_default=Now(), editable=False)
    transaction_id = models.BigIntegerField(null=True, editable=False)
    type = models.CharField(_("Activity"), max_length=64)
    category = models.CharField(_("Category"), max_length=16)
    outcome = models.CharField(_("Status"), max_length=16)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(_("Performed by"), max_length=255)
    target_kind = models.CharField(_("Type"), max_length=32)
    target_id = models.CharField(max_length=64)
    target_label = models.CharField(_("Name"), max_length=300)
    provider_id = models.UUIDField(null=True)
    provider_kind = models.CharField(max_length=32, default="", blank=True)
    provider_label = models.CharField(max_length=100, default="", blank=True)
    request_id = models.CharField(max_length=64, default="", blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, default="", blank=True)
    changes = models.JSONField(default=dict)
    details = models.JSONField(default=dict)
    search = models.TextField(default="", blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-performed_at", "-id")
        indexes = (
            models.Index(fields=("performed_at", "id"), name="event_time"),
            models.Index(fields=("type", "performed_at", "id"), name="event_type_time"),
            models.Index(
                fields=("provider_kind", "performed_at", "id"), name="event_provider_time"
            ),
            models.Index(
                fields=("target_kind", "target_id", "performed_at", "id"), name="event_target_time"
            ),
            models.Index(fields=("actor_id", "performed_at", "id"), name="event_actor_time"),
        )

    def __str__(self) -> str:
        return f"{self.performed_at:%Y-%m-%d %H:%M:%S} {self.type} {self.target_label}"

    @property
    def event_type(self) -> types.EventType:
        """The registered type of this event."""
        return types.BY_KEY[self.type]

    @property
    def label(self) -> Promise:
        """The auditor's name of the activity."""
        return self.event_type.label

    @property
    def explanation(self) -> Promise:
        """The activity told as a sentence."""
        return self.event_type.explanation

    @property
    def succeeded(self) -> bool:
        """Whether what was asked was done."""
        return self.outcome == types.Outcome.SUCCESS.key


class HourlyCount(models.Model):
    """How many events of a type an hour held: what the audit page's chart is drawn from."""

    hour = models.DateTimeField()
    type = models.CharField(max_length=64)
    provider_kind = models.CharField(max_length=32, default="", blank=True)
    count = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("hour", "type", "provider_kind"), name="one_count_an_hour"
            ),
        )

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.type} {self.count}"


class SavedView(models.Model):
    """A query of the audit page under a name, for everybody who may read the trail."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    query = models.CharField(max_length=4000, blank=True)
    # A copy, not a foreign key: this app knows no accounts.
    owner_id = models.CharField(max_length=64)
    owner_label = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    audit_kind = "view"

    @property
    def audit_id(self) -> str:
        """The id under which the trail names it."""
        return str(self.pk)

    @property
    def audit_label(self) -> str:
        """The name under which the trail names it."""
        return self.name


class Seal(AppendOnly):
    """A signed statement of which events a window held: a link of the chain (docs/audit.md).

    It covers the events with after_id < id ≤ upto_id and lo ≤ position < hi. The position is the
    transaction id on PostgreSQL, where a restore may restart it, hence the epoch; else the id.
    """

    number = models.BigIntegerField(primary_key=True)
    epoch = models.IntegerField()
    source = models.CharField(max_length=64)
    after_id = models.BigIntegerField()
    upto_id = models.BigIntegerField()
    lo = models.BigIntegerField()
    hi = models.BigIntegerField()
    count = models.BigIntegerField()
    total = models.BigIntegerField()
    last_id = models.BigIntegerField()
    root = models.BinaryField()
    # Of each event in turn: its id and the first bytes of its leaf, to say which one differs.
    leaves = models.BinaryField()
    previous = models.BinaryField()
    public_key = models.BinaryField()
    signature = models.BinaryField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.number}: {self.count} events, {self.made_at:%Y-%m-%d %H:%M:%S}"


class Verification(models.Model):
    """How far the trail was verified by Alta itself, and what was found: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    checked_at = models.DateTimeField(null=True)
    through = models.BigIntegerField(default=0)
    through_at = models.DateTimeField(null=True)
    signature = models.BinaryField(null=True)
    again_from = models.BigIntegerField(default=0)
    broken_since = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="one_verification"),)

    def __str__(self) -> str:
        return f"verified through seal {self.through}"

    audit_kind = "trail"
    audit_id = "audit_event"
    audit_label = "Alta"


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs, by how far they are."""

    def unfinished(self) -> "JobQuerySet":
        """Those that wait or run: in words without a parameter, as SQLite finds a partial index."""
        return self.filter(finished_at=None)


class Job(models.Model):
    """Work that must happen once, written with the change that asks for it (docs/decisions/0009).

    `due_at` is when a worker may take it: of a running job, the end of its lease.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=64)
    queue = models.CharField(max_length=16, default="default")
    key = models.CharField(max_length=200, default="", blank=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "key"),
                condition=models.Q(finished_at=None) & ~models.Q(key=""),
                name="one_unfinished_job_a_key",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("waiting", "running"), finished_at=None)
                | models.Q(state__in=("done", "failed"), finished_at__isnull=False),
                name="job_finished_when_it_says_so",
            ),
        )
        indexes = (
            models.Index(
                fields=("queue", "due_at", "id"),
                condition=models.Q(finished_at=None),
                name="job_unfinished",
            ),
            models.Index(
                fields=("finished_at", "id"),
                condition=models.Q(state="failed"),
                name="job_failed",
            ),
            models.Index(
                fields=("finished_at", "id"), condition=models.Q(state="done"), name="job_done"
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.kind} {self.state}"

    @property
    def leased_until(self) -> datetime | None:
        """When another worker may take a running job."""
        return self.due_at if self.state == Job.State.RUNNING else None

    @property
    def audit_kind(self) -> str:
        return "job"

    @property
    def audit_id(self) -> str:
        return str(self.pk)

    @property
    def audit_label(self) -> str:
        return self.kind


BEAT = "beat"


class TrailExport(models.Model):
    """Somebody's copy of a part of the trail: what was asked, how far it is, what it holds.

    `query` is that of the page; with the language, the time zone and the moment it was asked it
    says which events: those that had happened then. `run` names the chunks that are its file.
    """

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("export", "Waiting")
        RUNNING = "running", pgettext_lazy("export", "Being made")
        DONE = "done", pgettext_lazy("export", "Ready")
        FAILED = "failed", pgettext_lazy("export", "Failed")
        EXPIRED = "expired", pgettext_lazy("export", "Expired")

    UNFINISHED = (State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=255)
    format = models.CharField(max_length=16)
    query = models.TextField(default="", blank=True)
    language = models.CharField(max_length=16)
    time_zone = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    job_id = models.BigIntegerField(null=True)
    run = models.UUIDField(null=True)
    rows = models.BigIntegerField(default=0)
    estimate = models.BigIntegerField(null=True)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, default="", blank=True)
    trailer = models.JSONField(default=dict)
    error = models.TextField(default="", blank=True)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("asked_at", "id"), name="export_time"),)

    def __str__(self) -> str:
        return f"{self.pk} {self.format} {self.state}"

    @property
    def file_name(self) -> str:
        """The name under which the file is downloaded, without its extension."""
        return f"alta-{self.asked_at:%Y%m%d-%H%M%S}"

    audit_kind = "trail"

    @property
    def audit_id(self) -> str:
        return str(self.pk)

    @property
    def audit_label(self) -> str:
        return self.file_name


class ExportChunk(models.Model):
    """A part of an export's file, compressed: the database is what all machines share."""

    export = models.ForeignKey(TrailExport, on_delete=models.CASCADE, related_name="chunks")
    run = models.UUIDField()
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("export", "run", "number"), name="one_chunk_a_number"),
        )

    def __str__(self) -> str:
        return f"{self.export_id} {self.number}"


class Pulse(models.Model):
    """The last sign of life of the scheduler, of a worker or of a scheduled task: a row a name.

    Names are "beat", "worker:QUEUE@HOST" and "task:NAME".
    """

    name = models.CharField(primary_key=True, max_length=200)
    at = models.DateTimeField(db_default=Now())
    duration_ms = models.PositiveIntegerField(null=True)
    succeeded = models.BooleanField(default=True)
    error = models.TextField(default="", blank=True)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"
