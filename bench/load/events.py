"""Rows of the audit trail as the operations write them: made from a seed, in order of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import accumulate
from random import Random
from typing import Any

import orjson

from audit.types import EventType, Outcome
from bench.load.calendar import Calendar
from bench.load.cast import Caller, Cast, Subject, subject
from bench.load.company import SITES
from portal.simulator.people import DEPARTMENTS, FAMILY
from provisioning.models.attributes import CUSTOM_SCHEMA
from provisioning.scim.schemas import ENTERPRISE

COLUMNS = (
    "id", "performed_at", "transaction_id", "type", "category", "outcome", "actor_kind",
    "actor_id", "actor_label", "target_kind", "target_id", "target_label", "provider_id",
    "provider_kind", "provider_label", "request_id", "ip_address", "user_agent", "changes",
    "details", "search",
)  # fmt: skip
Row = tuple[Any, ...]
Happening = tuple[EventType, Caller, Subject, dict[str, Any], dict[str, Any]]
DEPARTMENT = f"{ENTERPRISE}:department"
COST_CENTER, SITE = f"{CUSTOM_SCHEMA}:costCenter", f"{CUSTOM_SCHEMA}:site"
FAILURES = {EventType.AUTHENTICATION_FAILED, EventType.SIGN_IN_FAILED, EventType.ROLE_REFUSED}
FIRST_TRANSACTION = 3  # the first normal one of a cluster


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make: so many events of so many months that end at a moment, about whom.

    `first_id` is the first event's id; `transactions` how many ids of transactions they share.
    """

    events: int
    until: datetime
    months: int = 24
    users: int = 100_000
    groups: int = 1_000
    seed: int = 1
    first_id: int = 1
    transactions: int = 1


class Trail:
    """The events of a plan, month by month: each month can be made apart from the others."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.calendar = Calendar(plan.events, plan.months, plan.until)
        # Everybody is created once, and takes a part of the events; the others need somebody.
        users = max(1, min(plan.users, plan.events // 20))
        groups = max(1, min(plan.groups, plan.events // 200))
        start = datetime.combine(self.calendar.months[0], datetime.min.time(), UTC)
        self.cast = Cast(users, groups, int(start.timestamp() * 1000))
        self._kinds = [kind for kind, _ in MIX]
        self._weights = list(accumulate(weight for _, weight in MIX))

    def rows(self, month: date) -> Iterator[Row]:
        """Yield the rows of a month."""
        plan = self.plan
        rng = Random(f"{plan.seed}:{month}")
        encode = orjson.dumps
        for hour in self.calendar.hours(month):
            day, of_hour = f"{hour.start:%Y-%m-%d %H}", hour.end - hour.first
            for number in range(hour.first, hour.end):
                # Evenly, shifted by less than the distance: in order without sorting.
                micros = int((number - hour.first + rng.random()) * 3_600_000_000 / of_hour)
                seconds, micros = divmod(micros, 1_000_000)
                moment = f"{day}:{seconds // 60:02}:{seconds % 60:02}.{micros:06}+00"
                type, who, target, changes, details = self._happening(number, rng)
                by_request = who.kind != "system" and type is not EventType.AUTHENTICATION_FAILED
                request_id = f"{rng.getrandbits(128):032x}" if by_request else ""
                idp = who.idp
                yield (
                    plan.first_id + number,
                    moment,
                    FIRST_TRANSACTION + number * plan.transactions // plan.events,
                    type.key,
                    type.category.key,
                    (Outcome.FAILURE if type in FAILURES else Outcome.SUCCESS).key,
                    who.kind,
                    who.id,
                    who.label,
                    target.kind,
                    target.id,
                    target.label,
                    idp.id or None,
                    idp.kind,
                    idp.label,
                    request_id,
                    who.address,
                    who.agent,
                    encode(changes).decode() if changes else "{}",
                    encode(details).decode() if details else "{}",
                    f"{target.words}{who.words} {request_id}".rstrip(),
                )

    def _happening(self, number: int, rng: Random) -> Happening:
        """Return an event: a creation when one more exists after this event than before it."""
        users, groups = self._created(number, len(self.cast.users)), self._groups(number)
        if self._created(number + 1, len(self.cast.users)) > users:
            return user_created(self.cast, users)
        if self._groups(number + 1) > groups:
            return group_created(self.cast, groups)
        kind = rng.choices(self._kinds, cum_weights=self._weights)[0]
        # Some are busier than others.
        user = self.cast.users[int(users * rng.random() ** 1.3)]
        group = self.cast.groups[int(groups * rng.random() ** 3)]
        return kind(self.cast, rng, user, group)

    def _created(self, number: int, of: int) -> int:
        """Return how many of `of` exist before an event: most come with the first full sync."""
        done = number / self.plan.events
        return min(of, 1 + int((of - 1) * (0.6 * min(1.0, done / 0.02) + 0.4 * done)))

    def _groups(self, number: int) -> int:
        return self._created(max(0, number - 1), len(self.cast.groups))


def user_created(cast: Cast, number: int) -> Happening:
    """A user comes with all its attributes."""
    person, user = cast.people[number], cast.users[number]
    changes = {
        "externalId": [None, person.external_id],
        "userName": [None, person.user_name],
        "displayName": [None, person.display_name],
        "name.formatted": [None, person.display_name],
        "name.familyName": [None, person.family_name],
        "name.givenName": [None, person.given_name],
        "emails": [None, [{"type": "work", "value": person.user_name, "primary": True}]],
        "active": [None, True],
        DEPARTMENT: [None, person.department],
        COST_CENTER: [None, str(number % 90)],
        SITE: [None, person.site],
    }
    return EventType.USER_CREATED, _idp_of(cast, user), user, changes, {}


def group_created(cast: Cast, number: int) -> Happening:
    """A group comes, empty, as Entra ID makes it."""
    group = cast.groups[number]
    changes = {"displayName": [None, group.label], "externalId": [None, group.id]}
    return EventType.GROUP_CREATED, _idp_of(cast, group), group, changes, {}


def _idp_of(cast: Cast, target: Subject, rng: Random | None = None) -> Caller:
    callers = cast.callers[cast.idp_of(target.number)]
    return callers[int(len(callers) * (rng.random() if rng else 0.0))]


def user_updated(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    person, at = cast.people[user.number], rng.random()
    changes: dict[str, Any]
    if at < 0.35:
        changes = {DEPARTMENT: [person.department, rng.choice(DEPARTMENTS)]}
    elif at < 0.6:
        changes = {COST_CENTER: [str(user.number % 90), str(rng.randrange(90))]}
    elif at < 0.75:
        changes = {SITE: [person.site, rng.choice(SITES)]}
    elif at < 0.9:
        family = rng.choice(FAMILY)
        changes = {
            "displayName": [person.display_name, f"{person.given_name} {family}"],
            "name.familyName": [person.family_name, family],
        }
    else:
        mail = {"type": "work", "value": person.user_name, "primary": True}
        changes = {"emails": [[mail], [mail | {"value": f"x{at * 10**6:.0f}.{person.user_name}"}]]}
    return EventType.USER_UPDATED, _idp_of(cast, user, rng), user, changes, {}


def user_deactivated(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    caller = _idp_of(cast, user, rng)
    return EventType.USER_DEACTIVATED, caller, user, {"active": [True, False]}, {}


def user_activated(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    caller = _idp_of(cast, user, rng)
    return EventType.USER_ACTIVATED, caller, user, {"active": [False, True]}, {}


def user_deleted(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    caller = _idp_of(cast, user, rng)
    return EventType.USER_DELETED, caller, user, {}, {"groups": [group.label]}


def user_restored(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    return EventType.USER_RESTORED, _idp_of(cast, user, rng), user, {}, {}


def members_changed(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    count = 1 if rng.random() < 0.8 else rng.randrange(2, 20)
    first = max(0, user.number - count)
    names = [cast.people[n].display_name for n in range(first, first + count)]
    side = "members_added" if rng.random() < 0.6 else "members_removed"
    details = {side: {"count": count, "names": names}}
    return EventType.GROUP_MEMBERS_CHANGED, _idp_of(cast, group, rng), group, {}, details


def group_updated(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    changes = {"displayName": [f"{group.label} (antiguo)", group.label]}
    return EventType.GROUP_UPDATED, _idp_of(cast, group, rng), group, changes, {}


def refused(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    details = {"requests": rng.randrange(1, 60), "minute": "2026-01-01T00:00+00:00"}
    return EventType.AUTHENTICATION_FAILED, rng.choice(cast.strangers), SCIM, {}, details


def signed_in(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    who, account = rng.choice(cast.administrators)
    return EventType.SIGNED_IN, who, account, {}, {}


def signed_out(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    who, account = rng.choice(cast.administrators)
    return EventType.SIGNED_OUT, who, account, {}, {}


def sign_in_refused(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    _, account = rng.choice(cast.administrators)
    stranger = rng.choice(cast.strangers)
    return EventType.SIGN_IN_FAILED, stranger, account, {}, {"reason": "credentials"}


def role_refused(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    who, account = rng.choice(cast.administrators)
    details = {"method": "POST", "path": "/administracion/tokens/"}
    return EventType.ROLE_REFUSED, who, account, {}, details


def token_renewed(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    who, tokens = rng.choice(cast.keepers)
    token = rng.choice(tokens)
    old, new = (f"alta_scim_…{rng.getrandbits(16):04x}" for _ in range(2))
    details = {"token": new, "overlap_hours": 0, "old_token_ends_at": None}
    return EventType.TOKEN_RENEWED, who, token, {"token": [old, new]}, details


def log_trimmed(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    details = {"rows": rng.randrange(10**6), "before": "2026-01-01T00:00:00+00:00"}
    return EventType.LOG_TRIMMED, cast.system, LOG, {}, details


def log_exported(cast: Cast, rng: Random, user: Subject, group: Subject) -> Happening:
    who, _ = rng.choice(cast.administrators)
    details = {"format": "csv", "filters": ["idp: entra-id"]}
    return EventType.LOG_EXPORTED, who, LOG, {}, details


SCIM = subject("service", "scim", "SCIM")
LOG = subject("service", "provisioning-log", "Provisioning log")
# How often each comes, in a thousand; creations come beside these.
MIX = (
    (user_updated, 430),
    (members_changed, 290),
    (user_deactivated, 55),
    (user_activated, 45),
    (user_deleted, 15),
    (user_restored, 5),
    (group_updated, 25),
    (refused, 50),
    (signed_in, 40),
    (signed_out, 25),
    (sign_in_refused, 10),
    (role_refused, 2),
    (token_renewed, 1),
    (log_trimmed, 5),
    (log_exported, 2),
)
