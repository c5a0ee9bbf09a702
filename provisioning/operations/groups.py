"""Provisioned groups: create, change, delete. Membership changes are single rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import direct, journal
from audit.actors import Actor
from audit.types import EventType
from provisioning import queries
from provisioning.adapters import GroupAdapter, Resource
from provisioning.comparisons import identifier
from provisioning.errors import (
    GroupNameTaken,
    InvalidValue,
    NotFound,
    PreconditionFailed,
    UnknownMembers,
)
from provisioning.models import Group, Membership, Provider, User
from provisioning.models.fields import LONGEST_KEY_BYTES
from provisioning.operations.changes import again_after_deadlock, broke, differences
from provisioning.scim.members import MemberStep

LONGEST_NAME_KEY = 1_024
NAMED_MEMBERS = 100  # an event names so many members a side; it always counts them all
AT_ONCE = 1_000  # values in one statement


@dataclass(frozen=True, slots=True)
class Delta:
    """What a request wants of a group: its attributes edited, its members changed by steps."""

    apply: Callable[[Resource], Resource]
    members: tuple[MemberStep, ...] = ()


@dataclass(slots=True)
class _Moves:
    """Who came and who went, by id and label."""

    added: dict[UUID, str] = field(default_factory=dict)
    removed: dict[UUID, str] = field(default_factory=dict)

    def add(self, users: dict[UUID, str]) -> None:
        for user_id, label in users.items():
            if self.removed.pop(user_id, None) is None:
                self.added[user_id] = label

    def remove(self, users: dict[UUID, str]) -> None:
        for user_id, label in users.items():
            if self.added.pop(user_id, None) is None:
                self.removed[user_id] = label

    def told(self) -> dict[str, Any]:
        """Return what the event says: counts, and the first names of each side."""
        return {
            f"members_{side}": {"count": len(users), "names": list(users.values())[:NAMED_MEMBERS]}
            for side, users in (("added", self.added), ("removed", self.removed))
            if users
        }


@again_after_deadlock
def create(
    resource: Resource, members: tuple[str, ...], *, provider: Provider, actor: Actor
) -> Group:
    """Create a group with its members. Raises GroupNameTaken, UnknownMembers, InvalidValue."""
    try:
        with transaction.atomic():
            group = Group(provider=provider)
            _write(group, resource)
            direct.insert(group)
            moves = _Moves()
            _add(group, members, moves)
            journal.record(
                EventType.GROUP_CREATED,
                actor=actor,
                target=group,
                provider=provider.for_audit(),
                changes=differences({}, GroupAdapter(group).to_dict()),
                **moves.told(),
            )
            return group
    except IntegrityError as error:
        if not broke(error, "display_name_key"):
            raise
        raise GroupNameTaken from None


@again_after_deadlock
def change(
    group_id: UUID,
    delta: Delta,
    *,
    provider: Provider,
    actor: Actor,
    version: Callable[[int], bool] | None = None,
) -> Group:
    """Lock a group, write what differs, and record it as one event.

    The group's row is the lock under which its members change, so no change is lost; the cost
    follows the members that move, not those that stay. Raises NotFound, GroupNameTaken,
    UnknownMembers, PreconditionFailed.
    """
    try:
        with transaction.atomic():
            return _change(group_id, delta, provider=provider, actor=actor, version=version)
    except IntegrityError as error:
        if not broke(error, "display_name_key"):
            raise
        raise GroupNameTaken from None


def _change(
    group_id: UUID,
    delta: Delta,
    *,
    provider: Provider,
    actor: Actor,
    version: Callable[[int], bool] | None,
) -> Group:
    group = _locked(group_id, provider)
    if version is not None and not version(group.version):
        raise PreconditionFailed
    before = GroupAdapter(group).to_dict()
    columns = _write(group, delta.apply(before))
    moves = _Moves()
    for step in delta.members:
        _step(group, step, moves)
    if not columns and not moves.added and not moves.removed:
        return group
    group.version += 1
    group.updated_at = timezone.now()
    direct.update(group, [*columns, "version", "updated_at"])
    journal.record(
        EventType.GROUP_UPDATED if columns else EventType.GROUP_MEMBERS_CHANGED,
        actor=actor,
        target=group,
        provider=provider.for_audit(),
        changes=differences(before, GroupAdapter(group).to_dict()),
        **moves.told(),
    )
    return group


@again_after_deadlock
@transaction.atomic
def delete(
    group_id: UUID,
    *,
    provider: Provider,
    actor: Actor,
    version: Callable[[int], bool] | None = None,
) -> Group:
    """Delete a group, return it as it was. Its users stay.

    Raises NotFound, PreconditionFailed.
    """
    group = _locked(group_id, provider)
    if version is not None and not version(group.version):
        raise PreconditionFailed
    deleted = Group(pk=group.pk, display_name=group.display_name)
    members = group.memberships.count()
    journal.record(
        EventType.GROUP_DELETED,
        actor=actor,
        target=group,
        provider=provider.for_audit(),
        changes=differences(GroupAdapter(group).to_dict(), {}),
        members=members,
    )
    group.delete()
    return deleted


def _write(group: Group, resource: Resource) -> list[str]:
    if len((resource.get("externalId") or "").encode()) > LONGEST_KEY_BYTES:
        raise InvalidValue(_("externalId is too long: at most 2,000 bytes are allowed."))
    columns = GroupAdapter(group).from_dict(resource)
    if len(group.display_name_key) > LONGEST_NAME_KEY:
        raise InvalidValue(_("displayName is too long once its letters are spelt out (NFKC)."))
    return columns


def _locked(group_id: UUID, provider: Provider) -> Group:
    found = direct.find(Group, id=group_id, provider=provider.pk, lock=True)
    if not found:
        raise NotFound
    return found[0]


def _step(group: Group, step: MemberStep, moves: _Moves) -> None:
    match step.kind:
        case "add":
            _add(group, step.ids, moves)
        case "remove":
            known = [found for text in step.ids if (found := identifier(text))]
            for some in _chunks(known):
                _remove(group.memberships.filter(user_id__in=some), moves)
        case "remove_matching":
            assert step.filter is not None  # noqa: S101 — MemberStep says so
            _remove(queries.matching_members(step.filter, group.memberships.all()), moves)
        case "replace":
            _replace(group, step.ids, moves)


def _replace(group: Group, texts: tuple[str, ...], moves: _Moves) -> None:
    """Leave exactly the members named: read the ids, write only what changes."""
    present = set(group.memberships.values_list("user_id", flat=True))
    wanted = {identifier(text): text for text in texts}
    leaving = [user_id for user_id in present if user_id not in wanted]
    _add(group, [text for user_id, text in wanted.items() if user_id not in present], moves)
    for some in _chunks(leaving):
        _remove(group.memberships.filter(user_id__in=some), moves)


def _add(group: Group, texts: Iterable[str], moves: _Moves) -> None:
    """Add users of the same IdP; who is a member already stays one. Raises UnknownMembers."""
    wanted = {text: identifier(text) for text in texts}
    unknown = [text for text, user_id in wanted.items() if user_id is None]
    for some in _chunks([user_id for user_id in wanted.values() if user_id]):
        # Locked in one order: a user being deleted beside this is gone, or is not yet.
        users = {
            user.pk: user
            for user in User.objects.visible()
            .filter(pk__in=some, provider_id=group.provider_id)
            .only("pk", "display_name", "user_name")
            .order_by("pk")
            .select_for_update(no_key=True)
        }
        unknown += [str(user_id) for user_id in some if user_id not in users]
        if unknown:
            break
        present = set(group.memberships.filter(user_id__in=some).values_list("user_id", flat=True))
        new = [users[user_id] for user_id in some if user_id not in present]
        direct.insert(
            *(Membership(group=group, user=user, display=user.display_name) for user in new)
        )
        moves.add({user.pk: user.label for user in new})
    if unknown:
        named = ", ".join(unknown[:10]) + ("…" if len(unknown) > 10 else "")
        raise UnknownMembers(
            _("These members are not users of this identity provider: %(ids)s")
            % {"ids": named[:500]}
        )


def _remove(memberships: QuerySet[Membership], moves: _Moves) -> None:
    members = memberships.values_list("user_id", "display", "user__user_name")
    leaving = {user_id: display or name for user_id, display, name in members}
    if leaving:
        memberships.delete()
        moves.remove(leaving)


def _chunks(ids: list[UUID]) -> Iterable[list[UUID]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
