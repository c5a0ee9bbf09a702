"""/Users and /Users/{id}."""

from functools import partial
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from provisioning import queries
from provisioning.adapters import base_location, etag, group_elements
from provisioning.api.base import ScimView, get_user_adapter
from provisioning.api.remarks import remark
from provisioning.errors import NotFound
from provisioning.models import User
from provisioning.operations import users
from provisioning.scim import documents, filters, messages, patch
from provisioning.scim.projection import Projection


class UserView(ScimView):
    """What both endpoints of users share."""

    def resources(
        self, rows: list[User], projection: Projection, *, are_new: bool = False
    ) -> list[dict[str, Any]]:
        """Return the resources of some rows; groups are read only when wanted, for all at once.

        Users just created, or brought back, are in no group: nothing is read.
        """
        adapter = get_user_adapter()
        resources = [adapter(row, self.request).to_dict() for row in rows]
        if rows and not are_new and projection.wants("groups"):
            groups = queries.groups_of([row.pk for row in rows])
            for row, resource in zip(rows, resources, strict=True):
                if row.pk in groups:
                    resource["groups"] = group_elements(groups[row.pk])
        return [projection.apply(resource) for resource in resources]

    def respond(self, user: User, status: int = 200) -> Response:
        """Answer with one user."""
        projection = self.projection(self.caller.user_type)
        resource = self.resources([user], projection, are_new=status == 201)[0]
        headers = {"ETag": etag(user), "Location": f"{base_location()}/Users/{user.pk}"}
        return Response(resource, status=status, headers=headers)


class UserCollection(UserView):
    """/Users"""

    def get(self, request: Request) -> Response:
        caller, (start, count) = self.caller, self.page()
        projection = self.projection(caller.user_type)
        rows: QuerySet[User] = User.objects.visible().filter(provider=caller.provider)
        if (text := self.parameters().get("filter")) is not None:
            rows = queries.matching_users(filters.parse(text, caller.user_type), rows)
        page, total = queries.user_page(rows, start, count)
        return Response(messages.list_response(self.resources(page, projection), total, start))

    def post(self, request: Request) -> Response:
        caller = self.caller
        self.projection(caller.user_type)  # a wrong one is refused before anything is written
        document = documents.read(self.body(), caller.user_type)
        user = users.create(
            document.resource,
            provider=caller.provider,
            type=caller.user_type,
            actor=caller.actor,
        )
        remark(self, user, document.ignored)
        return self.respond(user, status=201)


class UserItem(UserView):
    """/Users/{id}"""

    def get(self, request: Request, user_id: str) -> Response:
        rows = User.objects.visible().filter(provider=self.caller.provider)
        user = rows.filter(pk=self.found(user_id)).first()
        if user is None:
            raise NotFound
        if self.unchanged(user):
            return Response(status=304, headers={"ETag": etag(user)})
        return self.respond(user)

    def put(self, request: Request, user_id: str) -> Response:
        document = documents.read(self.body(), self.caller.user_type)
        edit = users.Edit(partial(documents.replace, document), document.names)
        return self.change(user_id, edit, document.ignored)

    def patch(self, request: Request, user_id: str) -> Response:
        changes = patch.parse(self.body(), self.caller.user_type)
        edit = users.Edit(partial(patch.apply, changes), changes.names)
        return self.change(user_id, edit, changes.ignored)

    def change(self, user_id: str, edit: users.Edit, ignored: tuple[str, ...]) -> Response:
        """Carry out a PUT or a PATCH."""
        caller = self.caller
        self.projection(caller.user_type)
        changed = users.change(
            self.found(user_id),
            edit,
            provider=caller.provider,
            type=caller.user_type,
            actor=caller.actor,
            version=self.condition(),
        )
        remark(self, changed.user, ignored, changed.remarks)
        return self.respond(changed.user)

    def delete(self, request: Request, user_id: str) -> Response:
        caller = self.caller
        users.delete(
            self.found(user_id),
            provider=caller.provider,
            actor=caller.actor,
            version=self.condition(),
        )
        return Response(status=204)
