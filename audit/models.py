"""What happened: append-only rows that hold copies, not foreign keys."""

from typing import Any, NoReturn

from django.db import models
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

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


class Event(models.Model):
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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a saved event is never saved again."""
        if not self._state.adding:
            self._refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: the database would too."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise TypeError("An audit event is never changed or deleted.")

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
