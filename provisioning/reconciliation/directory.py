"""The rows of the directory, as the stories of their events tell them."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count

from audit.models import Event
from provisioning.adapters import GroupAdapter, UserAdapter, flat
from provisioning.models import CustomAttribute, Group, Membership, Provider, Token, User
from provisioning.reconciliation.comparing import CHUNK, Kept, Result, compare
from provisioning.reconciliation.stories import Story

OnRows = Callable[[int], None]


def reconcile(
    result: Result, *, trimmed_until: datetime | None = None, on_rows: OnRows = lambda count: None
) -> None:
    """Compare users, groups, tokens, custom attributes and providers with their events."""
    removed = _removed_attributes()

    def without_removed(id: str, story: Story) -> None:
        for name, since in list(story.since.items()):
            if removed.get(name.lower(), 0) > since:
                story.values.pop(name, None)

    def stayed(id: str, story: Story) -> None:
        story.values["members"] = story.values.get("members", 0) - result.departures[id]

    for kind, rows, adjust in (
        ("user", _users(), without_removed),
        ("group", _groups(), stayed),  # after the users: their departures are known then
        ("token", _tokens(), None),
        ("attribute", _attributes(), None),
    ):
        compare(kind, rows, result, trimmed_until=trimmed_until, adjust=adjust, on_rows=on_rows)
    untouched = Story(began=True, exists=True, values={"allow_rename": False})
    compare("provider", _providers(), result, without_events=untouched)


def size() -> int:
    """Return about how many rows there are to compare."""
    return sum(model._default_manager.count() for model in (User, Group, Token, CustomAttribute))


def _removed_attributes() -> dict[str, int]:
    """Return the last event by which each custom attribute was removed, by its URN."""
    removals = Event.objects.filter(type="attribute.removed").order_by("id")
    return {
        str(details.get("urn", "")).lower(): id
        for id, details in removals.values_list("id", "details")
    }


def _users() -> Iterator[Kept]:
    for user in User.objects.order_by("pk").iterator(chunk_size=CHUNK):
        values = flat(UserAdapter(user).to_dict()) | {"deleted": user.is_deleted}
        yield Kept(str(user.pk), user.user_name, str(user.provider_id), user.created_at, values)


def _groups() -> Iterator[Kept]:
    counts: Counter[Any] = Counter(
        dict(Membership.objects.order_by().values_list("group_id").annotate(count=Count("id")))
    )
    for group in Group.objects.order_by("pk").iterator(chunk_size=CHUNK):
        values = flat(GroupAdapter(group).to_dict()) | {"members": counts[group.pk]}
        yield Kept(
            str(group.pk), group.display_name, str(group.provider_id), group.created_at, values
        )


def _tokens() -> Iterator[Kept]:
    """Removed tokens keep their row: to the trail they are gone."""
    for token in Token.objects.live().order_by("pk"):
        end = token.expires_at and token.expires_at.astimezone(UTC).isoformat(timespec="seconds")
        values = {"active": token.is_active, "token": token.masked, "expires_at": end}
        yield Kept(str(token.pk), token.name, str(token.provider_id), token.created_at, values)


def _attributes() -> Iterator[Kept]:
    for attribute in CustomAttribute.objects.order_by("pk"):
        values = {"type": attribute.type}
        yield Kept(str(attribute.pk), attribute.name, "", attribute.created_at, values)


def _providers() -> Iterator[Kept]:
    """They exist from the start, without an event; what was set on them has one."""
    began = datetime.min.replace(tzinfo=UTC)
    for provider in Provider.objects.order_by("pk"):
        values = {"allow_rename": provider.allow_rename}
        yield Kept(str(provider.pk), provider.label, "", began, values)
