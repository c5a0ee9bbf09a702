"""A server that behaves, and a way to run a simulation against it."""

from collections.abc import Callable
from io import StringIO

import httpx
import pytest
from rich.console import Console

from portal.simulator.run import Options, run
from tests.portal.simulator.fake_server import BASE, TOKEN, FakeServer


class Result:
    """What a run returned and printed."""

    def __init__(self, code: int, output: str, errors: str) -> None:
        self.code, self.output, self.errors = code, output, errors


@pytest.fixture
def server():
    return FakeServer()


@pytest.fixture
def simulate(server) -> Callable[..., Result]:
    """Run an IdP against the server, with a few people unless told otherwise."""

    def start(idp: str, **changes) -> Result:
        sleep = changes.pop("sleep", lambda seconds: None)
        transport = changes.pop("transport", httpx.MockTransport(server))
        chosen = {"url": BASE, "token": TOKEN, "users": 30, "groups": 2, "seed": "s"} | changes
        out = StringIO()
        console = Console(file=out, width=160)
        said = StringIO()
        errors = Console(file=said, width=160)
        code = run(Options(idp=idp, **chosen), console, errors, transport=transport, sleep=sleep)
        return Result(code, out.getvalue(), said.getvalue())

    return start
