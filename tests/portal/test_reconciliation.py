"""The reconciliation is silent after every operation, and names whatever was done beside them."""

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from audit import append_only
from audit.actors import SYSTEM
from audit.models import Event
from portal import reconciliation, roles
from portal.models import Account
from portal.operations import accounts
from provisioning.models import CustomAttribute, Group, Membership, Provider, Token, User
from provisioning.operations import attributes, groups, providers, tokens, transfers, users
from provisioning.reconciliation.comparing import Problem
from tests.provisioning.api.conftest import Idp

pytestmark = [pytest.mark.django_db, pytest.mark.unreconciled]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"


@pytest.fixture
def directory(ana):
    """A directory to which everything has happened, by its own operations."""
    actor = ana
    Account.objects.all().delete()
    accounts.create("eva", role=roles.AUDITOR, password="correct horse battery", actor=actor)
    entra, okta = Idp("entra-id"), Idp("okta")
    shoe = attributes.add("shoe", type="decimal", actor=actor)
    attributes.add("secretCode", actor=actor)
    custom = {"shoe": 42.5, "secretCode": "x"}
    ids = []
    for name in ("luis", "otro", "leaver", "gone", "moved"):
        body = {"userName": name, "emails": [{"value": f"{name}@corp.example"}], CUSTOM: custom}
        ids.append(entra.post("/Users", body | {"name": {"givenName": "A"}}).json()["id"])
    luis, otro, leaver, gone, moved = ids
    members = [{"value": each} for each in ids]
    team = entra.post("/Groups", {"displayName": "Ventas", "members": members}).json()["id"]
    other = entra.post("/Groups", {"displayName": "Otra", "members": members[:2]}).json()["id"]
    entra.patch(f"/Users/{luis}", {"op": "replace", "path": "active", "value": False})
    entra.patch(f"/Users/{luis}", {"op": "remove", "path": "active"})
    entra.patch(f"/Users/{otro}", {"op": "add", "path": f"{ENTERPRISE}:department", "value": "I+D"})
    entra.put(f"/Users/{otro}", {"userName": "otro", "displayName": "Otro"})
    entra.delete(f"/Users/{leaver}")
    entra.post("/Users", {"userName": "leaver"})  # the same one again
    entra.delete(f"/Users/{gone}")
    users.erase(gone, actor=actor, confirmation="gone")
    transfers.transfer(moved, okta.provider, actor=actor)
    entra.patch(f"/Groups/{team}", {"op": "remove", "path": f'members[value eq "{luis}"]'})
    entra.patch(f"/Groups/{team}", {"op": "replace", "path": "displayName", "value": "Ventas 2"})
    entra.delete(f"/Groups/{other}")
    attributes.remove(shoe.pk, actor=actor, confirmation="shoe")
    providers.configure(entra.provider.pk, allow_rename=True, actor=actor)
    tokens.deactivate(okta.token.pk, actor=actor)
    tokens.renew(entra.token.pk, actor=actor)
    tokens.remove(okta.token.pk, actor=actor)
    return entra


def problems():
    return [(d.kind, d.problem, d.attribute) for d in reconciliation.reconcile().discrepancies]


def test_all_that_operations_do_follows_from_their_events(directory):
    result = reconciliation.reconcile()
    assert result.discrepancies == []
    assert result.rows > 10
    assert result.events > 20
    call_command("audit_reconcile")


@pytest.mark.parametrize(
    ("kind", "problem", "attribute", "change"),
    [
        ("user", Problem.DIFFERS, "active", lambda: one(User).update(is_active=False)),
        ("user", Problem.DIFFERS, "userName", lambda: one(User).update(user_name="x")),
        ("user", Problem.DIFFERS, "name.givenName", lambda: one(User).update(given_name="B")),
        ("user", Problem.DIFFERS, "emails", lambda: one(User).update(emails=[{"value": "a@b"}])),
        ("user", Problem.NO_ROW, "", lambda: one(User, user_name="moved").delete()),
        ("group", Problem.DIFFERS, "displayName", lambda: one(Group).update(display_name="x")),
        ("group", Problem.DIFFERS, "members", lambda: one(Membership).delete()),
        ("group", Problem.NO_ROW, "", lambda: Group.objects.all().delete()),
        ("token", Problem.DIFFERS, "active", lambda: one(Token).update(is_active=False)),
        ("token", Problem.DIFFERS, "expires_at", lambda: one(Token).update(expires_at=None)),
        ("token", Problem.DIFFERS, "token", lambda: one(Token).update(hint="aaaa")),
        ("attribute", Problem.NO_ROW, "", lambda: CustomAttribute.objects.all().delete()),
        (
            "provider", Problem.DIFFERS, "allow_rename",
            lambda: Provider.objects.filter(kind="entra-id").update(allow_rename=False),
        ),
        (
            "provider", Problem.DIFFERS, "allow_rename",
            lambda: Provider.objects.filter(kind="jumpcloud").update(allow_rename=True),
        ),
        (
            "account", Problem.DIFFERS, "role",
            lambda: Account.objects.get().groups.set(
                roles.Group.objects.filter(name=roles.ADMINISTRATOR)
            ),
        ),
        (
            "account", Problem.NO_EVENT, "",
            lambda: Account.objects.create(username="mallory", password="x"),
        ),
    ],
)  # fmt: skip
def test_what_was_changed_without_an_event_is_named(directory, kind, problem, attribute, change):
    change()
    assert (kind, problem, attribute) in problems()
    with pytest.raises(CommandError) as ended:
        call_command("audit_reconcile")
    assert ended.value.returncode == 1


def one(model, **which):
    """Return a query of one row that is not deleted."""
    which = which or ({"user_name": "otro"} if model is User else {})
    if model is Token:
        which = {"removed_at": None}
    first = model.objects.filter(**which).order_by("pk").first()
    return model.objects.filter(pk=first.pk)


def test_a_user_of_another_idp_than_its_events_say_is_named(directory):
    okta = Provider.objects.get(kind="okta")
    User.objects.filter(user_name="otro").update(provider=okta)
    assert ("user", Problem.DIFFERS, "provider") in problems()


def test_a_user_that_came_back_without_an_event_is_named(directory):
    luis = User.objects.get(user_name="luis")
    users.delete(luis.pk, provider=directory.provider, actor=SYSTEM)
    assert problems() == []
    User.objects.filter(pk=luis.pk).update(deleted_at=None, user_name_key="luis")
    assert problems() == [("user", Problem.DIFFERS, "deleted")]


def test_a_user_made_without_an_event_is_named(directory):
    User.objects.create(provider=directory.provider, user_name="x", user_name_key="x")
    assert problems() == [("user", Problem.NO_EVENT, "")]


def test_an_event_without_its_change_is_named(directory):
    event = Event.objects.filter(type="user.updated", target_label="otro").first()
    event.pk, event._state.adding, event.changes = None, True, {"displayName": ["Otro", "Mallory"]}
    event.save(force_insert=True)
    assert problems() == [("user", Problem.DIFFERS, "displayName")]


def test_a_row_whose_events_were_deleted_is_named(directory):
    append_only.remove(connection)
    Event.objects.filter(target_label="otro", type="user.created")._raw_delete("default")
    append_only.install(connection)
    assert problems() == [("user", Problem.NO_EVENT, "")]


def test_a_discrepancy_is_told_in_one_line(directory, capsys):
    one(User).update(display_name="Mallory")
    with pytest.raises(CommandError):
        call_command("audit_reconcile")
    line = capsys.readouterr().out.splitlines()[0]
    assert line.endswith('«otro»: displayName is "Mallory", and its events say "Otro".')
    assert json.dumps(str(User.objects.get(user_name="otro").pk)).strip('"') in line


def test_groups_are_folded_by_their_own_operations(directory):
    group = Group.objects.get()
    assert group.memberships.count() == 1
    groups.delete(group.pk, provider=directory.provider, actor=SYSTEM)
    assert problems() == []
