"""Provisioned users: a directory, never portal accounts."""

from typing import Any, Self

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from provisioning.models.fields import CreatedField, KeyField, new_id
from provisioning.models.providers import Provider


class UserQuerySet(models.QuerySet["User"]):
    def visible(self) -> Self:
        """Users that SCIM shows: all but the deleted ones."""
        return self.filter(deleted_at=None)


class User(models.Model):
    """A user that an IdP provisioned.

    `*_key` columns are folded by `scim.keys.fold` for look-ups without case. `user_name_key` is
    unique in the installation; it is NULL once deleted (the name is free again), and holds the
    tombstone while the IdP has renamed a leaver away, whose shown name stays.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="users", db_index=False)
    external_id = KeyField(max_length=1024, default="", blank=True)
    user_name = models.CharField(_("User name"), max_length=256)
    user_name_key = KeyField(max_length=1024, null=True)
    display_name = models.CharField(_("Display name"), max_length=1024, default="", blank=True)
    display_name_key = KeyField(max_length=4096, default="", blank=True)
    given_name = models.CharField(_("Given name"), max_length=1024, default="", blank=True)
    given_name_key = KeyField(max_length=4096, default="", blank=True)
    family_name = models.CharField(_("Family name"), max_length=1024, default="", blank=True)
    family_name_key = KeyField(max_length=4096, default="", blank=True)
    formatted_name = models.CharField(max_length=1024, default="", blank=True)
    formatted_name_key = KeyField(max_length=4096, default="", blank=True)
    # NULL: the IdP removed the value. Only true is active: silence never lets a leaver back in.
    is_active = models.BooleanField(_("Active"), default=True, null=True)
    department = models.CharField(_("Department"), max_length=1024, default="", blank=True)
    department_key = KeyField(max_length=4096, default="", blank=True)
    emails = models.JSONField(_("E-mails"), default=list)
    custom = models.JSONField(_("Custom attributes"), default=dict)
    search = models.TextField(default="", blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = CreatedField(_("Created"))
    updated_at = CreatedField(_("Last modified"))
    deleted_at = models.DateTimeField(_("Deleted"), null=True)
    deleted_name_key = KeyField(max_length=1024, null=True)

    objects = UserQuerySet.as_manager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = (
            models.UniqueConstraint(fields=("user_name_key",), name="user_name_is_unique"),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None, user_name_key__isnull=False)
                | models.Q(deleted_at__isnull=False, user_name_key=None),
                name="deleted_users_hold_no_name",
            ),
        )
        indexes = (
            models.Index(
                fields=("provider", "id"), condition=models.Q(deleted_at=None), name="user_page"
            ),
            models.Index(
                fields=("provider", "id"),
                condition=models.Q(deleted_at=None, is_active=False),
                name="user_inactive",
            ),
            # Not partial: SQLite, and PostgreSQL's generic plans, would not see that they apply.
            models.Index(fields=("provider", "external_id"), name="user_external_id"),
            models.Index(fields=("provider", "display_name_key"), name="user_display_name"),
            models.Index(fields=("provider", "department_key"), name="user_department"),
            models.Index(fields=("provider", "updated_at"), name="user_last_modified"),
            models.Index(fields=("provider", "created_at"), name="user_created"),
            models.Index(
                fields=("deleted_name_key",),
                condition=models.Q(deleted_at__isnull=False),
                name="user_deleted_name",
            ),
        )

    def __str__(self) -> str:
        return self.user_name

    @property
    def label(self) -> str:
        """What a person calls the user: the shown name, else the user name."""
        return self.display_name or self.user_name

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def primary_email(self) -> str:
        """The primary e-mail, else the first, else nothing."""
        emails: list[dict[str, Any]] = self.emails
        chosen = next((e for e in emails if e.get("primary")), emails[0] if emails else {})
        return str(chosen.get("value", ""))

    @property
    def audit_kind(self) -> str:
        return "user"

    @property
    def audit_id(self) -> str:
        return str(self.id)

    @property
    def audit_label(self) -> str:
        return self.user_name


# Written out: each creation asks, and hardly ever is there one; the ORM takes ten times as long.
_REVIVABLE = """
SELECT id FROM provisioning_user
WHERE deleted_name_key = %s AND provider_id = %s AND external_id = %s AND deleted_at IS NOT NULL
ORDER BY deleted_at DESC LIMIT 1
"""


def lock_revivable(name_key: str, provider: Provider, external_id: str) -> User | None:
    """Lock and return the deleted user whom a creation of that name brings back, the newest."""
    of_provider = User._meta.get_field("provider").get_db_prep_value(provider.pk, connection)
    locks = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(_REVIVABLE + locks, [name_key, of_provider, external_id])
        found = cursor.fetchone()
    return User.objects.get(pk=found[0]) if found else None


EMAILS = "emails"


def custom_values(name: str) -> str:
    """Return the name under which a custom attribute's values are indexed."""
    return f"custom:{name.lower()}"


class IndexedValue(models.Model):
    """One e-mail or custom value of a user, as filters look it up.

    The user's row holds the values themselves; these rows are written with it, by one statement,
    and serve `emails[type eq "work" and value co "@x"]` and custom attributes by an index.
    Keys come from `scim.keys.sort_key`, whose code-point order is the order of the values.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="indexed_values")
    attribute = KeyField(max_length=128)
    value_key = KeyField(max_length=4096)
    type_key = KeyField(max_length=4096, default="", blank=True)
    display_key = KeyField(max_length=4096, default="", blank=True)
    is_primary = models.BooleanField(null=True)  # NULL: the IdP did not say

    class Meta:
        indexes = (models.Index(fields=("attribute", "value_key"), name="indexed_value"),)

    def __str__(self) -> str:
        return f"{self.attribute} {self.value_key}"
