"""What the events of one thing say of it, folded in their order: each kind has its story."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from audit.masking import MASK

LONGEST_INTEGER = 20  # digits and sign of a 64-bit number
Pairs = dict[str, Any]  # {attribute: [before, after], or the mask}


@dataclass(frozen=True, slots=True)
class Told:
    """The part of an event that a story needs."""

    id: int
    target: str
    label: str
    type: str
    changes: Pairs
    details: dict[str, Any]
    provider: str


@dataclass(slots=True)
class Story:
    """How things stand after the events read so far."""

    label: str = ""
    began: bool = False  # its first event was read: all of it is told
    exists: bool = False
    provider: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    # By which event each value came, for those that another thing's event takes away.
    since: dict[str, int] = field(default_factory=dict)

    def hear(self, event: Told) -> None:
        """Take an event in."""
        subject, _dot, what = event.type.partition(".")
        self.label = event.label
        match what:
            case "created":
                self.began = self.exists = True
                self.values.clear()
            case "removed" | "erased":
                self.exists = False
            case "deleted":
                self.exists = subject != "group"
        for name, pair in event.changes.items():
            self.values[name] = pair[1] if isinstance(pair, list) else MASK
            self.since[name] = event.id
        getattr(self, f"_hear_{subject}", self._hear_other)(what, event)

    def _hear_other(self, what: str, event: Told) -> None:
        """Nothing more than what changed."""

    def _hear_user(self, what: str, event: Told) -> None:
        if what == "transferred":
            del self.values["provider"]
        if what in ("created", "restored", "transferred"):
            self.provider = event.provider
        if what in ("created", "restored", "deleted"):
            self.values["deleted"] = what == "deleted"
        if what == "deleted":
            self.values["active"] = False

    def _hear_group(self, what: str, event: Told) -> None:
        if what == "created":
            self.provider = event.provider
        count = self.values.get("members", 0)
        for side, sign in (("members_added", 1), ("members_removed", -1)):
            if side in event.details:
                count += sign * event.details[side]["count"]
        self.values["members"] = count

    def _hear_token(self, what: str, event: Told) -> None:
        if what == "created":
            self.provider = event.provider
            self.values["active"] = True
            self.values["expires_at"] = event.details.get("expires_at")
        if what in ("created", "renewed"):
            self.values["token"] = event.details.get("token")

    def _hear_attribute(self, what: str, event: Told) -> None:
        self.values["type"] = event.details.get("value_type")

    def _hear_account(self, what: str, event: Told) -> None:
        if what == "created":
            self.values["role"] = event.details.get("role")
            self.values["name"] = event.label


def left_groups(event: Told, departures: Counter[str]) -> None:
    """Count the groups that a user left by being deleted or transferred."""
    if event.type in ("user.deleted", "user.transferred"):
        departures.update(event.details.get("group_ids", ()))


def differences(story: Story, kept: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return {attribute: (told, kept)} where the row is not what its events say.

    Of a thing whose first event is gone only what the later ones told is compared.
    """
    names = [*story.values, *(kept if story.began else ())]
    found = {}
    for name in dict.fromkeys(names):
        said, is_kept = story.values.get(name), kept.get(name)
        if said != is_kept and said != MASK and _plain(said) != _plain(is_kept):
            found[name] = (said, is_kept)
    return found


def _plain(value: Any) -> Any:
    """Return a value as JSON keeps it; no value and an empty one are the same."""
    if not value:
        return False if value is False else None
    return json.loads(json.dumps(value), parse_int=_number)


def _number(text: str) -> int | float:
    """Read a whole number; PostgreSQL's JSON holds a large decimal as one."""
    return int(text) if len(text) <= LONGEST_INTEGER else float(text)
