"""Custom attributes: defined once, shown at once, removed with their values."""

import pytest
from django.db import OperationalError, connection, transaction

from audit.models import Event
from provisioning.errors import (
    AttributeNameTaken,
    InvalidValue,
    NotFound,
    SchemaChanged,
    TooManyAttributes,
    WrongConfirmation,
)
from provisioning.models import CustomAttribute, IndexedValue, Provider, SchemaState, User
from provisioning.models.attributes import forget_types, user_type
from provisioning.operations import attributes, users
from provisioning.scim import schemas

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_process():
    forget_types()


def test_a_definition_is_one_event_and_a_new_version_of_the_schema(actor):
    before = SchemaState.objects.get().version
    attribute = attributes.add("costCenter", actor=actor)
    assert attribute.urn == "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User:costCenter"
    assert SchemaState.objects.get().version == before + 1
    event = Event.objects.get()
    assert (event.type, event.target_label) == ("attribute.created", "costCenter")


@pytest.mark.parametrize(
    "name", ["", "1a", "a b", "a.b", "á", "a:b", "$ref", "a" * 65, "a\n", "-a"]
)
def test_a_name_that_scim_cannot_say_is_refused(actor, name):
    with pytest.raises(InvalidValue):
        attributes.add(name, actor=actor)
    assert not CustomAttribute.objects.exists()


def test_a_wrong_type_is_refused(actor):
    with pytest.raises(InvalidValue):
        attributes.add("a", "complex", actor=actor)


def test_names_are_unique_without_regard_to_case(actor):
    attributes.add("costCenter", actor=actor)
    with pytest.raises(AttributeNameTaken):
        attributes.add("COSTCENTER", actor=actor)
    assert CustomAttribute.objects.count() == 1


def test_there_are_at_most_a_hundred(actor, monkeypatch):
    monkeypatch.setattr(attributes, "MOST_ATTRIBUTES", 2)
    attributes.add("a", actor=actor)
    attributes.add("b", actor=actor)
    with pytest.raises(TooManyAttributes):
        attributes.add("c", actor=actor)


def test_removing_takes_every_value_and_asks_for_the_name_when_there_are_any(actor):
    attribute = attributes.add("costCenter", actor=actor)
    provider = Provider.objects.get(kind="okta")
    urn = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
    type = user_type(SchemaState.objects.get().version, rename=False)
    resource = {"userName": "luis", urn: {"costCenter": "42"}}
    users.create(resource, provider=provider, type=type, actor=actor)
    with pytest.raises(WrongConfirmation):
        attributes.remove(attribute.pk, actor=actor)
    assert attributes.remove(attribute.pk, actor=actor, confirmation="costCenter") == 1
    user = User.objects.get()
    assert (user.custom, user.version) == ({}, 2)
    assert user.updated_at > user.created_at
    assert not IndexedValue.objects.exists()
    assert Event.objects.first().details["users"] == 1
    with pytest.raises(NotFound):
        attributes.remove(attribute.pk, actor=actor)


URN = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"


def test_a_request_read_before_a_change_of_attributes_writes_nothing(actor):
    """Else a value would stay of an attribute that is gone, or of another type than it has now."""
    attribute = attributes.add("region", actor=actor)
    provider = Provider.objects.get(kind="okta")
    before = user_type(SchemaState.objects.get().version, rename=False)
    resource = {"userName": "luis", URN: {"region": "es"}}
    luis = users.create(resource, provider=provider, type=before, actor=actor)
    attributes.remove(attribute.pk, actor=actor, confirmation="region")
    attributes.add("region", "integer", actor=actor)
    with pytest.raises(SchemaChanged):
        users.create({"userName": "ana", URN: {"region": "es"}}, provider=provider, type=before,
                     actor=actor)  # fmt: skip
    edit = users.Edit(lambda r: r | {URN: {"region": "es"}}, frozenset())
    with pytest.raises(SchemaChanged):
        users.change(luis.pk, edit, provider=provider, type=before, actor=actor)
    assert [(user.user_name, user.custom) for user in User.objects.all()] == [("luis", {})]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_write_beside_a_change_of_attributes_is_refused_not_kept_waiting(actor):
    attributes.add("region", actor=actor)
    provider = Provider.objects.get(kind="okta")
    type = user_type(SchemaState.objects.get().version, rename=False)
    other = connection.copy()
    try:
        with transaction.atomic(), other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE provisioning_schemastate SET version = version + 1")
            with pytest.raises(OperationalError):
                users.create({"userName": "ana", URN: {"region": "es"}}, provider=provider,
                             type=type, actor=actor)  # fmt: skip
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert not User.objects.exists()


def test_two_threads_that_make_a_type_at_once_hold_the_same_one(db, monkeypatch):
    """Else the slower one is told that the attributes changed, and its request is 503."""
    make = schemas.user_type
    others = []

    def meanwhile(*args, **kwargs):
        monkeypatch.setattr(schemas, "user_type", make)
        others.append(user_type(1))
        return make(*args, **kwargs)

    monkeypatch.setattr(schemas, "user_type", meanwhile)
    assert user_type(1) is others[0]
