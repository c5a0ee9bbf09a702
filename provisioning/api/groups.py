"""/Groups and /Groups/{id}."""

from functools import partial
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from provisioning import queries
from provisioning.adapters import base_location, etag, member_elements
from provisioning.api.base import ScimView, get_group_adapter
from provisioning.api.remarks import remark
from provisioning.errors import NotFound
from provisioning.models import Group
from provisioning.operations import groups
from provisioning.scim import documents, filters, messages, patch
from provisioning.scim.members import MemberStep, ids
from provisioning.scim.projection import Projection
from provisioning.scim.schemas import GROUP


class GroupView(ScimView):
    """What both endpoints of groups share."""

    def resources(self, rows: list[Group], projection: Projection) -> list[dict[str, Any]]:
        """Return the resources of some rows; members are read only when wanted."""
        adapter = get_group_adapter()
        resources = [adapter(row, self.request).to_dict() for row in rows]
        if rows and projection.wants("members"):
            members = queries.members_of([row.pk for row in rows])
            for row, resource in zip(rows, resources, strict=True):
                if row.pk in members:
                    resource["members"] = member_elements(members[row.pk])
        return [projection.apply(resource) for resource in resources]

    def respond(self, group: Group, status: int = 200) -> Response:
        """Answer with one group."""
        resource = self.resources([group], self.projection(GROUP))[0]
        headers = {"ETag": etag(group), "Location": f"{base_location()}/Groups/{group.pk}"}
        return Response(resource, status=status, headers=headers)


class GroupCollection(GroupView):
    """/Groups"""

    def get(self, request: Request) -> Response:
        start, count = self.page()
        projection = self.projection(GROUP)
        rows = Group.objects.filter(provider=self.caller.provider)
        if (text := self.parameters().get("filter")) is not None:
            rows = queries.matching_groups(filters.parse(text, GROUP), rows)
        page, total = queries.group_page(rows, start, count)
        return Response(messages.list_response(self.resources(page, projection), total, start))

    def post(self, request: Request) -> Response:
        caller = self.caller
        self.projection(GROUP)
        document = documents.read(self.body(), GROUP)
        members = ids(document.resource.get("members"))
        group = groups.create(
            document.resource, members, provider=caller.provider, actor=caller.actor
        )
        remark(self, group, document.ignored)
        return self.respond(group, status=201)


class GroupItem(GroupView):
    """/Groups/{id}"""

    def get(self, request: Request, group_id: str) -> Response:
        rows = Group.objects.filter(provider=self.caller.provider)
        group = rows.filter(pk=self.found(group_id)).first()
        if group is None:
            raise NotFound
        if self.unchanged(group):
            return Response(status=304, headers={"ETag": etag(group)})
        return self.respond(group)

    def put(self, request: Request, group_id: str) -> Response:
        """Replace the group; without `members` its members stay, `members: []` empties it."""
        document = documents.read(self.body(), GROUP)
        steps: tuple[MemberStep, ...] = ()
        if "members" in document.names:
            steps = (MemberStep("replace", ids(document.resource.get("members"))),)
        delta = groups.Delta(partial(documents.replace, document), steps)
        return self.respond(self.change(group_id, delta, document.ignored))

    def patch(self, request: Request, group_id: str) -> Response:
        """Change the group; answer 204, which serves Entra ID and Okta alike.

        A body with fifty thousand members would serve nobody: it comes when `attributes` asks.
        """
        changes = patch.parse(self.body(), GROUP)
        delta = groups.Delta(partial(patch.apply, changes), changes.members)
        group = self.change(group_id, delta, changes.ignored)
        if "attributes" in self.parameters():
            return self.respond(group)
        return Response(status=204, headers={"ETag": etag(group)})

    def change(self, group_id: str, delta: groups.Delta, ignored: tuple[str, ...]) -> Group:
        """Carry out a PUT or a PATCH."""
        caller = self.caller
        self.projection(GROUP)
        group = groups.change(
            self.found(group_id),
            delta,
            provider=caller.provider,
            actor=caller.actor,
            version=self.condition(),
        )
        remark(self, group, ignored)
        return group

    def delete(self, request: Request, group_id: str) -> Response:
        caller = self.caller
        groups.delete(
            self.found(group_id),
            provider=caller.provider,
            actor=caller.actor,
            version=self.condition(),
        )
        return Response(status=204)
