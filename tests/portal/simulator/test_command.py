"""The command line."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from portal.management.commands import simulate_idp

URL = "http://127.0.0.1:8000/scim/v2"


@pytest.fixture
def started(monkeypatch):
    """Collect the options instead of running."""
    options = []
    monkeypatch.setattr(simulate_idp, "run", lambda chosen, *consoles: options.append(chosen) or 0)
    return options


def test_the_token_may_come_from_the_environment(started, monkeypatch):
    monkeypatch.setenv("SCIM_TOKEN", "from-env")
    call_command("simulate_idp", "okta", f"--url={URL}/", "--users=3")
    assert started[0].token == "from-env"
    assert started[0].url == URL
    assert started[0].users == 3


def test_each_run_without_a_seed_has_its_own(started):
    for _ in range(2):
        call_command("simulate_idp", "entra", f"--url={URL}", "--token=t")
    assert started[0].seed != started[1].seed


def test_a_missing_token_is_a_wrong_call(started, monkeypatch):
    monkeypatch.delenv("SCIM_TOKEN", raising=False)
    with pytest.raises(CommandError, match="SCIM_TOKEN"):
        call_command("simulate_idp", "entra", f"--url={URL}")
    assert started == []


@pytest.mark.parametrize(
    "wrong",
    [
        ["google", f"--url={URL}"],
        ["entra"],
        ["entra", "--url=ftp://x"],
        ["entra", f"--url={URL}", "--users=-1"],
    ],
    ids=["unknown IdP", "no URL", "not http", "negative number"],
)
def test_a_wrong_call_is_refused(started, wrong):
    with pytest.raises((CommandError, SystemExit)):
        call_command("simulate_idp", *wrong, "--token=t")
    assert started == []


def test_mismatches_make_the_command_exit_with_one(monkeypatch):
    monkeypatch.setattr(simulate_idp, "run", lambda *arguments: 1)
    with pytest.raises(SystemExit) as stopped:
        call_command("simulate_idp", "entra", f"--url={URL}", "--token=t")
    assert stopped.value.code == 1
