"""Provisioned users: create, change, delete, restore, erase."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import direct, journal
from audit.actors import SYSTEM, Actor
from audit.types import EventType
from provisioning.adapters import Resource, UserAdapter
from provisioning.errors import (
    Immutable,
    InvalidValue,
    NotFound,
    PreconditionFailed,
    SchemaChanged,
    UserNameHeldElsewhere,
    UserNameTaken,
    WrongConfirmation,
)
from provisioning.models import Group, IndexedValue, Membership, Provider, User
from provisioning.models.attributes import hold_version, user_type
from provisioning.models.fields import LONGEST_KEY_BYTES, key_of
from provisioning.models.users import lock_revivable
from provisioning.operations.changes import again_after_deadlock, broke, differences
from provisioning.scim.quirks import buried_name
from provisioning.scim.schemas import ResourceType

# A tombstone must fit, too, and an id behind it: a leaver never stays active.
LONGEST_NAME_KEY = 1_024 - 64
MOST_ERASED = 10_000  # in one run
INDEXED = {"emails", "custom"}
Remark = dict[str, str]


@dataclass(frozen=True, slots=True)
class Edit:
    """What a request wants of a user: the new resource from the present one.

    `names` are the attributes that it names at all, changed or not: they tell a request that
    sets active=false, or gives a name back, from one that merely leaves things as they are.
    """

    apply: Callable[[Resource], Resource]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Changed:
    """A user after an operation, and the remarks that the provisioning log keeps."""

    user: User
    remarks: tuple[Remark, ...] = ()


@again_after_deadlock
def create(resource: Resource, *, provider: Provider, type: ResourceType, actor: Actor) -> User:
    """Create a user, or give a deleted one back to the IdP that had provisioned it.

    Revived only when IdP and externalId match (or both have none): an id is never given to
    another person. Raises UserNameTaken, InvalidValue.
    """
    try:
        with transaction.atomic():
            return _create(resource, provider=provider, type=type, actor=actor)
    except IntegrityError as error:
        if not broke(error, "user_name_key"):
            raise
        raise _taken(_holder(key_of(resource["userName"])), provider) from None


def _create(resource: Resource, *, provider: Provider, type: ResourceType, actor: Actor) -> User:
    _check_bytes(resource)
    key = _name_key(resource["userName"])
    user = lock_revivable(key, provider, resource.get("externalId") or "")
    revived = user is not None
    before = UserAdapter(user).to_dict() if user else {}
    user = user or User(provider=provider)
    user.user_name = resource["userName"]
    user.user_name_key = key
    adapter = UserAdapter(user)
    adapter.from_dict({"active": True} | resource)
    adapter.refresh_search()
    _hold_schema(user, provider, type)
    if revived:
        _bring_back(user)
        user.save(force_update=True)
        IndexedValue.objects.filter(user=user).delete()
    else:
        direct.insert(user)
    direct.insert(*adapter.indexed_values(type))
    journal.record(
        EventType.USER_RESTORED if revived else EventType.USER_CREATED,
        actor=actor,
        target=user,
        provider=provider.for_audit(),
        changes=differences(before, adapter.to_dict()),
    )
    return user


@again_after_deadlock
def change(
    user_id: UUID,
    edit: Edit,
    *,
    provider: Provider,
    type: ResourceType,
    actor: Actor,
    version: Callable[[int], bool] | None = None,
) -> Changed:
    """Lock a user, let `edit` compute its new resource, keep and record what changed.

    An edit that changes nothing writes nothing, so a repeated request is free. `version` is the
    precondition of If-Match. Raises NotFound, Immutable, UserNameTaken, PreconditionFailed.
    """
    for is_last in (False, True):
        try:
            with transaction.atomic():
                return _change(
                    user_id, edit, provider=provider, type=type, actor=actor, version=version
                )
        except IntegrityError as error:
            if is_last or not broke(error, "user_name_key"):
                raise
            # Another request took the name since it was looked up: now it is seen there.
    raise UserNameTaken


def _change(
    user_id: UUID,
    edit: Edit,
    *,
    provider: Provider,
    type: ResourceType,
    actor: Actor,
    version: Callable[[int], bool] | None,
) -> Changed:
    user = _locked(user_id, provider)
    if version is not None and not version(user.version):
        raise PreconditionFailed
    adapter = UserAdapter(user)
    before = adapter.to_dict()
    after = edit.apply(before)
    _check_bytes(after)
    display_name = user.display_name
    columns = adapter.from_dict(after)
    name_columns, remarks = _rename(user, after["userName"], edit.names, provider)
    columns += name_columns
    if not columns:
        return Changed(user, remarks)
    columns += adapter.refresh_search()
    if INDEXED & set(columns):
        _hold_schema(user, provider, type)
    user.version += 1
    user.updated_at = timezone.now()
    direct.update(user, [*columns, "version", "updated_at"])
    if INDEXED & set(columns):
        IndexedValue.objects.filter(user=user).delete()
        direct.insert(*adapter.indexed_values(type))
    if user.display_name != display_name:
        Membership.objects.filter(user=user).update(display=user.display_name)
    changes = differences(before, adapter.to_dict())
    event = EventType.USER_UPDATED
    if "active" in changes:
        event = EventType.USER_ACTIVATED if user.is_active else EventType.USER_DEACTIVATED
    details: dict[str, Any] = {"remarks": list(remarks)} if remarks else {}
    journal.record(
        event,
        actor=actor,
        target=user,
        provider=provider.for_audit(),
        changes=changes,
        **details,
    )
    return Changed(user, remarks)


def _rename(
    user: User, wanted: str, names: frozenset[str], provider: Provider
) -> tuple[list[str], tuple[Remark, ...]]:
    """Apply the rules of userName; return the columns that change and remarks.

    A name never changes, except where the provider's setting allows it. A request that also ends
    in not being active is carried out whatever it says of the name, because a leaver must never
    stay active; Entra's tombstone then takes the look-up key, so that a newcomer of the old name is
    a new user. Naming the shown name later takes the key back. Raises Immutable, UserNameTaken.
    """
    key, shown_key = key_of(wanted), key_of(user.user_name)
    leaves = "active" in names and not user.is_active
    if key == user.user_name_key or "userName" not in names:
        return [], ()
    if key == shown_key:
        if (holder := _holder(key)) is None:
            user.user_name_key = key
            return ["user_name_key"], ({"remark": "name_regained"},)
        if leaves:
            return [], ({"remark": "name_held"},)
        raise _taken(holder, provider)
    if leaves:
        remark = {"remark": "rename_ignored", "value": wanted}
        return (_bury(user, key) if buried_name(key) == shown_key else []), (remark,)
    if not provider.allow_rename:
        raise Immutable
    name_key = _name_key(wanted)
    if (holder := _holder(name_key)) is not None:
        raise _taken(holder, provider)
    user.user_name, user.user_name_key = wanted, name_key
    return ["user_name", "user_name_key"], ()


def _bury(user: User, tombstone: str) -> list[str]:
    """Give a leaver's look-up key to the tombstone; with its id, where an older one lies there."""
    holder = _holder(tombstone)
    key = tombstone if holder is None or holder.pk == user.pk else f"{tombstone}{user.pk.hex}"
    if key == user.user_name_key:
        return []
    user.user_name_key = key
    return ["user_name_key"]


@again_after_deadlock
@transaction.atomic
def delete(
    user_id: UUID,
    *,
    provider: Provider,
    actor: Actor,
    version: Callable[[int], bool] | None = None,
) -> User:
    """Hide a user from SCIM, free its name and take it out of its groups; the portal keeps it.

    Raises NotFound, PreconditionFailed.
    """
    # Groups before users, as groups.change() locks them: no two wait for each other.
    groups = locked_groups(user_id)
    user = _locked(user_id, provider)
    if version is not None and not version(user.version):
        raise PreconditionFailed
    was_active, names = user.is_active, leave_groups(user, groups)
    user.deleted_at = user.updated_at = timezone.now()
    user.deleted_name_key = key_of(user.user_name)
    user.user_name_key = None
    user.is_active = False
    user.version += 1
    direct.update(
        user,
        ("deleted_at", "updated_at", "deleted_name_key", "user_name_key", "is_active", "version"),
    )
    journal.record(
        EventType.USER_DELETED,
        actor=actor,
        target=user,
        provider=provider.for_audit(),
        changes={"active": [True, False]} if was_active else {},
        groups=names[:100],
        group_ids=[str(group.pk) for group in groups],
    )
    return user


@transaction.atomic
def restore(user_id: UUID, *, actor: Actor) -> User:
    """Give a deleted user back to its IdP, inactive until the IdP or its next cycle says more.

    Groups are not restored. Raises NotFound, UserNameTaken.
    """
    user = _locked_deleted(user_id)
    user.user_name_key = user.deleted_name_key
    _bring_back(user)
    try:
        with transaction.atomic():
            user.save(force_update=True)
    except IntegrityError as error:
        if not broke(error, "user_name_key"):
            raise
        raise _taken(_holder(str(user.user_name_key)), user.provider) from None
    journal.record(
        EventType.USER_RESTORED, actor=actor, target=user, provider=user.provider.for_audit()
    )
    return user


@transaction.atomic
def erase(user_id: UUID, *, actor: Actor, confirmation: str) -> None:
    """Delete a deleted user's row for good. `confirmation` is the user name.

    Raises NotFound, WrongConfirmation.
    """
    user = _locked_deleted(user_id)
    if confirmation.strip() != user.user_name:
        raise WrongConfirmation
    _erase(user, actor)


def erase_old(days: int | None = None, most: int = MOST_ERASED) -> int:
    """Erase users deleted longer ago than ERASE_DELETED_AFTER_DAYS, each by itself; 0 is never."""
    days = settings.ERASE_DELETED_AFTER_DAYS if days is None else days
    if not days:
        return 0
    end = timezone.now() - timedelta(days=days)
    old = User.objects.filter(deleted_at__lt=end).order_by("deleted_at")
    erased = 0
    for user_id in list(old.values_list("pk", flat=True)[:most]):
        with transaction.atomic(), suppress(NotFound):  # restored or erased meanwhile
            user = _locked_deleted(user_id)
            if user.deleted_at and user.deleted_at < end:
                _erase(user, SYSTEM)
                erased += 1
    return erased


def _erase(user: User, actor: Actor) -> None:
    journal.record(
        EventType.USER_ERASED, actor=actor, target=user, provider=user.provider.for_audit()
    )
    user.delete()


def _bring_back(user: User) -> None:
    user.deleted_at = user.deleted_name_key = None
    user.version += 1
    user.updated_at = timezone.now()


def _locked(user_id: UUID, provider: Provider) -> User:
    """Lock a user of a provider; another IdP's id is simply absent.

    NO KEY: a membership being inserted beside it need not wait.
    """
    found = direct.find(User, id=user_id, provider=provider.pk, deleted_at=None, lock=True)
    if not found:
        raise NotFound
    return found[0]


def _locked_deleted(user_id: UUID) -> User:
    try:
        return (
            User.objects.select_for_update(of=("self",))
            .select_related("provider")
            .get(pk=user_id, deleted_at__isnull=False)
        )
    except User.DoesNotExist:
        raise NotFound from None


def locked_groups(user_id: UUID) -> list[Group]:
    """Lock the groups of a user in the order of their ids."""
    groups = Group.objects.filter(memberships__user_id=user_id)
    return list(groups.order_by("pk").select_for_update(of=("self",)))


def _hold_schema(user: User, provider: Provider, type: ResourceType) -> None:
    """Keep the custom attributes as they were when the request was read. Raises SchemaChanged."""
    if not user.custom:
        return
    if user_type(hold_version(), rename=provider.allow_rename, kind=provider.kind) is not type:
        raise SchemaChanged


def leave_groups(user: User, groups: list[Group]) -> list[str]:
    """Take a user out of its groups, which are locked; return their names."""
    Membership.objects.filter(user=user).delete()
    Group.objects.filter(pk__in=[group.pk for group in groups]).update(
        version=F("version") + 1, updated_at=timezone.now()
    )
    return [group.display_name for group in groups]


def _check_bytes(resource: Resource) -> None:
    """Refuse an externalId that no index could hold."""
    if len((resource.get("externalId") or "").encode()) > LONGEST_KEY_BYTES:
        raise InvalidValue(_("externalId is too long: at most 2,000 bytes are allowed."))


def _name_key(user_name: str) -> str:
    """Return the key of a name. Raises InvalidValue when NFKC makes it longer than the column."""
    key = key_of(user_name)
    if len(key) > LONGEST_NAME_KEY:
        raise InvalidValue(_("userName is too long once its letters are spelt out (NFKC)."))
    return key


def _holder(key: str) -> User | None:
    """Return who has a look-up key. The unique constraint decides; this says whom to name."""
    return User.objects.filter(user_name_key=key).only("pk", "provider_id").first()


def _taken(holder: User | None, provider: Provider) -> UserNameTaken:
    """Say who holds a name, and the way out when it is another IdP's user."""
    if holder and holder.provider_id != provider.pk:
        return UserNameHeldElsewhere()
    return UserNameTaken()
