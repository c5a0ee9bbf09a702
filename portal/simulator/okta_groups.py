"""Okta's Group Push: OIN apps patch a group, custom apps (AIW) put it whole."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from portal.simulator.client import Body
from portal.simulator.expected import CORE_GROUP, PATCH_OP, ExpectedGroup
from portal.simulator.people import Team
from portal.simulator.verify import eq

if TYPE_CHECKING:
    from portal.simulator.okta import Okta


def push_group(talk: "Okta", index: int, team: Team) -> None:
    """Link or create a group, then push its name and its members."""
    label = f"group {team.name}"
    match = talk.find("match group", "/Groups", eq("displayName", team.name), of=label)
    if match.resources:
        group = ExpectedGroup(str(match.resources[0].get("id")), team.name, None)
        group.external_id = match.resources[0].get("externalId")
        talk.expected.groups.append(group)
    else:
        created = _create(talk, team)
        if created is None:
            return
        group = created
    wanted = [talk.users[member].id for member in talk.present(team.members)]
    if talk.is_aiw(index):
        _push_by_put(talk, group, wanted, renames=index == 0)
    else:
        _push_by_patch(talk, group, wanted, renames=index == 1)


def unlink_group(talk: "Okta") -> None:
    """Push a group that nobody needs, then unlink it with «Delete the group in the target app»."""
    group = _create(talk, replace(talk.company.teams[0], name=f"Temporal · {talk.company.suffix}"))
    if group is None:
        return
    label = f"group {group.display_name}"
    talk.ask("unlink", "DELETE", f"/Groups/{group.id}", expect=(204,), of=label)
    group.is_deleted = True


def _create(talk: "Okta", team: Team) -> ExpectedGroup | None:
    body, label = {"schemas": [CORE_GROUP], "displayName": team.name, "members": []}, team.name
    reply = talk.ask("push group", "POST", "/Groups", body=body, expect=(201,), of=label)
    identifier = reply.body.get("id")
    if reply.status != 201 or not isinstance(identifier, str):
        if reply.status == 201:
            talk.findings.add(f"group {team.name}", "id in the answer", "an id", identifier)
        return None
    group = ExpectedGroup(identifier, team.name, None)
    talk.expected.groups.append(group)
    return group


def _push_by_patch(talk: "Okta", group: ExpectedGroup, wanted: list[str], *, renames: bool) -> None:
    names = [f"{group.display_name} (nuevo)"] if renames else []
    for name in (*names, group.display_name):
        # A 400 here stops the whole push: the id in the value is read-only, not an error.
        _patch(talk, "rename group", group, {"op": "replace", "value": _named(group, name)})
        group.display_name = name
    everyone = {"op": "replace", "path": "members", "value": _members(talk, wanted)}
    nobody = {"op": "replace", "path": "members", "value": []}
    for operation, members in ((everyone, wanted), (nobody, []), (everyone, wanted)):
        _patch(talk, "full push", group, operation)
        group.members = set(members)
    if len(wanted) < 2:
        return
    first, second = wanted[:2]
    for out, back in ((first, second), (second, first)):
        # One PATCH takes one out and brings one in, whether or not it was in already.
        _patch(
            talk,
            "membership",
            group,
            {"op": "remove", "path": f'members[value eq "{out}"]'},
            {"op": "add", "path": "members", "value": _members(talk, [back])},
        )
        group.members.discard(out)
        group.members.add(back)


def _push_by_put(talk: "Okta", group: ExpectedGroup, wanted: list[str], *, renames: bool) -> None:
    names = [f"{group.display_name} (nuevo)"] if renames else []
    for name in (*names, group.display_name):
        _put(talk, group, name, wanted)
    if wanted:
        _put(talk, group, group.display_name, [])
        _put(talk, group, group.display_name, wanted[:-1])


def _put(talk: "Okta", group: ExpectedGroup, name: str, members: list[str]) -> None:
    label, path = f"group {group.display_name}", f"/Groups/{group.id}"
    body: Body = {
        "schemas": [CORE_GROUP],
        "id": group.id,
        "displayName": name,
        "members": _members(talk, members),
    }
    if group.external_id:  # an older run of another tool may have set it; Okta sends what it read
        body["externalId"] = group.external_id
    talk.ask("put group", "PUT", path, body=body, of=label)
    group.display_name = name
    group.members = set(members)


def _patch(talk: "Okta", kind: str, group: ExpectedGroup, *operations: Body) -> None:
    label, path = f"group {group.display_name}", f"/Groups/{group.id}"
    body = {"schemas": [PATCH_OP], "Operations": list(operations)}
    talk.ask(kind, "PATCH", path, body=body, expect=(200, 204), of=label)


def _named(group: ExpectedGroup, name: str) -> Body:
    return {"id": group.id, "displayName": name}


def _members(talk: "Okta", ids: Iterable[str]) -> list[Body]:
    names = {user.id: user.user_name for user in talk.expected.users}
    return [{"value": member, "display": names[member]} for member in ids]
