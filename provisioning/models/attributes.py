"""Custom attributes that an administrator defined for the installation's users."""

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from provisioning.models.fields import CreatedField, KeyField, new_id
from provisioning.scim import schemas
from provisioning.scim.quirks import HABITS, STRICT

CUSTOM_SCHEMA = schemas.CUSTOM


class CustomAttribute(models.Model):
    """An attribute of the custom extension, offered to every IdP and shown in /Schemas."""

    class Type(models.TextChoices):
        STRING = "string", _("Text")
        BOOLEAN = "boolean", _("Yes or no")
        INTEGER = "integer", _("Whole number")
        DECIMAL = "decimal", _("Decimal number")
        DATE_TIME = "dateTime", _("Date and time")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=100)
    name_key = KeyField(max_length=100)
    type = models.CharField(_("type"), max_length=16, choices=Type.choices, default=Type.STRING)
    created_at = CreatedField()
    created_by = models.CharField(max_length=255)

    class Meta:
        verbose_name = _("custom attribute")
        verbose_name_plural = _("custom attributes")
        ordering = ("name_key",)
        constraints = (
            models.UniqueConstraint(fields=("name_key",), name="custom_attribute_name_is_unique"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def urn(self) -> str:
        """The attribute's full name in SCIM."""
        return f"{CUSTOM_SCHEMA}:{self.name}"

    @property
    def audit_kind(self) -> str:
        return "attribute"

    @property
    def audit_id(self) -> str:
        return str(self.id)

    @property
    def audit_label(self) -> str:
        return self.name


class SchemaState(models.Model):
    """The version of the installation's schema: one row, raised by each change of attributes.

    Read with the token of every request, so that each worker knows when its copy is stale.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="one_schema_state"),)

    def __str__(self) -> str:
        return str(self.version)


_HOLD = {
    "postgresql": "SELECT version FROM provisioning_schemastate WHERE id = 1 FOR SHARE NOWAIT",
    "sqlite": "SELECT version FROM provisioning_schemastate WHERE id = 1",
}


def hold_version() -> int:
    """Return the schema's version and keep it until the transaction ends.

    A share lock: writers do not wait for each other, and a change of attributes in progress is
    not waited for (OperationalError), as it may take long. SQLite has one writer at a time.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD[connection.vendor])
        version: int = cursor.fetchone()[0]
    return version


_types: dict[tuple[int, bool, str], schemas.ResourceType] = {}


def user_type(version: int, *, rename: bool = False, kind: str = "") -> schemas.ResourceType:
    """Return the User resource type at a version of the schema, as one kind of provider uses it.

    Each worker keeps the latest: the version comes with the token of every request.
    """
    found = _types.get((version, rename, kind))
    if found is None:
        custom = tuple(
            schemas.CustomAttribute(name, type)
            for name, type in CustomAttribute.objects.values_list("name", "type")
        )
        if len(_types) > 32:
            _types.clear()
        habits = HABITS.get(kind, STRICT)
        made = schemas.user_type(custom, rename=rename, habits=habits)
        # One object for all threads, also when two made it: who holds another one has an old one.
        found = _types.setdefault((version, rename, kind), made)
    return found


def group_type(kind: str) -> schemas.ResourceType:
    """Return the Group resource type as one kind of provider uses it."""
    return schemas.group_type(HABITS.get(kind, STRICT))


def forget_types() -> None:
    """Forget the kept types, when the database is another one (tests)."""
    _types.clear()
