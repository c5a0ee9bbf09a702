"""A user's move from one identity provider to another."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import journal
from audit.actors import Actor
from audit.types import EventType
from provisioning.adapters import UserAdapter
from provisioning.errors import NotFound, SameProvider, UserNameTaken
from provisioning.models import Membership, Provider, User
from provisioning.models.fields import key_of
from provisioning.operations.changes import again_after_deadlock, broke
from provisioning.operations.users import leave_groups, locked_groups


class _JoinedMeanwhile(Exception):
    """The user came into a group before its row could be locked."""


@again_after_deadlock
def transfer(user_id: UUID, provider: Provider, *, actor: Actor) -> User:
    """Give a user to another IdP, which finds it by its name; the old one no longer sees it.

    It leaves its groups, and loses the externalId, because both were the old IdP's. Raises
    NotFound, SameProvider, UserNameTaken.
    """
    while True:
        try:
            with transaction.atomic():
                return _transfer(user_id, provider, actor=actor)
        except _JoinedMeanwhile:  # locking its group now could wait for one that waits for us
            continue
        except IntegrityError as error:
            if not broke(error, "user_name_key"):
                raise
            raise UserNameTaken from None


def _transfer(user_id: UUID, provider: Provider, *, actor: Actor) -> User:
    groups = locked_groups(user_id)
    user = _locked(user_id)
    if Membership.objects.filter(user=user).exclude(group__in=groups).exists():
        raise _JoinedMeanwhile
    old = user.provider
    if old == provider:
        raise SameProvider
    left = leave_groups(user, groups)
    changes: dict[str, list[Any]] = {"provider": [old.label, provider.label]}
    if user.external_id:
        changes["externalId"] = [user.external_id, None]
    user.provider, user.external_id = provider, ""
    user.user_name_key = key_of(user.user_name)  # the old IdP may have left a tombstone there
    searched = UserAdapter(user).refresh_search()
    user.version += 1
    user.updated_at = timezone.now()
    user.save(
        update_fields=[
            "provider", "external_id", "user_name_key", "version", "updated_at", *searched,
        ],
        force_update=True,
    )  # fmt: skip
    journal.record(
        EventType.USER_TRANSFERRED,
        actor=actor,
        target=user,
        provider=provider.for_audit(),
        changes=changes,
        groups=left[:100],
        group_ids=[str(group.pk) for group in groups],
    )
    return user


def _locked(user_id: UUID) -> User:
    """Lock a user that is not deleted, whoever provisioned it.

    Its provider is read afterwards: of two transfers the second would else miss the row.
    """
    try:
        return User.objects.visible().select_for_update(no_key=True).get(pk=user_id)
    except User.DoesNotExist:
        raise NotFound from None
