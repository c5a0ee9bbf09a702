"""What the IdPs asked and what they were answered: the rows of the provisioning log."""

from datetime import UTC, datetime
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from provisioning.models.fields import KeyField, new_id


def first_id_of(moment: datetime) -> UUID:
    """Return the least id that a request of this moment can have (RFC 9562, version 7).

    Ids grow with time, so a period is a range of the primary key and needs no index of its own.
    """
    milliseconds = int(moment.astimezone(UTC).timestamp() * 1000)
    return UUID(int=(max(milliseconds, 0) << 80) | (7 << 76) | (0b10 << 62))


class LoggedRequest(models.Model):
    """A SCIM request of an IdP that proved itself, or one operation of a Bulk.

    Copies, not foreign keys: the log tells what was, whatever became of it. Written in batches
    after the answer (`provisioning.log.buffer`), never changed, deleted when it is old. Bodies are
    kept, redacted, for changes and refusals only.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(_("Time"))
    provider_id = models.UUIDField()
    provider_kind = models.CharField(max_length=32)
    provider_label = models.CharField(max_length=100)
    token_id = models.UUIDField()
    token_hint = models.CharField(max_length=4)
    method = models.CharField(_("Method"), max_length=8)
    path = models.TextField(_("Path"))
    resource_type = models.CharField(max_length=16, default="", blank=True)
    resource_id = models.UUIDField(null=True)
    # userName or displayName, as far as it is known; a read by filter has what it looked for.
    name = models.CharField(_("Name"), max_length=256, default="", blank=True)
    name_key = KeyField(max_length=1024, default="", blank=True)
    status = models.PositiveSmallIntegerField(_("Status"))
    is_refusal = models.BooleanField(default=False)
    scim_type = models.CharField(max_length=32, default="", blank=True)
    reason = models.CharField(max_length=40, default="", blank=True)
    detail = models.TextField(default="", blank=True)
    duration_us = models.PositiveIntegerField(_("Duration"))
    request_id = KeyField(max_length=64)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, default="", blank=True)
    ignored = models.JSONField(default=list)
    remarks = models.JSONField(default=list)
    # How many resources a query found, or how many operations a Bulk had.
    results = models.PositiveIntegerField(null=True)
    part_of = models.UUIDField(null=True)  # the request of a Bulk that this operation came in
    is_sample = models.BooleanField(default=False)
    request_size = models.PositiveIntegerField(default=0)
    reply_size = models.PositiveIntegerField(default=0)
    request_body = models.TextField(default="", blank=True)
    reply_body = models.TextField(default="", blank=True)

    class Meta:
        verbose_name = _("logged request")
        verbose_name_plural = _("logged requests")
        ordering = ("-id",)
        default_permissions = ("view",)
        # One for each thing that the page filters by, each in the order of its pages.
        indexes = (
            models.Index(fields=("provider_id", "id"), name="request_provider"),
            models.Index(fields=("method", "id"), name="request_method"),
            models.Index(fields=("resource_id", "id"), name="request_resource"),
            models.Index(fields=("name_key", "id"), name="request_name"),
            models.Index(fields=("request_id",), name="request_request_id"),
            # Refusals are few: these cost the other rows nothing.
            models.Index(
                fields=("id",), condition=models.Q(is_refusal=True), name="request_refused"
            ),
            models.Index(
                fields=("status", "id"),
                condition=models.Q(is_refusal=True),
                name="request_refused_status",
            ),
            models.Index(
                fields=("scim_type", "id"),
                condition=models.Q(is_refusal=True),
                name="request_refused_type",
            ),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.method} {self.path} {self.status}"

    @property
    def duration_ms(self) -> float:
        """How long the answer took."""
        return self.duration_us / 1000

    @property
    def token_tail(self) -> str:
        """All that is known of the token's secret."""
        return f"alta_scim_…{self.token_hint}"


class LostRequests(models.Model):
    """How many rows of an hour never reached the log: the buffer was full, the database away."""

    hour = models.DateTimeField(unique=True)
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.count}"
