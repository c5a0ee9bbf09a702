"""The attributes of a user as the portal explains them: core, enterprise and custom ones.

The words and reasons are the portal's; the traits are those of the SCIM engine's own table, which
a test compares with this one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.presentation import told
from provisioning.models import CustomAttribute, User

Text = str | Promise
IDS = ("id", "external_id")
ENTERPRISE_SCHEMA = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Origin(Enum):
    """Where an attribute is defined."""

    CORE = "core", pgettext_lazy("attribute", "Core")
    ENTERPRISE = "enterprise", pgettext_lazy("attribute", "Enterprise")
    CUSTOM = "custom", pgettext_lazy("attribute", "Custom")

    def __init__(self, key: str, label: Promise) -> None:
        self.key = key
        self.label = label


class Type(Enum):
    """The type of an attribute's values."""

    STRING = "string", _("Text")
    BOOLEAN = "boolean", _("Yes or no")
    INTEGER = "integer", _("Whole number")
    DECIMAL = "decimal", _("Decimal number")
    DATE_TIME = "dateTime", _("Date and time")
    COMPLEX = "complex", _("Several fields")

    def __init__(self, key: str, label: Promise) -> None:
        self.key = key
        self.label = label


TYPES = {type.key: type for type in Type}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of the table. `reason` says why a value, or the attribute itself, is locked."""

    label: Text
    path: str
    type: Type
    origin: Origin = Origin.CORE
    is_multi_valued: bool = False
    is_required: bool = False
    is_updatable: bool = True
    reason: Text = ""
    column: str = ""
    custom: CustomAttribute | None = None

    @property
    def shown_label(self) -> str:
        """The label as a table shows it: all alike, but a custom one as it was written."""
        return str(self.label) if self.custom else capfirst(str(self.label))


@dataclass(frozen=True, slots=True)
class Held:
    """An attribute with a user's value, as a list of texts."""

    attribute: Attribute
    values: list[str]


CORE = (
    Attribute(
        "id",
        "id",
        Type.STRING,
        is_required=True,
        is_updatable=False,
        reason=_("Alta gives it once and never to another person."),
        column="id",
    ),
    Attribute(
        _("User name"),
        "userName",
        Type.STRING,
        is_required=True,
        is_updatable=False,
        reason=_("It is unique and identifies the user: it stays once provisioned."),
        column="user_name",
    ),
    Attribute(_("Display name"), "displayName", Type.STRING, column="display_name"),
    Attribute(pgettext_lazy("attribute", "active"), "active", Type.BOOLEAN, column="is_active"),
    Attribute(_("Given name"), "name.givenName", Type.STRING, column="given_name"),
    Attribute(_("Family name"), "name.familyName", Type.STRING, column="family_name"),
    Attribute(_("Full name"), "name.formatted", Type.STRING, column="formatted_name"),
    Attribute(
        pgettext_lazy("attribute", "e-mails"),
        "emails",
        Type.COMPLEX,
        is_multi_valued=True,
        column="emails",
    ),
    Attribute(_("External id"), "externalId", Type.STRING, column="external_id"),
    Attribute(
        pgettext_lazy("attribute", "groups"),
        "groups",
        Type.COMPLEX,
        is_multi_valued=True,
        is_updatable=False,
        reason=_("It follows from the members of each group."),
    ),
    Attribute(
        _("Metadata"),
        "meta",
        Type.COMPLEX,
        is_updatable=False,
        reason=_("Alta keeps it: type, dates, address and version."),
    ),
)
ENTERPRISE = (
    Attribute(
        _("Department"),
        f"{ENTERPRISE_SCHEMA}:department",
        Type.STRING,
        origin=Origin.ENTERPRISE,
        column="department",
    ),
)


def every(custom: Iterable[CustomAttribute]) -> list[Attribute]:
    """Return all attributes: core, enterprise, and those that the administrator defined."""
    return [
        *CORE,
        *ENTERPRISE,
        *(
            Attribute(row.name, row.urn, TYPES[row.type], origin=Origin.CUSTOM, custom=row)
            for row in custom
        ),
    ]


def held(user: User, custom: Iterable[CustomAttribute]) -> list[Held]:
    """Return a user's values of every attribute that is a column or custom one.

    Not its ids: the page shows them apart, to be copied.
    """
    found = []
    for attribute in every(custom):
        if attribute.custom:
            found.append(Held(attribute, _texts(user.custom.get(attribute.custom.name))))
        elif attribute.column and attribute.column not in IDS:
            found.append(Held(attribute, _texts(getattr(user, attribute.column))))
    return found


def _texts(value: Any) -> list[str]:
    match value:
        case None | "" | []:
            return []
        case bool():
            return [str(_("yes") if value else _("no"))]
        case list():
            return [told(item) for item in value]
        case _:
            return [str(value)]
