"""Custom attributes: define, remove."""

import re
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Func, JSONField, QuerySet, Value
from django.utils import timezone
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
    holders = _carriers(attribute)
    count = holders.count()
    if count and (confirmation or "").strip() != attribute.name:
        raise WrongConfirmation
    holders.update(
        custom=_Without("custom", attribute.name),
        version=F("version") + 1,
        updated_at=timezone.now(),
    )
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
    return _carriers(attribute).count()


def _carriers(attribute: CustomAttribute) -> QuerySet[User]:
    """Return the users, deleted ones too, who have a value: its index rows lead to them."""
    rows = IndexedValue.objects.filter(attribute=custom_values(attribute.name))
    return User.objects.filter(pk__in=rows.values("user_id"))


class _Without(Func):
    """A JSON object without one of its keys."""

    output_field = JSONField()

    def __init__(self, column: str, key: str) -> None:
        super().__init__(F(column), Value(key))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="(%(expressions)s::text)", arg_joiner=" - "
        )

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Names have no character that a JSON path would need to escape."""
        template = "json_remove(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=", '$.' || ")


def _new_version() -> None:
    SchemaState.objects.filter(pk=1).update(version=F("version") + 1)
