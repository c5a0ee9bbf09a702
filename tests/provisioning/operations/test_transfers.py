"""A user moves from one IdP to another: what goes along, what stays behind, who may race it."""

from functools import partial

import pytest

from audit import journal
from audit.models import Event
from provisioning.errors import NotFound, ProvisioningError, SameProvider, UserNameTaken
from provisioning.models import Group, IndexedValue, Membership, Provider, User
from provisioning.models.attributes import user_type
from provisioning.operations import groups, transfers, users
from provisioning.scim.members import MemberStep
from tests.concurrency import at_once

pytestmark = pytest.mark.django_db
LUIS = {
    "userName": "Luis@corp.local",
    "externalId": "entra-object-1",
    "displayName": "Luis",
    "emails": [{"value": "luis@corp.local"}],
    "active": True,
}


@pytest.fixture
def entra():
    return Provider.objects.get(kind="entra-id")


@pytest.fixture
def okta():
    return Provider.objects.get(kind="okta")


def create(provider, actor, **attributes):
    type = user_type(1, rename=False)
    return users.create(LUIS | attributes, provider=provider, type=type, actor=actor)


def group(name, provider, actor, *members):
    ids = tuple(str(user.pk) for user in members)
    return groups.create({"displayName": name}, ids, provider=provider, actor=actor)


@pytest.fixture
def luis(entra, actor):
    return create(entra, actor)


def test_the_user_keeps_id_name_and_attributes_and_loses_what_was_the_old_idps(luis, okta, actor):
    kept = ("user_name", "user_name_key", "display_name", "emails", "is_active", "created_at")
    before = User.objects.values(*kept).get()
    transfers.transfer(luis.pk, okta, actor=actor)
    user = User.objects.get()
    assert (user.pk, user.provider, user.external_id, user.version) == (luis.pk, okta, "", 2)
    assert User.objects.values(*kept).get() == before
    assert user.updated_at > luis.updated_at
    assert "luis@corp.local" in user.search
    assert "entra-object-1" not in user.search
    assert IndexedValue.objects.filter(user=user).count() == 1


def test_the_user_leaves_its_groups_and_they_move_on(luis, entra, okta, actor):
    marta = create(entra, actor, userName="marta")
    both, other = group("Ventas", entra, actor, luis, marta), group("Compras", entra, actor, marta)
    transfers.transfer(luis.pk, okta, actor=actor)
    assert list(Membership.objects.filter(group=both).values_list("user", flat=True)) == [marta.pk]
    moved = Group.objects.get(pk=both.pk)
    assert (moved.version, moved.updated_at > both.updated_at) == (2, True)
    assert Group.objects.get(pk=other.pk).version == 1


def test_one_event_tells_it_under_the_new_idp(luis, entra, okta, actor):
    group("Ventas", entra, actor, luis)
    before = Event.objects.count()
    transfers.transfer(luis.pk, okta, actor=actor)
    assert Event.objects.count() == before + 1
    event = Event.objects.first()
    assert (event.type, event.category) == ("user.transferred", "user")
    assert (event.provider_kind, event.target_label) == ("okta", "Luis@corp.local")
    assert event.changes == {
        "provider": ["Entra ID", "Okta"],
        "externalId": ["entra-object-1", None],
    }
    assert event.details["groups"] == ["Ventas"]


def test_the_same_idp_is_refused_and_nothing_is_written(luis, entra, actor):
    events = Event.objects.count()
    with pytest.raises(SameProvider):
        transfers.transfer(luis.pk, entra, actor=actor)
    assert (User.objects.get().version, Event.objects.count()) == (1, events)


def test_a_deleted_user_is_not_transferred(luis, entra, okta, actor):
    users.delete(luis.pk, provider=entra, actor=actor)
    with pytest.raises(NotFound):
        transfers.transfer(luis.pk, okta, actor=actor)


def leave(luis, entra, actor):
    """Deactivate as Entra does with a leaver: a tombstone takes the name's key."""
    tombstone = "0123456789abcdef" * 2 + LUIS["userName"]
    wanted = {"userName": tombstone, "active": False}
    edit = users.Edit(lambda resource: resource | wanted, frozenset(wanted))
    type = user_type(1, rename=False)
    users.change(luis.pk, edit, provider=entra, type=type, actor=actor)


def test_the_new_idp_finds_by_name_a_user_that_the_old_one_renamed_away(luis, entra, okta, actor):
    leave(luis, entra, actor)
    assert User.objects.get().user_name_key != "luis@corp.local"
    transfers.transfer(luis.pk, okta, actor=actor)
    assert User.objects.get().user_name_key == "luis@corp.local"


def test_a_name_that_somebody_took_meanwhile_stays_theirs(luis, entra, okta, actor):
    leave(luis, entra, actor)
    create(okta, actor)
    with pytest.raises(UserNameTaken):
        transfers.transfer(luis.pk, okta, actor=actor)
    assert User.objects.get(pk=luis.pk).provider == entra


def test_a_failing_event_takes_the_transfer_back(luis, entra, okta, actor, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    group("Ventas", entra, actor, luis)
    before = User.objects.values().get(), Group.objects.values().get()
    with monkeypatch.context() as patched:
        patched.setattr(journal, "Event", fail)
        with pytest.raises(OSError, match="disk full"):
            transfers.transfer(luis.pk, okta, actor=actor)
    assert (User.objects.values().get(), Group.objects.values().get()) == before
    assert Membership.objects.count() == 1


def test_a_group_that_came_after_the_locks_is_locked_in_a_second_try(
    luis, entra, okta, actor, monkeypatch
):
    late = group("Ventas", entra, actor, luis)
    answers = [[], [late]]
    monkeypatch.setattr(transfers, "locked_groups", lambda user_id: answers.pop(0))
    transfers.transfer(luis.pk, okta, actor=actor)
    assert answers == []
    assert (Group.objects.get().version, Event.objects.first().details["groups"]) == (2, ["Ventas"])


def refusals(*calls):
    """Run some calls at once; return the names of the rules that refused some of them."""

    def tried(call):
        try:
            call()
        except ProvisioningError as error:
            return type(error).__name__
        return None

    return [name for name in at_once([partial(tried, call) for call in calls]) if name]


@pytest.mark.django_db(transaction=True)
def test_beside_groups_that_add_the_user_no_membership_crosses_idps(entra, okta, actor):
    for n in range(6):
        user = create(entra, actor, userName=f"u{n}")
        member = group(f"In {n}", entra, actor, user)
        joining = [group(f"Joining {n}.{m}", entra, actor) for m in range(5)]
        add = groups.Delta(lambda resource: resource, (MemberStep("add", (str(user.pk),)),))

        def join(into, add=add):
            return lambda: groups.change(into.pk, add, provider=entra, actor=actor)

        raised = refusals(
            *(join(into) for into in (member, *joining)),
            lambda user=user: transfers.transfer(user.pk, okta, actor=actor),
        )
        assert set(raised) <= {"UnknownMembers"}
        assert User.objects.get(pk=user.pk).provider == okta
        assert not Membership.objects.filter(user=user).exists()
        event = Event.objects.filter(type="user.transferred").first()
        joined = Event.objects.filter(
            type="group.members_changed", target_id__in=[str(into.pk) for into in joining]
        )
        left = {f"In {n}", *joined.values_list("target_label", flat=True)}
        assert set(event.details["groups"]) == left
        versions = Group.objects.filter(display_name__in=left - {f"In {n}"})
        assert set(versions.values_list("version", flat=True)) <= {3}, "joined, then left"


@pytest.mark.django_db(transaction=True)
def test_of_equal_transfers_at_once_one_is_done(entra, okta, actor):
    user = create(entra, actor)
    call = lambda: transfers.transfer(user.pk, okta, actor=actor)  # noqa: E731
    assert refusals(*[call] * 8) == ["SameProvider"] * 7
    assert Event.objects.filter(type="user.transferred").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_by_the_old_idp_beside_it_is_before_it_or_refused(entra, okta, actor):
    type = user_type(1, rename=False)
    edit = users.Edit(lambda resource: resource | {"externalId": "again"}, frozenset())
    for n in range(6):
        user = create(entra, actor, userName=f"u{n}")

        def change(user=user):
            users.change(user.pk, edit, provider=entra, type=type, actor=actor)

        def transfer(user=user):
            transfers.transfer(user.pk, okta, actor=actor)

        assert set(refusals(change, change, transfer, change)) <= {"NotFound"}
        moved = User.objects.get(pk=user.pk)
        assert (moved.provider, moved.external_id) == (okta, "")
