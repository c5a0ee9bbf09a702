"""Settings from the environment: each wrong one stops the start with a sentence that names it."""

import base64
import os
import runpy
import stat
import subprocess
import sys

import pytest
from django.conf import settings

from config import env

LONG = "x" * 50
KEY = base64.b64encode(b"k" * 32).decode()
WRONG = [
    ("ALTA_DATA_DIR", "/dev/null/alta"),
    ("DATABASE_URL", "mysql://localhost/alta"),
    ("DATABASE_URL", "sqlite:///alta.sqlite3"),
    ("DATABASE_URL", "alta"),
    ("ALLOWED_HOSTS", "a b"),
    ("ALLOWED_HOSTS", "https://alta.example.com"),
    ("ALLOWED_HOSTS", "alta.example.com:8000"),
    ("DATABASE_URL_FILE", "/does/not/exist"),
    ("CELERY_BROKER_URL", "sqs://"),
    ("PUBLIC_URL", "alta.example.com"),
    ("PUBLIC_URL", "https://alta.example.com/scim"),
    ("PUBLIC_URL", "https://alta.example.com:99999"),
    ("PUBLIC_URL", "https://alta.example.com?tenant=1"),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY_FILE", "/does/not/exist"),
    ("TOKEN_PEPPERS", "k1:short"),
    ("TOKEN_PEPPERS", LONG),
    ("TOKEN_PEPPERS", f"k1:{LONG},k1:{LONG}"),
    ("AUDIT_SIGNING_KEY", "not base64!"),
    ("AUDIT_SIGNING_KEY", base64.b64encode(b"short").decode()),
    ("AUDIT_SIGNING_KEY", f"{KEY},é"),
    ("AUDIT_SIGNING_KEY", f"{KEY},{KEY}"),
    ("TRUSTED_PROXIES", "10.0.0.0/99"),
    ("EMAIL_URL", "http://mail.example.com"),
    ("SCIM_TOKEN_LIMIT", "0"),
    ("SCIM_TOKEN_LIMIT", "two"),
    ("SCIM_TOKEN_LIMIT_SCOPE", "tenant"),
    ("PROVISIONING_LOG", "some"),
    ("PROVISIONING_LOG_READS", "1.5"),
    ("PROVISIONING_LOG_READS", "half"),
    ("PROVISIONING_LOG_DAYS", "0"),
]


def manage(*arguments, **variables):
    """Run manage.py with these variables and none of this run's own."""
    kept = {name: os.environ[name] for name in ("PATH", "ALTA_DATA_DIR") if name in os.environ}
    return subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{n}={v[:24]}" for n, v in WRONG])
def test_a_wrong_setting_is_one_sentence_that_names_it(name, value, tmp_path, monkeypatch):
    monkeypatch.setenv("ALTA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv(name, value)
    if not name.endswith("_FILE"):
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    else:
        monkeypatch.delenv(name.removesuffix("_FILE"), raising=False)
    with pytest.raises(env.WrongSetting) as wrong:
        runpy.run_path(str(settings.BASE_DIR / "config" / "settings.py"))
    assert str(wrong.value).startswith(f"{name} ")
    assert str(wrong.value).endswith(".")
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    "names", ["alta.example.com", ".example.com,[::1], 10.0.0.5", "my_host", "*", ""]
)
def test_host_names_are_understood(names):
    assert env.hosts(names) == [name.strip() for name in names.split(",") if name]


@pytest.mark.parametrize(("url", "said"), [("foo", "postgresql://"), ("mysql://x", "not mysql:")])
def test_a_database_of_another_kind_is_named_when_it_has_a_name(url, said):
    with pytest.raises(ValueError, match=f"{said}$"):
        env.database(url)


def test_a_command_that_there_is_not_is_a_wrong_call(tmp_path):
    done = manage("scim_tokens", ALTA_DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean scim_token?" in done.stderr
    assert "bin/manage help" in done.stderr


def test_a_command_says_that_sentence_and_nothing_else(tmp_path):
    done = manage("scim_token", "list", ALTA_DATA_DIR=str(tmp_path), SCIM_TOKEN_LIMIT="0")
    assert done.returncode == 1
    assert done.stderr == (
        "Alta cannot start: SCIM_TOKEN_LIMIT must be a whole number from 1 to 100, not '0'.\n"
    )
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["SECRET_KEY", "TOKEN_PEPPERS", "AUDIT_SIGNING_KEY"])
def test_a_wrong_secret_is_not_shown(name, tmp_path):
    done = manage("check", **{"ALTA_DATA_DIR": str(tmp_path), name: "k1:hush"})
    assert done.returncode == 1
    assert done.stderr.startswith(f"Alta cannot start: {name} ")
    assert "hush" not in done.stderr + done.stdout


def test_a_setting_and_its_file_exclude_each_other(monkeypatch, tmp_path):
    (tmp_path / "key").write_text(LONG)
    monkeypatch.setenv("SECRET_KEY", LONG)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(env.WrongSetting, match="SECRET_KEY and SECRET_KEY_FILE are both set"):
        env.read("SECRET_KEY", "", str)


def test_a_setting_may_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "limit").write_text("3\n")
    monkeypatch.setenv("SCIM_TOKEN_LIMIT_FILE", str(tmp_path / "limit"))
    assert env.read("SCIM_TOKEN_LIMIT", "2", env.whole_number(1, 100)) == 3


def test_secrets_are_made_once_and_closed_to_others(tmp_path):
    folder = env.data_dir(str(tmp_path / "var")) / "secrets"
    first = env.kept_secret(folder, "SECRET_KEY", env.new_secret)
    assert env.kept_secret(folder, "SECRET_KEY", env.new_secret) == first
    assert len(first) >= 50
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


def test_the_first_of_several_token_keys_makes_new_digests():
    keys = env.peppers(f"k2:{LONG}, k1:{LONG}y")
    assert list(keys) == ["k2", "k1"]


def test_a_folder_for_mail_is_a_whole_path_and_a_mail_server_has_some_seconds():
    assert env.email("file:///var/mail")["EMAIL_FILE_PATH"] == "/var/mail"
    assert env.email("smtp://mail.example.com")["EMAIL_TIMEOUT"] == env.MAIL_PATIENCE_S
    assert env.email("smtp://mail.example.com?timeout=3")["EMAIL_TIMEOUT"] == 3
