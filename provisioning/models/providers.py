"""Identity providers: a row each, so that a second one of a kind may come."""

from django.db import models
from django.utils.translation import gettext_lazy as _

import audit.actors
from provisioning.models.fields import CreatedField, new_id


class Provider(models.Model):
    """An identity provider (IdP). It sees and touches only what it provisioned."""

    class Kind(models.TextChoices):
        ENTRA_ID = "entra-id", "Entra ID"
        OKTA = "okta", "Okta"
        ONELOGIN = "onelogin", "OneLogin"
        PINGONE = "pingone", "PingOne"
        PINGFEDERATE = "pingfederate", "PingFederate"
        JUMPCLOUD = "jumpcloud", "JumpCloud"
        GOOGLE_WORKSPACE = "google-workspace", "Google Workspace"
        OTHER = "other", _("Other (SCIM 2.0)")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=32, choices=Kind.choices)
    key = models.SlugField(_("key"), max_length=50, unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    allow_rename = models.BooleanField(_("allow renaming"), default=False)
    created_at = CreatedField()

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        ordering = ("position", "created_at")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The provider's own name, else that of its kind."""
        return self.name or str(self.Kind(self.kind).label)

    def for_audit(self) -> audit.actors.Provider:
        """Return the copy that audit events keep."""
        return audit.actors.Provider(self.id, self.kind, self.label)

    @property
    def audit_kind(self) -> str:
        return "provider"

    @property
    def audit_id(self) -> str:
        return str(self.id)

    @property
    def audit_label(self) -> str:
        return self.label
