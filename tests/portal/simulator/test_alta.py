"""The simulated IdPs against Alta itself, over HTTP: what it keeps is what it was sent."""

import json
from io import StringIO

import pytest
from rich.console import Console

from audit.models import Event
from portal.simulator.run import Options, run
from provisioning.models import Group, User
from tests.conftest import make_idp

USERS, GROUPS = 40, 3


@pytest.fixture
def conversation(live_server, settings, tmp_path):
    """Hold the conversation of an IdP with a live Alta; return the run's summary."""
    settings.PUBLIC_URL = live_server.url

    def hold(idp, secret):
        file = tmp_path / "summary.json"
        options = Options(
            idp=idp,
            url=f"{live_server.url}/scim/v2",
            token=secret,
            users=USERS,
            groups=GROUPS,
            seed="alta",
            json_file=file,
        )
        out = StringIO()
        console = Console(file=out, width=160)
        code = run(options, console, console)
        return code, json.loads(file.read_text(encoding="utf-8")), out.getvalue()

    return hold


@pytest.mark.parametrize(("idp", "provider"), [("entra", "entra-id"), ("okta", "okta")])
def test_alta_keeps_what_an_idp_sends_and_again_when_it_starts_over(conversation, idp, provider):
    secret = make_idp(provider).secret
    for _ in ("the first cycle", "the same people again"):
        code, summary, output = conversation(idp, secret)
        assert (code, summary["mismatches"], summary["error"]) == (0, [], ""), output
        assert not {"500", "503"} & summary["statuses"].keys()
        assert summary["requests"] > 3 * USERS
    assert User.objects.visible().count() >= USERS - 2
    assert Group.objects.count() == GROUPS
    assert Event.objects.filter(type="user.created").count() < 2 * USERS
