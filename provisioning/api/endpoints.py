"""What can be done with users and groups, whichever asks: a request, or one line of a Bulk."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django_scim.utils import get_group_adapter, get_user_adapter

from audit import direct
from provisioning import memberships, queries
from provisioning.adapters import base_location, group_elements, member_elements
from provisioning.api.authentication import Caller
from provisioning.comparisons import identifier
from provisioning.errors import NotFound
from provisioning.log.notes import Notes
from provisioning.models import Group, User
from provisioning.operations import groups, users
from provisioning.scim import documents, filters, patch
from provisioning.scim.members import MemberStep, ids
from provisioning.scim.projection import Projection
from provisioning.scim.schemas import ResourceType

Row = User | Group
Resource = dict[str, Any]
Condition = Callable[[int], bool] | None


class Endpoint(ABC):
    """One resource type as one IdP may use it. Every method raises ScimError, ProvisioningError."""

    name: ClassVar[str]
    model: ClassVar[type[User | Group]]
    # Entra ID and Okta both want a user back from PATCH, and 204 for a group.
    patch_answers: ClassVar[bool] = True

    def __init__(
        self, caller: Caller, notes: Notes | None = None, spent: patch.Spent | None = None
    ) -> None:
        """Serve one IdP; `spent` is what the PATCHes before it in a Bulk have used."""
        self.caller = caller
        self.notes = notes or Notes()
        self.spent = spent or patch.Spent()

    @property
    @abstractmethod
    def type(self) -> ResourceType:
        """The resource type in force."""

    @property
    @abstractmethod
    def scope(self) -> dict[str, Any]:
        """What the columns of every row that the IdP can see equal."""

    @property
    def rows(self) -> QuerySet[Any]:
        """The rows that the IdP can see."""
        return self.model._default_manager.filter(**self.scope)

    def equal(self, column: str, value: str, limit: int) -> list[Any]:
        """Return the first rows whose column equals a value: the look-up before each creation."""
        return direct.find(self.model, limit=limit, **(self.scope | {column: value}))

    @abstractmethod
    def matching(self, tree: filters.Filter) -> QuerySet[Any]:
        """Return the rows that meet a filter."""

    @abstractmethod
    def resources(
        self, rows: list[Any], projection: Projection, *, are_new: bool = False
    ) -> list[Resource]:
        """Return the resources of some rows; `are_new`: just created, in no group yet."""

    @abstractmethod
    def create(self, body: Any) -> Row:
        """Create a resource (POST)."""

    @abstractmethod
    def replace(self, resource_id: str, body: Any, version: Condition) -> Row:
        """Replace a resource (PUT)."""

    @abstractmethod
    def modify(self, resource_id: str, body: Any, version: Condition) -> Row:
        """Change a resource (PATCH)."""

    @abstractmethod
    def delete(self, resource_id: str, version: Condition) -> None:
        """Delete a resource."""

    def find(self, resource_id: str) -> Row:
        """Return the row of an id. Raises NotFound."""
        found: list[Any] = direct.find(self.model, **self.scope, id=self.found(resource_id))
        if not found:
            raise NotFound
        row: Row = found[0]
        self.notes.saw(row)
        return row

    def found(self, text: str) -> UUID:
        """Return the UUID of an id. Raises NotFound for any other text."""
        if (found := identifier(text)) is None:
            raise NotFound
        return found

    def location(self, row: Row) -> str:
        """Return the URL of a resource."""
        return f"{base_location()}/{self.name}/{row.pk}"

    def remark(
        self, row: Row, ignored: tuple[str, ...], remarks: tuple[users.Remark, ...] = ()
    ) -> None:
        """Note for the log what was changed and, by name only, what was asked and is not kept.

        The administrator reads there what can be unmapped in the IdP.
        """
        self.notes.saw(row)
        self.notes.skipped(ignored, remarks)


class Users(Endpoint):
    """/Users"""

    name = "Users"
    model = User

    @property
    def type(self) -> ResourceType:
        return self.caller.user_type

    @property
    def scope(self) -> dict[str, Any]:
        return {"provider": self.caller.provider.pk, "deleted_at": None}

    def matching(self, tree: filters.Filter) -> QuerySet[User]:
        return queries.matching_users(tree, self.rows)

    def resources(
        self, rows: list[User], projection: Projection, *, are_new: bool = False
    ) -> list[Resource]:
        adapter = get_user_adapter()
        resources = [adapter(row).to_dict() for row in rows]
        if rows and not are_new and projection.wants("groups"):
            groups_of = memberships.groups_of([row.pk for row in rows])
            for row, resource in zip(rows, resources, strict=True):
                if row.pk in groups_of:
                    resource["groups"] = group_elements(groups_of[row.pk])
        return [projection.apply(resource) for resource in resources]

    def create(self, body: Any) -> User:
        document = documents.read(body, self.type)
        user = users.create(
            document.resource,
            provider=self.caller.provider,
            type=self.type,
            actor=self.caller.actor,
        )
        self.remark(user, document.ignored)
        return user

    def replace(self, resource_id: str, body: Any, version: Condition) -> User:
        document = documents.read(body, self.type, replaces=True)
        edit = users.Edit(partial(documents.replace, document), document.names)
        return self._change(resource_id, edit, document.ignored, version)

    def modify(self, resource_id: str, body: Any, version: Condition) -> User:
        changes = patch.parse(body, self.type, self.spent)
        edit = users.Edit(partial(patch.apply, changes), changes.names)
        return self._change(resource_id, edit, changes.ignored, version)

    def _change(
        self, resource_id: str, edit: users.Edit, ignored: tuple[str, ...], version: Condition
    ) -> User:
        changed = users.change(
            self.found(resource_id),
            edit,
            provider=self.caller.provider,
            type=self.type,
            actor=self.caller.actor,
            version=version,
        )
        self.remark(changed.user, ignored, changed.remarks)
        return changed.user

    def delete(self, resource_id: str, version: Condition) -> None:
        user = users.delete(
            self.found(resource_id),
            provider=self.caller.provider,
            actor=self.caller.actor,
            version=version,
        )
        self.notes.saw(user)


class Groups(Endpoint):
    """/Groups"""

    name = "Groups"
    model = Group
    patch_answers = False

    @property
    def type(self) -> ResourceType:
        return self.caller.group_type

    @property
    def scope(self) -> dict[str, Any]:
        return {"provider": self.caller.provider.pk}

    def matching(self, tree: filters.Filter) -> QuerySet[Group]:
        return queries.matching_groups(tree, self.rows)

    def resources(
        self, rows: list[Group], projection: Projection, *, are_new: bool = False
    ) -> list[Resource]:
        adapter = get_group_adapter()
        resources = [adapter(row).to_dict() for row in rows]
        if rows and projection.wants("members"):
            members = memberships.members_of([row.pk for row in rows])
            for row, resource in zip(rows, resources, strict=True):
                if row.pk in members:
                    resource["members"] = member_elements(members[row.pk])
        return [projection.apply(resource) for resource in resources]

    def create(self, body: Any) -> Group:
        document = documents.read(body, self.type)
        members = ids(document.resource.get("members"))
        group = groups.create(
            document.resource, members, provider=self.caller.provider, actor=self.caller.actor
        )
        self.remark(group, document.ignored)
        return group

    def replace(self, resource_id: str, body: Any, version: Condition) -> Group:
        """Without `members` its members stay; `members: []` empties the group."""
        document = documents.read(body, self.type, replaces=True)
        steps: tuple[MemberStep, ...] = ()
        if "members" in document.names:
            steps = (MemberStep("replace", ids(document.resource.get("members"))),)
        delta = groups.Delta(partial(documents.replace, document), steps)
        return self._change(resource_id, delta, document.ignored, version)

    def modify(self, resource_id: str, body: Any, version: Condition) -> Group:
        changes = patch.parse(body, self.type, self.spent)
        delta = groups.Delta(partial(patch.apply, changes), changes.members)
        return self._change(resource_id, delta, changes.ignored, version)

    def _change(
        self, resource_id: str, delta: groups.Delta, ignored: tuple[str, ...], version: Condition
    ) -> Group:
        group = groups.change(
            self.found(resource_id),
            delta,
            provider=self.caller.provider,
            actor=self.caller.actor,
            version=version,
        )
        self.remark(group, ignored)
        return group

    def delete(self, resource_id: str, version: Condition) -> None:
        group = groups.delete(
            self.found(resource_id),
            provider=self.caller.provider,
            actor=self.caller.actor,
            version=version,
        )
        self.notes.saw(group)


ENDPOINTS: dict[str, type[Endpoint]] = {"Users": Users, "Groups": Groups}
