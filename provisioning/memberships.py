"""Who is in which group, for many groups or users at once."""

from uuid import UUID

from provisioning.models import Membership
from provisioning.scim.errors import too_many

MOST_MEMBERS = 100_000  # of several groups in one answer: 16 MB, and five times that to make it


def groups_of(user_ids: list[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Return {user id: [(group id, display name)]} with one query."""
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    rows = Membership.objects.filter(user_id__in=user_ids).order_by("id")
    for user_id, group_id, name in rows.values_list("user_id", "group_id", "group__display_name"):
        found.setdefault(user_id, []).append((group_id, name))
    return found


def members_of(group_ids: list[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Return {group id: [(user id, display)]} with one query.

    Raises ScimError tooMany past a number of members, but for one group alone.
    """
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    rows = Membership.objects.filter(group_id__in=group_ids).order_by("id")
    listed = rows.values_list("group_id", "user_id", "display")
    if len(group_ids) > 1:
        listed = listed[: MOST_MEMBERS + 1]
    for number, (group_id, user_id, display) in enumerate(listed, start=1):
        if number > MOST_MEMBERS and len(group_ids) > 1:
            raise too_many(
                f"These groups have more than {MOST_MEMBERS:,} members: ask for fewer groups with "
                "count, or leave the members out with excludedAttributes=members."
            )
        found.setdefault(group_id, []).append((user_id, display))
    return found
