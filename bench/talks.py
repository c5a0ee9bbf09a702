"""What is said to each subject: one generator a measure and connection, requests without end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote

import orjson

from bench.client import Ask, Talk, ask
from bench.load import company
from bench.subjects import Alta, Subject, Vanilla

USERS, GROUPS = "/scim/v2/Users", "/scim/v2/Groups"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
NEW = 10_000_000  # numbers of people who are not there yet
A_RUN = 1_000_000  # of these a run and connection takes its own
PAGE = 100
_new = count(NEW, A_RUN // 10)


@dataclass(slots=True)
class World:
    """What is in the databases now: how many made users, and the groups by their size."""

    users: int = 0
    groups: list[int] = field(default_factory=list)
    members: int = 0  # of the group that is measured now


Speak = Callable[[Subject, World, int], Talk]


def new_people() -> Iterator[bytes]:
    """Yield the bodies of creates, each of somebody else."""
    for number in count(next(_new)):
        yield orjson.dumps({"schemas": [USER]} | company.resource(company.person(number)))


def live(subject: Subject, world: World, connection: int) -> Talk:
    """A page that asks nothing: the server and the way through the middleware."""
    while True:
        yield ask("GET", "/health/live")


def discovery(subject: Subject, world: World, connection: int) -> Talk:
    """A SCIM document that asks for nothing but the token."""
    while True:
        yield subject.request("GET", "/scim/v2/ServiceProviderConfig")


def create(subject: Subject, world: World, connection: int) -> Talk:
    """POST /Users."""
    for body in new_people():
        yield subject.request("POST", USERS, body, (201,))


def look_and_create(subject: Subject, world: World, connection: int) -> Talk:
    """Entra ID's pair: is the user there? It is not; so create it."""
    for body in new_people():
        name = orjson.loads(body)["userName"]
        yield subject.request("GET", f"{USERS}?filter={_is(name)}")
        yield subject.request("POST", USERS, body, (201,))


def look(subject: Subject, world: World, connection: int) -> Talk:
    """GET ?filter=userName eq, of somebody who is there."""
    for number in count(connection):
        name = company.person(company.mixed(number, connection) % world.users).user_name
        reply = yield subject.request("GET", f"{USERS}?filter={_is(name)}")
        assert b'"totalResults":1' in reply.replace(b": ", b":", 4), reply[:300]  # noqa: S101


def _is(name: str) -> str:
    return quote(f'userName eq "{name}"')


def first_page(subject: Subject, world: World, connection: int) -> Talk:
    """The page of 100 at the front."""
    while True:
        yield _page(subject, 1)


def middle_page(subject: Subject, world: World, connection: int) -> Talk:
    """A random page of 100 about the middle."""
    for number in count(1):
        yield _page(subject, world.users // 2 + number % max(1, world.users // 10))


def last_page(subject: Subject, world: World, connection: int) -> Talk:
    """The last page of 100."""
    while True:
        yield _page(subject, world.users - PAGE + 1)


def walk(subject: Subject, world: World, connection: int) -> Talk:
    """Pages of 100 one after the other, as a full sync reads them, from the middle on."""
    start = world.users // 2 + 1
    for number in count():
        yield _page(subject, start + number * PAGE % max(PAGE, world.users // 2 - PAGE))


def follow_cursor(subject: Subject, world: World, connection: int) -> Talk:
    """Pages of 100 by cursor (RFC 9865), from the front on."""
    cursor = ""
    while True:
        reply = yield subject.request("GET", f"{USERS}?count={PAGE}&cursor={cursor}")
        cursor = orjson.loads(reply).get("nextCursor") or ""


def _page(subject: Subject, start: int) -> Ask:
    return subject.request("GET", f"{USERS}?startIndex={start}&count={PAGE}")


def deactivate(subject: Subject, world: World, connection: int) -> Talk:
    """PATCH active=false of one user after the other; then true, and so on."""
    mine = range(connection, min(world.users, 4_000), 8)
    for lap in count():
        body = _patch({"op": "replace", "path": "active", "value": bool(lap % 2)})
        for number in mine:
            yield subject.request("PATCH", f"{USERS}/{user_id(subject, number)}", body)


def change_members(subject: Subject, world: World, connection: int) -> Talk:
    """PATCH a group: add a member, then remove it."""
    member = user_id(subject, world.members + connection)
    path = f"{GROUPS}/{group_id(subject, world)}"
    value = [{"value": member}]
    while True:
        for op in ("add", "remove"):
            body = _patch({"op": op, "path": "members", "value": value})
            yield subject.request("PATCH", path, body, (200, 204))


def get_group(subject: Subject, world: World, connection: int) -> Talk:
    """GET a group with its members."""
    while True:
        yield subject.request("GET", f"{GROUPS}/{group_id(subject, world)}")


def get_bare_group(subject: Subject, world: World, connection: int) -> Talk:
    """GET a group without its members."""
    while True:
        path = f"{GROUPS}/{group_id(subject, world)}?excludedAttributes=members"
        yield subject.request("GET", path)


def _patch(*operations: dict[str, Any]) -> bytes:
    return orjson.dumps({"schemas": [PATCH], "Operations": operations})


def user_id(subject: Subject, number: int) -> str:
    """Return the id of a made user at a subject."""
    if isinstance(subject, Vanilla):
        return str(VANILLA_FIRST + number)
    return str(company.user_id(number))


def group_id(subject: Subject, world: World) -> str:
    """Return the id of the group that is measured now."""
    number = world.groups.index(world.members)
    if isinstance(subject, Vanilla):
        return str(VANILLA_FIRST + number)
    return str(company.group_id(number))


VANILLA_FIRST = 1_000


def audit_page(query: str) -> Speak:
    """Return what asks for a page of the trail as an auditor, whose session is in the world."""

    def speak(subject: Subject, world: World, connection: int) -> Talk:
        assert isinstance(subject, Alta)  # noqa: S101
        while True:
            yield subject.as_auditor(f"/auditoria/{query}")

    return speak
