"""Provisioned groups and who is in them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from provisioning.models.fields import CreatedField, KeyField, new_id
from provisioning.models.providers import Provider
from provisioning.models.users import User


class Group(models.Model):
    """A group of one IdP. Its name gives no right to anything in Alta."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="groups", db_index=False)
    external_id = KeyField(max_length=1024, default="", blank=True)
    display_name = models.CharField(_("Display name"), max_length=256)
    display_name_key = KeyField(max_length=1024)
    search = models.TextField(default="", blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = CreatedField(_("Created"))
    updated_at = CreatedField(_("Last modified"))

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "display_name_key"), name="group_name_is_unique"
            ),
        )
        indexes = (
            models.Index(fields=("provider", "id"), name="group_page"),
            models.Index(fields=("provider", "external_id"), name="group_external_id"),
            models.Index(fields=("provider", "updated_at"), name="group_last_modified"),
            models.Index(fields=("provider", "created_at"), name="group_created"),
        )

    def __str__(self) -> str:
        return self.display_name

    @property
    def audit_kind(self) -> str:
        return "group"

    @property
    def audit_id(self) -> str:
        return str(self.id)

    @property
    def audit_label(self) -> str:
        return self.display_name


class Membership(models.Model):
    """That a user is in a group. Written one row at a time: no update can lose another."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    # A copy of the user's displayName: joining for it costs more than the rest of a large group.
    display = models.CharField(max_length=1024, default="", blank=True)
    created_at = CreatedField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("group", "user"), name="one_membership_each"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"
