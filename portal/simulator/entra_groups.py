"""Entra ID's conversation about one group: never asking for its members, always for one of them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from portal.simulator import entra_bodies as bodies
from portal.simulator.client import Body, Reply
from portal.simulator.entra_bodies import Dialect
from portal.simulator.expected import ExpectedGroup
from portal.simulator.people import Team
from portal.simulator.verify import eq, quoted

if TYPE_CHECKING:
    from portal.simulator.entra import Entra

BATCH = 20
NO_MEMBERS = "excludedAttributes=members"


def provision_group(talk: "Entra", index: int, team: Team) -> None:
    """Match or create a group, bring its members, take one out, and rename the first one twice."""
    dialect = talk.dialect(index)
    wanted = [talk.users[member].id for member in talk.present(team.members)]
    match = _match(talk, team.name)
    if match.resources:
        group = _take_over(talk, dialect, team, str(match.resources[0].get("id")), set(wanted))
    else:
        created = _create(talk, dialect, team)
        if created is None:
            return
        group = created
    _add(talk, dialect, group, wanted)
    _ask_membership(talk, group, wanted)
    if wanted:
        _remove(talk, dialect, group, wanted[:1])
        # A second time, as after a time-out: not being a member is what was wanted.
        _remove(talk, dialect, group, wanted[:1])
        question = f"{eq('id', group.id)} and {eq('members', wanted[0])}"
        talk.find("membership", "/Groups", question, of=f"group {team.name}", count=0)
    if index == 0:
        for name in (f"{team.name} (nuevo)", team.name):  # its own name at the end: a later run
            body = dialect.update({"displayName": name})  # of this seed must find it again
            _patch(talk, "rename group", dialect, group, body)
            group.display_name = name
            _read(talk, group)


def remove_group(talk: "Entra") -> None:
    """Create a group that nobody needs, fill it, and delete it."""
    first = talk.company.teams[0]
    team = replace(first, object_id=first.object_id[::-1], name=f"{first.name} (temporal)")
    dialect = talk.dialect(0)
    group = _create(talk, dialect, team)
    if group is None:
        return
    _add(talk, dialect, group, [talk.users[index].id for index in talk.present(first.members[:3])])
    path, label = f"/Groups/{group.id}", f"group {team.name}"
    talk.ask("delete group", "DELETE", path, expect=(204,), of=label)
    group.is_deleted = True


def _match(talk: "Entra", name: str) -> Reply:
    query = f"{NO_MEMBERS}&filter={quoted(eq('displayName', name), plus=True)}"
    label = f"group {name}"
    reply = talk.ask("match group", "GET", "/Groups", query=query, of=label)
    for resource in reply.resources:
        _expect_no_members(talk, label, resource)
    return reply


def _create(talk: "Entra", dialect: Dialect, team: Team) -> ExpectedGroup | None:
    body, label = bodies.group(team, team.name), f"group {team.name}"
    reply = talk.ask(
        "create group", "POST", "/Groups", query=dialect.query, body=body, expect=(201,), of=label
    )
    identifier = reply.body.get("id")
    if reply.status != 201 or not isinstance(identifier, str):
        if reply.status == 201:
            talk.findings.add(label, "id in the answer", "an id", identifier)
        return None
    group = ExpectedGroup(identifier, team.name, team.object_id)
    talk.expected.groups.append(group)
    _read(talk, group)
    return group


def _take_over(
    talk: "Entra", dialect: Dialect, team: Team, identifier: str, wanted: set[str]
) -> ExpectedGroup:
    group = ExpectedGroup(identifier, team.name, team.object_id)
    talk.expected.groups.append(group)
    _read(talk, group)
    # Entra knows from its own state whom to take out; a new run of a seed has to look.
    reply = talk.ask("read members", "GET", f"/Groups/{identifier}", of=f"group {team.name}")
    present = {str(m.get("value")) for m in reply.body.get("members") or [] if isinstance(m, dict)}
    group.members = present
    if reply.body.get("externalId") != team.object_id:
        body = dialect.update({"externalId": team.object_id})
        _patch(talk, "update group", dialect, group, body)
    _remove(talk, dialect, group, sorted(present - wanted))
    return group


def _add(talk: "Entra", dialect: Dialect, group: ExpectedGroup, wanted: list[str]) -> None:
    missing = [member for member in wanted if member not in group.members]
    for number, batch in enumerate(_batches(missing)):
        one_by_one = number % 2 == 1
        body = (dialect.add_members_one_by_one if one_by_one else dialect.add_members)(batch)
        _patch(talk, "add members", dialect, group, body)
        group.members.update(batch)


def _remove(talk: "Entra", dialect: Dialect, group: ExpectedGroup, ids: Iterable[str]) -> None:
    for batch in _batches(list(ids)):
        _patch(talk, "remove members", dialect, group, dialect.remove_members(batch))
        group.members.difference_update(batch)


def _ask_membership(talk: "Entra", group: ExpectedGroup, wanted: list[str]) -> None:
    others = (user.id for user in talk.users.values() if user.id not in group.members)
    for member in (*wanted[:1], *list(others)[:1]):
        question = f"{eq('id', group.id)} and {eq('members', member)}"
        label, count = f"group {group.display_name}", int(member in group.members)
        talk.find("membership", "/Groups", question, of=label, count=count)


def _patch(talk: "Entra", kind: str, dialect: Dialect, group: ExpectedGroup, body: Body) -> None:
    label, path = f"group {group.display_name}", f"/Groups/{group.id}"
    # Microsoft advises 204: a body with fifty thousand members helps nobody.
    talk.ask(kind, "PATCH", path, query=dialect.query, body=body, expect=(204,), of=label)


def _read(talk: "Entra", group: ExpectedGroup) -> None:
    label = f"group {group.display_name}"
    reply = talk.ask("read group", "GET", f"/Groups/{group.id}", query=NO_MEMBERS, of=label)
    if reply.status == 200:
        _expect_no_members(talk, label, reply.body)
        if reply.body.get("displayName") != group.display_name:
            read = reply.body.get("displayName")
            talk.findings.add(label, "displayName", group.display_name, read)


def _expect_no_members(talk: "Entra", label: str, resource: Body) -> None:
    if "members" in resource:
        talk.findings.add(label, NO_MEMBERS, "no members", resource["members"])


def _batches(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
