"""The operator's commands: what they print, and the three exit codes."""

import json

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.db import OperationalError
from django.utils import timezone

from audit.models import Event
from audit.types import EventType
from portal import roles
from portal.models import Account
from provisioning import secrets
from provisioning.models import CustomAttribute, Provider, Token
from provisioning.models.attributes import forget_types
from provisioning.models.tokens import TokenQuerySet
from provisioning.operations import tokens

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def manage(db, capsys, monkeypatch):
    """Run a command as manage.py does; return its exit code, output and errors."""
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)

    def run(name, *arguments):
        command = load_command_class(get_commands()[name], name)
        code = 0
        try:
            command.run_from_argv(["bin/manage", name, *arguments])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def events():
    return list(Event.objects.order_by("id").values_list("type", flat=True))


def test_generate_prints_the_secret_alone(manage):
    code, out, err = manage("scim_token", "generate", "--provider", "entra-id", "--name", "HR")
    token = Token.objects.get()
    assert code == 0
    assert out.startswith("alta_scim_")
    assert out.count("\n") == 1
    assert token.hint == out.strip()[-4:]
    assert (token.name, token.lifetime_days, token.provider.key) == ("HR", 365, "entra-id")
    assert str(token.pk) in err
    event = Event.objects.get()
    assert event.type == EventType.TOKEN_CREATED.key
    assert event.actor_kind == "system"
    assert event.actor_id.startswith("cli:")
    assert event.actor_label.endswith("(bin/manage)")


def test_a_token_may_live_for_ever(manage):
    manage("scim_token", "generate", "--provider", "okta", "--days", "none")
    assert Token.objects.get().expires_at is None


def test_a_third_token_is_refused_with_the_reason(manage, entra, okta):
    code, out, err = manage("scim_token", "generate", "--provider", "onelogin")
    assert (code, out) == (1, "")
    assert "limit of tokens is reached" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("generate",),
        ("generate", "--provider", "nobody"),
        ("generate", "--provider", "okta", "--days", "0"),
        ("generate", "--provider", "okta", "--days", "x"),
        ("activate", "7"),
        ("renew", NOBODY, "--overlap", "2"),
        ("remove", "not-a-uuid"),
        ("explode",),
        (),
    ],
    ids=" ".join,
)
def test_a_wrong_call_ends_with_2(manage, arguments):
    code, out, err = manage("scim_token", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("usage: bin/manage scim_token")
    assert "bin/manage scim_token" in err.splitlines()[-1]


def test_the_simulator_is_called_wrongly_in_the_same_words(manage, monkeypatch):
    monkeypatch.delenv("SCIM_TOKEN", raising=False)
    for more in ((), ("--users", "-1")):
        code, _, err = manage("simulate_idp", "entra", "--url", "http://127.0.0.1/scim/v2", *more)
        assert code == 2
        assert err.splitlines()[-1].startswith("bin/manage simulate_idp: error: ")
    assert "not a whole number from 0 on: '-1'" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("scim_token", "activate", NOBODY), "does not exist"),
        (("scim_token", "deactivate", NOBODY), "does not exist"),
        (("scim_token", "renew", NOBODY), "does not exist"),
        (("scim_token", "remove", NOBODY), "does not exist"),
        (("scim_token", "remove", NOBODY, "--yes"), "does not exist"),
        (("custom_attribute", "remove", "nothing"), "no custom attribute 'nothing'"),
        (("reset_password", "nobody"), "no portal account 'nobody'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_row_that_does_not_exist_is_refused(manage, arguments, reason):
    code, out, err = manage(*arguments)
    assert (code, out) == (1, "")
    assert reason in err


def test_an_idp_that_is_not_offered_is_a_wrong_call_and_those_that_are_are_named(manage):
    code, _, err = manage("scim_token", "generate", "--provider", "nobody")
    assert code == 2
    for key in Provider.objects.values_list("key", flat=True):
        assert key in err


def test_the_life_of_a_token(manage, entra):
    token_id = str(entra.token.pk)
    assert manage("scim_token", "deactivate", token_id)[0] == 0
    assert manage("scim_token", "activate", token_id)[0] == 0
    code, secret, _ = manage("scim_token", "renew", token_id, "--overlap", "24")
    assert code == 0
    assert secret.startswith("alta_scim_")
    assert secret.strip() != entra.secret
    assert entra.token.secrets.count() == 2
    assert manage("scim_token", "remove", token_id)[0] == 0
    assert events() == [
        "token.created", "token.deactivated", "token.activated", "token.renewed", "token.removed",
    ]  # fmt: skip


def test_a_token_in_use_is_removed_only_when_meant(manage, entra):
    token = entra.token
    Token.objects.update(last_used_at=timezone.now())
    for more in ((), ("--confirm", "other")):
        code, out, err = manage("scim_token", "remove", str(token.pk), *more)
        assert (code, out) == (1, "")
        assert "--yes" in err
        assert "--confirm" in err
    assert Token.objects.live().count() == 1
    assert manage("scim_token", "remove", str(token.pk), "--confirm", token.name)[0] == 0
    assert not Token.objects.live().exists()


def test_yes_removes_a_token_in_use(manage, entra):
    Token.objects.update(last_used_at=timezone.now())
    assert manage("scim_token", "remove", str(entra.token.pk), "--yes")[0] == 0


@pytest.mark.unreconciled
def test_list_as_json_and_as_a_table(manage, entra, okta, ana):
    tokens.deactivate(okta.token.pk, actor=ana)
    code, out, _ = manage("scim_token", "list", "--json")
    first, second = json.loads(out)
    assert code == 0
    assert set(first) == {
        "id", "provider", "name", "state", "hint", "created_at", "created_by", "last_used_at",
        "expires_at",
    }  # fmt: skip
    assert (first["provider"], first["state"]) == ("entra-id", "active")
    assert (second["provider"], second["state"]) == ("okta", "inactive")
    Token.objects.filter(pk=entra.token.pk).update(expires_at=timezone.now())
    out = manage("scim_token", "list")[1]
    assert "expired" in out
    assert " UTC " in out
    assert str(okta.token.pk) in out
    assert entra.secret not in out


def test_custom_attributes(manage):
    code, out, _ = manage("custom_attribute", "add", "CostCenter", "--type", "integer")
    assert code == 0
    assert out.strip().endswith(":User:CostCenter")
    assert manage("custom_attribute", "add", "costcenter")[0] == 1
    assert manage("custom_attribute", "add", "9x")[0] == 1
    assert manage("custom_attribute", "add", "x", "--type", "blob")[0] == 2
    assert "CostCenter" in manage("custom_attribute", "list")[1]
    (listed,) = json.loads(manage("custom_attribute", "list", "--json")[1])
    assert (listed["name"], listed["type"]) == ("CostCenter", "integer")
    assert manage("custom_attribute", "remove", "COSTCENTER")[0] == 0
    assert not CustomAttribute.objects.exists()
    assert events() == ["attribute.created", "attribute.removed"]


def test_an_attribute_that_users_carry_is_removed_only_when_meant(manage, entra, provisioned):
    manage("custom_attribute", "add", "Badge")
    forget_types()
    user = provisioned(entra, "luis", custom={"Badge": "7"})
    code, _, err = manage("custom_attribute", "remove", "Badge")
    assert code == 1
    assert "--yes" in err
    assert manage("custom_attribute", "remove", "Badge", "--yes")[0] == 0
    user.refresh_from_db()
    assert user.custom == {}


def test_create_user_with_a_generated_password(manage):
    code, out, _ = manage("create_user", "ana", "--role", "administrator")
    account = Account.objects.get(username="ana")
    assert code == 0
    assert account.check_password(out.strip())
    assert account.must_change_password
    assert account.role == roles.ADMINISTRATOR
    assert events() == ["account.created"]


def test_create_user_with_a_password_of_ones_own(manage, monkeypatch):
    monkeypatch.setenv("ALTA_PASSWORD", "correct horse battery staple")
    code, out, err = manage("create_user", "eva", "--role", "auditor", "--email", "e@example.com")
    account = Account.objects.get(username="eva")
    assert (code, out) == (0, "")
    assert account.check_password("correct horse battery staple")
    assert not account.must_change_password
    assert "correct" not in err
    assert "correct" not in str(Event.objects.get().details)


@pytest.mark.parametrize("password", ["short", "passwordpassword"[:8], "eva-the-auditor"])
def test_a_weak_password_is_refused(manage, monkeypatch, password):
    monkeypatch.setenv("ALTA_PASSWORD", password)
    assert manage("create_user", "eva-the-auditor", "--role", "auditor")[0] == 1
    assert not Account.objects.exists()
    assert events() == []


def test_wrong_accounts_are_refused(manage, ana):
    assert manage("create_user", "ANA", "--role", "auditor")[0] == 1
    assert manage("create_user", "with space", "--role", "auditor")[0] == 1
    assert manage("create_user", "eva", "--role", "auditor", "--email", "nonsense")[0] == 1
    assert manage("create_user", "eva", "--role", "king")[0] == 2
    assert Account.objects.count() == 1


def test_reset_password(manage, ana):
    code, out, _ = manage("reset_password", "ana")
    account = Account.objects.get(username="ana")
    assert code == 0
    assert account.check_password(out.strip())
    assert account.must_change_password
    assert events() == ["password.changed"]


@pytest.mark.unreconciled
def test_a_database_without_tables_is_a_sentence(manage, monkeypatch):
    def broken(self):
        raise OperationalError("no such table: provisioning_token")

    monkeypatch.setattr(TokenQuerySet, "live", broken)
    code, _, err = manage("scim_token", "list")
    assert code == 1
    assert "bin/manage setup" in err
    assert "Traceback" not in err


def test_a_simulation_on_its_own_database_ends_with_the_reconciliation(entra, capsys, monkeypatch):
    monkeypatch.setattr("portal.management.commands.simulate_idp.run", lambda *args: 0)
    call = ("simulate_idp", "entra", "--url", "http://127.0.0.1/scim/v2")
    call_command(*call, "--token", entra.secret)
    assert "Compared" in capsys.readouterr().out
    call_command(*call, "--token", entra.secret, "--no-reconcile")
    assert "Compared" not in capsys.readouterr().out
    call_command(*call, "--token", secrets.new_secret())  # that of another installation
    assert "Compared" not in capsys.readouterr().out


@pytest.mark.unreconciled
def test_a_simulation_fails_when_the_directory_does_not_follow_from_its_events(entra, monkeypatch):
    monkeypatch.setattr("portal.management.commands.simulate_idp.run", lambda *args: 0)
    Token.objects.update(is_active=False)
    Token.objects.update(is_active=True, hint="aaaa")
    with pytest.raises(SystemExit) as ended:
        call_command("simulate_idp", "entra", "--url", "http://x/scim/v2", "--token", entra.secret)
    assert ended.value.code == 1
