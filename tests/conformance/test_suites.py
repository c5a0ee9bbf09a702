"""Other people's conformance suites, run against a live server as their authors meant them."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from audit.actors import SYSTEM
from provisioning.models import CustomAttribute
from provisioning.operations import attributes
from tests.conftest import make_idp

TOOLS = Path(sys.executable).parent
RESULT = re.compile(r"^([A-Z]+) (\w+)$", re.MULTILINE)


@pytest.fixture
def served(live_server, settings):
    """A live server whose public address is its own, and a token for it."""
    settings.PUBLIC_URL = live_server.url
    return f"{live_server.url}/scim/v2", make_idp("other").secret


def run(*command: str, **variables: str) -> str:
    done = subprocess.run(
        [TOOLS / command[0], *command[1:]],
        env=os.environ | {"NO_COLOR": "1"} | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


# scim2-tester 0.5 fills a custom decimal or dateTime with a UUID, which its own models refuse.
FILLED = [kind for kind in CustomAttribute.Type.values if kind not in ("decimal", "dateTime")]


@pytest.mark.parametrize("custom", [(), FILLED], ids=["as installed", "with custom attributes"])
def test_scim2_tester_finds_no_fault(served, custom):
    for number, kind in enumerate(custom):
        attributes.add(f"own{number}", kind, actor=SYSTEM)
    url, secret = served
    headers = f"Authorization: Bearer {secret}"
    output = run("scim2", "--url", url, "test", SCIM_CLI_HEADERS=headers)
    results = Counter(status for status, _ in RESULT.findall(output))
    assert set(results) == {"SUCCESS"}, output
    assert results["SUCCESS"] > 60


def test_scim_sanity_has_only_the_two_wishes_that_we_refuse(served):
    """A group's PATCH answers 204, as Microsoft advises; a member that does not exist is refused.

    The suite would have 200 with every member in the body, and members nobody has provisioned.
    """
    url, secret = served
    output = run(
        "scim-sanity", "probe", url, "--token", secret, "--i-accept-side-effects", "--json-output"
    )
    report = json.loads(output[output.index("{") :])
    failed = {test["name"]: test for test in report["results"] if test["status"] == "fail"}
    assert set(failed) == {
        "PATCH /Groups/{id}",
        "PATCH /Groups/{id} add member",
        "PATCH /Groups/{id} remove members",
    }
