"""What the portal does with deleted users: give them back, erase them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit import journal
from audit.models import Event
from provisioning.errors import NotFound, UserNameTaken, WrongConfirmation
from provisioning.models import IndexedValue, Provider, User
from provisioning.models.attributes import user_type
from provisioning.operations import users

pytestmark = pytest.mark.django_db
RESOURCE = {"userName": "Luis@corp.local", "emails": [{"value": "luis@corp.local"}], "active": True}


@pytest.fixture
def provider():
    return Provider.objects.get(kind="entra-id")


@pytest.fixture
def luis(provider, actor):
    return users.create(RESOURCE, provider=provider, type=user_type(1, rename=False), actor=actor)


@pytest.fixture
def deleted(luis, provider, actor):
    users.delete(luis.pk, provider=provider, actor=actor)
    return User.objects.get()


def test_restoring_gives_the_name_back_and_leaves_the_user_inactive(deleted, actor):
    user = users.restore(deleted.pk, actor=actor)
    assert (user.user_name_key, user.is_active, user.is_deleted) == (
        "luis@corp.local",
        False,
        False,
    )
    assert Event.objects.first().type == "user.restored"


def test_restoring_is_refused_when_somebody_has_the_name(deleted, provider, actor):
    other = {"userName": "LUIS@corp.local", "externalId": "other"}
    users.create(other, provider=provider, type=user_type(1, rename=False), actor=actor)
    with pytest.raises(UserNameTaken):
        users.restore(deleted.pk, actor=actor)
    assert User.objects.get(pk=deleted.pk).is_deleted


def test_erasing_needs_the_name_and_leaves_only_the_event(deleted, actor):
    with pytest.raises(WrongConfirmation):
        users.erase(deleted.pk, actor=actor, confirmation="luis")
    users.erase(deleted.pk, actor=actor, confirmation="Luis@corp.local")
    assert not User.objects.exists()
    assert not IndexedValue.objects.exists()
    event = Event.objects.first()
    assert (event.type, event.target_label) == ("user.erased", "Luis@corp.local")


@pytest.mark.parametrize("change", [users.restore, users.erase])
def test_who_is_not_deleted_is_neither_restored_nor_erased(luis, actor, change):
    more = {"confirmation": luis.user_name} if change is users.erase else {}
    with pytest.raises(NotFound):
        change(luis.pk, actor=actor, **more)


def test_a_failing_event_takes_every_change_back(luis, provider, actor, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    before = User.objects.values().get()
    type = user_type(1, rename=False)
    edit = users.Edit(lambda r: r | {"displayName": "x", "emails": []}, frozenset())
    with monkeypatch.context() as patched:
        patched.setattr(journal, "Event", fail)
        for call in (
            lambda: users.create({"userName": "x"}, provider=provider, type=type, actor=actor),
            lambda: users.change(luis.pk, edit, provider=provider, type=type, actor=actor),
            lambda: users.delete(luis.pk, provider=provider, actor=actor),
        ):
            with pytest.raises(OSError, match="disk full"):
                call()
    assert User.objects.values().get() == before
    assert IndexedValue.objects.count() == 1


def test_users_deleted_long_ago_are_erased_when_the_setting_says_so(provider, actor, settings):
    names = [RESOURCE | {"userName": f"user{n}"} for n in range(3)]
    made = [users.create(n, provider=provider, type=user_type(1), actor=actor) for n in names]
    for user in made[:2]:
        users.delete(user.pk, provider=provider, actor=actor)
    User.objects.filter(pk=made[0].pk).update(deleted_at=timezone.now() - timedelta(days=31))
    assert users.erase_old() == 0
    settings.ERASE_DELETED_AFTER_DAYS = 30
    assert (users.erase_old(), users.erase_old()) == (1, 0)
    assert set(User.objects.values_list("user_name", flat=True)) == {"user1", "user2"}
    event = Event.objects.get(type="user.erased")
    assert (event.target_label, event.actor_kind) == ("user0", "system")
