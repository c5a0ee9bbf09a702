"""Custom attributes: define, remove."""

import re
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from audit import journal
from audit.actors import Actor
from audit.types import EventType
from provisioning.errors import (
    AttributeNameTaken,
    InvalidValue,
    NotFound,
    TooManyAttributes,
    WrongConfirmation,
)
from provisioning.models import CustomAttribute, IndexedValue, SchemaState, User
from provisioning.models.users import custom_values

MOST_ATTRIBUTES = 100
# RFC 7643 §2.1: ATTRNAME = ALPHA *(nameChar); nameChar = "$" / "-" / "_" / DIGIT / ALPHA.
# `$` is left to "$ref".
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@transaction.atomic
def add(name: str, type: str = "string", *, actor: Actor) -> CustomAttribute:
    """Define a custom attribute, from now on accepted, returned and shown in /Schemas.

    Raises InvalidValue, AttributeNameTaken, TooManyAttributes.
    """
    if not NAME.fullmatch(name):
        raise InvalidValue(
            _("The name begins with a letter and has letters, digits, - and _, at most 64.")
        )
    if type not in CustomAttribute.Type.values:
        raise InvalidValue(_("The type is string, boolean, integer, decimal or dateTime."))
    _new_version()  # also the lock under which the number of attributes is counted
    if CustomAttribute.objects.count() >= MOST_ATTRIBUTES:
        raise TooManyAttributes
    attribute = CustomAttribute(name=name, name_key=name.lower(), type=type, created_by=actor.label)
    try:
        with transaction.atomic():
            attribute.save(force_insert=True)
    except IntegrityError:
        raise AttributeNameTaken from None
    journal.record(
        EventType.ATTRIBUTE_CREATED,
        actor=actor,
        target=attribute,
        urn=attribute.urn,
        value_type=type,
    )
    return attribute


@transaction.atomic
def remove(attribute_id: UUID, *, actor: Actor, confirmation: str | None = None) -> int:
    """Remove a custom attribute with every user's value of it; return how many had one.

    `confirmation` is the attribute's name, asked when a user carries a value. Raises NotFound,
    WrongConfirmation.
    """
    _new_version()
    try:
        attribute = CustomAttribute.objects.select_for_update().get(pk=attribute_id)
    except CustomAttribute.DoesNotExist:
        raise NotFound from None
    carriers = User.objects.filter(custom__has_key=attribute.name).select_for_update()
    count = 0
    for user in carriers.only("pk", "custom", "version").iterator(chunk_size=500):
        if not count and (confirmation or "").strip() != attribute.name:
            raise WrongConfirmation
        user.custom.pop(attribute.name)
        user.version += 1
        user.save(update_fields=["custom", "version"])
        count += 1
    IndexedValue.objects.filter(attribute=custom_values(attribute.name)).delete()
    attribute.delete()
    attribute.pk = attribute_id  # delete() forgets it; the event names it
    journal.record(
        EventType.ATTRIBUTE_REMOVED,
        actor=actor,
        target=attribute,
        urn=attribute.urn,
        value_type=attribute.type,
        users=count,
    )
    return count


def carriers(attribute: CustomAttribute) -> int:
    """Return how many users have a value of an attribute."""
    return User.objects.filter(custom__has_key=attribute.name).count()


def _new_version() -> None:
    SchemaState.objects.filter(pk=1).update(version=F("version") + 1)
