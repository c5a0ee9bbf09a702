"""How the web server's entry point reads bodies: what it holds, and what it gives back."""

import asyncio
from typing import Any

import pytest

from config import rsgi
from config.limits import PAGE_BODY, SCIM_BODY


class Body:
    """A body as granian hands it over, in parts."""

    def __init__(self, *parts: bytes | float) -> None:
        self.parts = parts

    async def __aiter__(self) -> Any:
        for part in self.parts:
            if isinstance(part, float):
                await asyncio.sleep(part)
            else:
                yield part


def read(application: rsgi.Application, *bodies: tuple[Body, int | None]) -> list[Any]:
    """Read bodies at the same time; return what came of each: bytes, or the refusal's status."""

    async def one(body: Body, length: int | None) -> Any:
        try:
            return await application._read(body, {"PATH_INFO": "/scim/v2/Users"}, length)
        except rsgi.Refusal as refusal:
            return refusal.status

    async def every() -> list[Any]:
        application.loop = asyncio.get_running_loop()
        return await asyncio.gather(*(one(*body) for body in bodies))

    return asyncio.run(every())


@pytest.mark.parametrize(
    ("parts", "length", "found"),
    [
        ((b"ab", b"c"), 3, b"abc"),
        ((b"ab", b"", b""), 3, 400),
        ((b"ab", b"c", b""), None, b"abc"),
        ((b"ab", b"c", b"", b""), None, 400),
        ((b"",), None, b""),
        ((), 0, b""),
    ],
)
def test_a_body_is_whole_or_refused(parts, length, found):
    assert read(rsgi.Application(1), (Body(*parts), length)) == [found]


def test_large_bodies_share_what_a_process_holds(monkeypatch):
    monkeypatch.setattr(rsgi, "MOST_HELD", 250_000)
    application = rsgi.Application(1)
    large = (Body(b"x" * 50_000, 0.0, b"x" * 50_000), 100_000)
    small = (Body(b"x" * 1000), 1000)
    found = read(application, large, large, large, small)
    assert [each == 503 for each in found].count(True) == 1
    assert len(found[-1]) == 1000
    assert application.held == 200_000


def test_a_body_that_stops_is_given_up_and_holds_nothing(monkeypatch):
    monkeypatch.setattr(rsgi, "PATIENCE_S", 0.05)
    application = rsgi.Application(1)
    never = 3600.0
    assert read(application, (Body(b"x" * 70_000, never), 100_000)) == [408]
    assert application.held == 0


def test_reading_stops_past_the_limit():
    parts = [b"x" * 65_536] * 200
    (found,) = read(rsgi.Application(1), (Body(*parts), None))
    assert SCIM_BODY < len(found) <= SCIM_BODY + 65_536
    assert rsgi.largest_body("/entrar/") == rsgi.largest_body("/scimitar") == PAGE_BODY
    assert rsgi.largest_body("//scim/v2/Users") == SCIM_BODY
