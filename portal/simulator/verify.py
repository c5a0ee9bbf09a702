"""Read every resource back, by id and by filter, and name each difference from what was sent."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from portal.simulator.client import Body, Reply
from portal.simulator.expected import (
    LIST_RESPONSE,
    Expected,
    ExpectedGroup,
    ExpectedUser,
    flatten,
)

if TYPE_CHECKING:
    from portal.simulator.conversation import Conversation

PAGE = 100
LONGEST_LISTING = 20_000  # a directory larger than this is not walked only to find ours in it
LONGEST_VALUE = 120


@dataclass(frozen=True)
class Mismatch:
    """One difference between what the IdP sent and what the server did or kept."""

    resource: str
    attribute: str
    sent: str
    read: str


class Findings:
    """Collect mismatches, each once, with nothing secret in them."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        """Start with nothing found; `redact` hides the token in whatever a server echoes."""
        self._redact = redact
        self._lock = threading.Lock()
        self._found: dict[Mismatch, None] = {}

    def add(self, resource: str, attribute: str, sent: object, read: object) -> None:
        """Record one mismatch."""
        mismatch = Mismatch(resource, attribute, self._text(sent), self._text(read))
        with self._lock:
            self._found[mismatch] = None

    @property
    def all(self) -> list[Mismatch]:
        """Return the mismatches in the order they were found."""
        return list(self._found)

    def as_json(self) -> list[dict[str, str]]:
        """Return the mismatches as JSON objects."""
        return [asdict(mismatch) for mismatch in self.all]

    def _text(self, value: object) -> str:
        text = self._redact("(nothing)" if value in (None, "", []) else str(value))
        return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def read_back(talk: "Conversation", step: Callable[[], None]) -> None:
    """Compare the whole expected model with the server; `step` is called once a resource."""
    for user in talk.expected.users:
        (_check_deleted_user if user.is_deleted else _check_user)(talk, user)
        step()
    for group in talk.expected.groups:
        (_check_deleted_group if group.is_deleted else _check_group)(talk, group)
        step()
    _check_listing(talk, "/Users", _listed_users(talk.expected))
    _check_listing(talk, "/Groups", {g.id: not g.is_deleted for g in talk.expected.groups})


def compare_user(findings: Findings, user: ExpectedUser, resource: Body) -> None:
    """Name every attribute that was not kept as sent."""
    label = f"user {user.user_name}"
    read = flatten(resource)
    for attribute, sent in user.attributes.items():
        if attribute == "userName" and user.is_tombstone:
            continue  # the rename was the IdP's way to free the name: either spelling is right
        if not _same(sent, read.get(attribute)):
            findings.add(label, attribute.rpartition(":")[2], sent, read.get(attribute))
    if resource.get("id") != user.id:
        findings.add(label, "id", user.id, resource.get("id"))


def compare_group(findings: Findings, group: ExpectedGroup, resource: Body) -> None:
    """Name every attribute and member that was not kept as sent."""
    label = f"group {group.display_name}"
    for attribute, sent in (("displayName", group.display_name), ("externalId", group.external_id)):
        if not _same(sent, resource.get(attribute)):
            findings.add(label, attribute, sent, resource.get(attribute))
    values = [m.get("value") for m in resource.get("members") or [] if isinstance(m, dict)]
    for missing in sorted(group.members.difference(values)):
        findings.add(label, "members", missing, "(missing)")
    for extra in sorted(str(value) for value in set(values).difference(group.members)):
        findings.add(label, "members", "(not sent)", extra)
    if len(values) != len(set(values)):
        findings.add(label, "members", "each once", f"{len(values)} entries")


def eq(attribute: str, value: str) -> str:
    """Return `attribute eq "value"` with the value quoted as a JSON string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{attribute} eq "{escaped}"'


def _check_user(talk: "Conversation", user: ExpectedUser) -> None:
    label = f"user {user.user_name}"
    reply = talk.ask("verify by id", "GET", f"/Users/{user.id}", of=label)
    if reply.status == 200:
        compare_user(talk.findings, user, reply.body)
    if user.is_tombstone:
        return
    reply = talk.find("verify by filter", "/Users", eq("userName", user.user_name), of=label)
    if reply.status == 200:
        found = _only(talk, reply, label)
        if found:
            compare_user(talk.findings, user, found)


def _check_deleted_user(talk: "Conversation", user: ExpectedUser) -> None:
    label = f"user {user.user_name} (deleted)"
    talk.ask("verify by id", "GET", f"/Users/{user.id}", expect=(404,), of=label)
    talk.find("verify by filter", "/Users", eq("userName", user.user_name), of=label, count=0)


def _check_group(talk: "Conversation", group: ExpectedGroup) -> None:
    label, by_name = f"group {group.display_name}", eq("displayName", group.display_name)
    reply = talk.ask("verify by id", "GET", f"/Groups/{group.id}", of=label)
    if reply.status == 200:
        compare_group(talk.findings, group, reply.body)
    reply = talk.find("verify by filter", "/Groups", by_name, of=label)
    found = _only(talk, reply, label) if reply.status == 200 else None
    if found and found.get("id") != group.id:
        talk.findings.add(label, "id by filter", group.id, found.get("id"))


def _check_deleted_group(talk: "Conversation", group: ExpectedGroup) -> None:
    label, by_name = f"group {group.display_name} (deleted)", eq("displayName", group.display_name)
    talk.ask("verify by id", "GET", f"/Groups/{group.id}", expect=(404,), of=label)
    talk.find("verify by filter", "/Groups", by_name, of=label, count=0)


def _check_listing(talk: "Conversation", path: str, should_be_listed: dict[str, bool]) -> None:
    seen: list[Any] = []
    start, total = 1, 1
    while start <= total:
        query = f"startIndex={start}&count={PAGE}&attributes=id"
        reply = talk.ask("verify listing", "GET", path, query=query, of=f"list {path}")
        number = reply.body.get("totalResults")
        if isinstance(number, int) and number > LONGEST_LISTING:
            return
        if reply.status != 200 or not isinstance(number, int) or not reply.resources:
            break
        seen += [resource.get("id") for resource in reply.resources]
        start, total = start + len(reply.resources), number
    for identifier, listed in should_be_listed.items():
        if (times := seen.count(identifier)) != listed:
            talk.findings.add(f"list {path}", identifier, _listed(int(listed)), _listed(times))


def _listed(times: int) -> str:
    return f"listed {times} times"


def _listed_users(expected: Expected) -> dict[str, bool]:
    return {user.id: not user.is_deleted for user in expected.users}


def _only(talk: "Conversation", reply: Reply, label: str) -> Body | None:
    if reply.body.get("schemas") != [LIST_RESPONSE]:
        talk.findings.add(label, "schemas", [LIST_RESPONSE], reply.body.get("schemas"))
    if len(reply.resources) != 1 or reply.body.get("totalResults") != 1:
        read = f"{len(reply.resources)}, totalResults {reply.body.get('totalResults')}"
        talk.findings.add(label, "found by filter", 1, read)
        return None
    return reply.resources[0]


def _same(sent: object, read: object) -> bool:
    if isinstance(sent, bool) or isinstance(read, bool):
        return sent is read
    return (sent or None) == (read or None)


def quoted(expression: str, *, plus: bool) -> str:
    """Return a filter ready for a query string, spaces as the IdP writes them."""
    encoded = quote(expression, safe="")
    return encoded.replace("%20", "+") if plus else encoded
