"""What the pages of users and groups ask: filters, pages by key, capped counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet

from audit import keyset
from provisioning.models import Group, Membership, User

PAGE_SIZE = 50
MOST_COUNTED = 10_000
MOST_GROUPS_SHOWN = 200
BY_ID = keyset.ById()
BY_USER = keyset.ById("user_id")


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows there are, or that there are more than were counted."""

    number: int
    is_capped: bool


def counted(rows: QuerySet[User] | QuerySet[Group] | QuerySet[Membership]) -> Counted:
    """Count rows, up to a limit: an exact count of a large table holds the page up."""
    number = rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
    return Counted(min(number, MOST_COUNTED), is_capped=number > MOST_COUNTED)


def users(text: str = "", state: str = "", provider: UUID | None = None) -> QuerySet[User]:
    """Return the users that pass every filter; without a state, all that are not deleted."""
    found = User.objects.select_related("provider").defer("search", "custom")
    match state:
        case "active":
            found = found.filter(deleted_at=None, is_active=True)
        case "inactive":
            found = found.filter(deleted_at=None).exclude(is_active=True)
        case "deleted":
            found = found.filter(deleted_at__isnull=False)
        case "all":
            pass
        case _:
            found = found.visible()
    if provider:
        found = found.filter(provider=provider)
    return found.filter(search__has_words=text) if text else found


def groups(text: str = "", provider: UUID | None = None) -> QuerySet[Group]:
    """Return the groups that pass every filter."""
    found = Group.objects.select_related("provider").defer("search")
    if provider:
        found = found.filter(provider=provider)
    return found.filter(search__has_words=text) if text else found


def sizes(of: Iterable[Group]) -> dict[UUID, int]:
    """Return how many members each group has, in one query; a group without any is left out."""
    rows = Membership.objects.filter(group__in=list(of)).order_by().values("group")
    return dict(rows.annotate(count=Count("pk")).values_list("group", "count"))


def members(group: Group, text: str = "") -> QuerySet[Membership]:
    """Return the members of a group that a search finds."""
    found = Membership.objects.filter(group=group).select_related("user").defer("user__search")
    return found.filter(user__search__has_words=text) if text else found


def groups_of(user: User) -> list[Group]:
    """Return a user's groups by name, at most one more than are shown."""
    found = Group.objects.filter(memberships__user=user).defer("search")
    return list(found.order_by("display_name_key")[: MOST_GROUPS_SHOWN + 1])
