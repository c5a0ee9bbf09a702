"""The set-up: repeatable, and it never loses the first password."""

import shutil
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.staticfiles.management.commands.collectstatic import Command as CollectStatic
from django.core.management import call_command
from django.db import OperationalError
from django.db.migrations import Migration
from django.utils import translation

from audit.models import Event
from audit.types import EventType
from portal import installation, roles
from portal.models import Account
from portal.operations import accounts
from provisioning.models import Provider

pytestmark = pytest.mark.django_db


def setup(*arguments):
    out = StringIO()
    call_command("setup", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _no_migration(monkeypatch):
    """The tables of a test exist, and its transaction must not be closed."""
    monkeypatch.setattr(installation.connection, "close", lambda: None, raising=False)


def test_the_first_setup_makes_an_administrator_and_prints_the_password_once():
    printed = setup()
    account = Account.objects.get(username="admin")
    assert account.role == roles.ADMINISTRATOR
    assert account.must_change_password
    assert account.check_password(printed.split()[-1])
    event = Event.objects.get(type=EventType.ACCOUNT_CREATED.key)
    assert (event.actor_kind, event.target_label) == ("system", "admin")
    assert setup() == ""
    assert Account.objects.count() == 1
    assert Provider.objects.count() == 8


def test_a_password_for_bin_run_waits_in_the_data_folder():
    assert setup("--keep-password") == ""
    kept = settings.SECRETS_DIR / "first_password"
    name, password = kept.read_text().splitlines()
    assert Account.objects.get(username=name).check_password(password)
    assert kept.stat().st_mode & 0o077 == 0
    kept.unlink()


def test_an_installation_without_administrator_whose_name_is_taken_says_so(eva):
    eva.account.username = "admin"
    eva.account.save()
    with pytest.raises(SystemExit, match=r"^Alta cannot start: no account .* create_user"):
        setup()


def test_a_database_that_cannot_be_reached_is_why_alta_cannot_start(monkeypatch):
    def away():
        raise OperationalError("connection refused:\n  no server")

    monkeypatch.setattr(installation, "migrate", away)
    with pytest.raises(SystemExit) as end:
        setup()
    assert end.value.code == (
        "Alta cannot start: DATABASE_URL: the database says: connection refused: no server"
    )


def test_static_files_are_collected_again_only_when_one_changed(monkeypatch, tmp_path, settings):
    # A folder of its own: the pages of other processes are served from the shared one.
    settings.DATA_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    assert installation.collect_static()
    assert (tmp_path / "static" / "staticfiles.json").exists()
    assert not installation.collect_static()
    monkeypatch.setattr(installation, "_static_digest", lambda: "changed")
    assert installation.collect_static()
    monkeypatch.undo()
    assert installation.collect_static()


def test_messages_are_compiled_again_only_when_they_changed(tmp_path, settings):
    folder = tmp_path / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "Token"\nmsgstr "Ficha"\n')
    settings.LOCALE_PATHS = [tmp_path]
    with translation.override("es"):  # the catalogue is read before its file exists
        assert translation.gettext("Token") == "Token"
    assert installation.compile_messages() == 1
    assert b"Ficha" in (folder / "django.mo").read_bytes()
    with translation.override("es"):
        assert translation.gettext("Token") == "Ficha"
    assert installation.compile_messages() == 0


def test_a_second_setup_finds_each_step_done(monkeypatch, tmp_path, settings):
    folder = tmp_path / "locale" / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    shutil.copy(settings.BASE_DIR / "locale/es/LC_MESSAGES/django.po", folder)
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    settings.DATA_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    done = []

    def note(owner, name):
        real = getattr(owner, name)

        def noted(*args, **kwargs):
            done.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, noted)

    note(installation.mofile, "write_mo")
    note(CollectStatic, "collect")
    note(Migration, "apply")  # a test's tables are there before the first set-up
    note(accounts, "make_password")
    setup()
    assert done == ["write_mo", "collect", "make_password"]
    done.clear()
    setup()
    assert done == []


def test_generated_passwords_pass_the_validators_and_differ():
    made = {accounts.new_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        accounts.validate_password(password)
