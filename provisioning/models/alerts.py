"""What administrators are warned of: something that should not be, from when to when."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models import PROVIDER_ALIASES
from provisioning.models.fields import CreatedField


class Alert(models.Model):
    """A state that lasts. One is open for each kind and subject at a time: a constraint."""

    class Kind(models.TextChoices):
        SILENT = "silent", _("The identity provider has stopped calling")
        ERRORS = "errors", _("Many requests are refused")
        LATE_SEAL = "late_seal", _("Events wait for their seal")
        TRAIL_BROKEN = "trail_broken", _("The audit trail was altered")

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.CharField(max_length=36)  # the provider's id, or "trail"
    label = models.CharField(max_length=100)
    provider_kind = models.CharField(max_length=32, default="", blank=True)
    details = models.JSONField(default=dict)
    raised_at = CreatedField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("raised_at", "id")
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "subject"),
                condition=models.Q(ended_at=None),
                name="one_open_alert_each",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.label}"

    @property
    def audit_kind(self) -> str:
        return "alert"

    @property
    def audit_id(self) -> str:
        return str(self.pk)

    @property
    def audit_label(self) -> str:
        return self.label

    @property
    def is_of_a_provider(self) -> bool:
        """Whether it is about an IdP; else it is about the trail."""
        return self.provider_kind in PROVIDER_ALIASES
