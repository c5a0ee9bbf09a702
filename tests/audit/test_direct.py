"""Statements kept by their shape do exactly what the ORM's do."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from audit import direct
from audit.models import Event
from provisioning.models import Group, IndexedValue, Membership, Provider, User

pytestmark = pytest.mark.django_db

PERSON = {
    "external_id": "1",
    "user_name": "Luís",
    "user_name_key": "luís",
    "emails": [{"value": "luis@corp.example", "primary": True}],
    "custom": {"shoe": 4.5, "big": 2**62, "none": None},
    "is_active": None,
}
HAPPENED = {
    "type": "user.created",
    "category": "user",
    "outcome": "success",
    "actor_kind": "token",
    "actor_label": "Entra ID · …a1b2",
    "ip_address": "2001:db8::1",
    "changes": {"active": [None, True]},
    "details": {"ñ": "'; DROP TABLE audit_event; --"},
}


@pytest.fixture
def provider():
    return Provider.objects.get(key="okta")


@pytest.fixture
def luis(provider):
    return User.objects.create(provider=provider, user_name="Luis", user_name_key="luis")


def kept(row):
    """Return all that the database holds of a row, but for its key and times."""
    found = type(row).objects.filter(pk=row.pk).values().get()
    return {
        name: value
        for name, value in found.items()
        if name not in ("id", "performed_at", "transaction_id", "created_at", "updated_at")
    }


def test_an_inserted_row_is_the_one_that_save_inserts(provider):
    pairs = (
        (User, PERSON, {"provider": provider}, "user_name_key"),
        (Event, HAPPENED, {"provider_id": provider.pk}, "actor_id"),
    )
    for model, columns, owner, distinct in pairs:
        ours = model(**columns, **owner)
        direct.insert(ours)
        theirs = model(**(columns | {distinct: "another"}), **owner)
        theirs.save(force_insert=True)
        assert kept(ours) == kept(theirs) | {distinct: getattr(ours, distinct)}


def test_an_inserted_row_knows_what_the_database_chose(luis):
    value = IndexedValue(user=luis, attribute="emails", value_key="a")
    direct.insert(value)
    assert value.pk == IndexedValue.objects.get(value_key="a").pk
    event = Event(**HAPPENED)
    direct.insert(event)
    assert event.performed_at == Event.objects.get(pk=event.pk).performed_at
    assert event.performed_at.tzinfo is not None
    assert not event._state.adding


@pytest.mark.parametrize("count", [0, 1, 2, 10, 11, 25])
def test_any_number_of_rows_is_inserted(luis, count):
    IndexedValue.objects.all().delete()
    direct.insert(*(IndexedValue(user=luis, attribute="x", value_key=f"{n}") for n in range(count)))
    assert IndexedValue.objects.filter(attribute="x").count() == count


def test_a_broken_constraint_is_told_as_by_the_orm(luis):
    twin = User(provider=luis.provider, user_name="x", user_name_key=luis.user_name_key)
    with pytest.raises(IntegrityError, match="user_name_key"), transaction.atomic():
        direct.insert(twin)


def test_a_found_row_is_the_one_that_the_orm_finds(luis):
    moment = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
    User.objects.filter(pk=luis.pk).update(
        custom={"a": [1, None]}, is_active=None, updated_at=moment
    )
    (found,) = direct.find(User, id=luis.pk, provider=luis.provider_id, deleted_at=None)
    expected = User.objects.get(pk=luis.pk)
    assert model_to_dict(found) == model_to_dict(expected)
    assert found.updated_at == moment
    assert found.id == luis.id
    assert found._state.db == expected._state.db


def test_nothing_is_found_past_a_condition_or_the_limit(luis, provider):
    assert direct.find(User, id=luis.pk, deleted_at=None)
    assert not direct.find(User, id=luis.pk, external_id="another")
    assert not direct.find(User, id=luis.pk, user_name_key=None)
    direct.insert(
        *(Group(provider=provider, display_name=n, display_name_key=n) for n in ("a", "b", "c"))
    )
    found = direct.find(Group, provider=provider.pk, limit=2)
    assert found == list(Group.objects.filter(provider=provider).order_by("pk")[:2])


def test_values_are_data(luis):
    hostile = "x' OR '1'='1"
    assert not direct.find(User, user_name_key=hostile)
    luis.display_name = "%s %(a)s {} '; --"
    direct.update(luis, ["display_name"])
    assert User.objects.get(pk=luis.pk).display_name == "%s %(a)s {} '; --"


def test_an_update_writes_the_columns_named_and_no_other(luis):
    luis.display_name, luis.department = "Luis", "Ventas"
    luis.custom = {"a": 1}
    direct.update(luis, ["display_name", "custom", "display_name"])
    kept = User.objects.get(pk=luis.pk)
    assert (kept.display_name, kept.custom, kept.department) == ("Luis", {"a": 1}, "")


def test_an_update_of_a_row_that_is_gone_fails(luis):
    User.objects.filter(pk=luis.pk).delete()
    with pytest.raises(DatabaseError, match="gone"):
        direct.update(luis, ["display_name"])


def test_a_lock_is_the_one_that_memberships_need_not_wait_for(luis):
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        direct.find(User, id=luis.pk, lock=True)
    locks = "FOR NO KEY UPDATE" in queries[0]["sql"]
    assert locks == (connection.vendor == "postgresql")


def test_members_are_inserted_with_the_key_of_both(luis, provider):
    group = Group(provider=provider, display_name="g", display_name_key="g")
    direct.insert(group)
    direct.insert(Membership(group=group, user=luis, display="Luis"))
    assert list(group.memberships.values_list("user_id", "display")) == [(luis.pk, "Luis")]


def test_only_fields_that_leave_a_text_as_it_is_are_spared_the_preparation():
    plain = {each.__name__ for each in direct._plain()}
    assert {"CharField", "TextField", "KeyField"} <= plain
    assert not {"JSONField", "UUIDField", "DateTimeField", "GenericIPAddressField"} & plain
