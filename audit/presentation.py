"""An event in the words of an auditor: labels for what the row keeps as keys and JSON."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from audit.evidence.verification import Kind
from audit.models import Event
from audit.moments import moment_text
from audit.types import BY_KEY, Category, EventType, Outcome

Text = str | Promise

TARGETS: dict[str, Text] = {
    "token": gettext_lazy("SCIM token"),
    "user": gettext_lazy("User"),
    "group": gettext_lazy("Group"),
    "attribute": gettext_lazy("Attribute"),
    "provider": gettext_lazy("Identity provider"),
    "account": gettext_lazy("Portal account"),
    "installation": gettext_lazy("Installation"),
    "service": gettext_lazy("SCIM service"),
    "trail": gettext_lazy("Audit trail"),
    "alert": gettext_lazy("Alert"),
    "job": gettext_lazy("Job"),
    "view": gettext_lazy("View"),
}
ACTORS: dict[str, Text] = {
    "administrator": gettext_lazy("Portal account"),
    "token": gettext_lazy("SCIM token"),
    "system": gettext_lazy("The system itself"),
    "anonymous": gettext_lazy("Nobody known"),
}
COMMAND_LINE = "cli:"  # how the id of somebody who called bin/manage begins
CATEGORIES = {category.key: category for category in Category}
OUTCOMES = {outcome.key: outcome for outcome in Outcome}
# What the operations tell of an event. A name that is missing here is shown as it stands.
NAMES: dict[str, Text] = {
    "addresses": gettext_lazy("Other addresses"),
    "alert": gettext_lazy("Alert"),
    "hours": gettext_lazy("Hours"),
    "percent": gettext_lazy("Per cent"),
    "active": pgettext_lazy("attribute", "active"),
    "asked_at": gettext_lazy("Asked for"),
    "attempts": gettext_lazy("Attempts"),
    "before": gettext_lazy("Older than"),
    "error": gettext_lazy("Error"),
    "filters": gettext_lazy("Filters"),
    "format": gettext_lazy("Format"),
    "rows": gettext_lazy("Rows"),
    "allow_rename": gettext_lazy("Allow renaming"),
    "displayName": gettext_lazy("Display name"),
    "emails": pgettext_lazy("attribute", "e-mails"),
    "events": gettext_lazy("Events"),
    "expires_at": gettext_lazy("Expires"),
    "externalId": gettext_lazy("External id"),
    "findings": gettext_lazy("Findings"),
    "groups": gettext_lazy("Groups"),
    "last_used_at": gettext_lazy("Last used"),
    "limit": gettext_lazy("Limit"),
    "members": gettext_lazy("Members"),
    "members_added": gettext_lazy("Members added"),
    "members_removed": gettext_lazy("Members removed"),
    "minute": gettext_lazy("Minute"),
    "month": gettext_lazy("Month"),
    "name": pgettext_lazy("column", "Name"),
    "query": gettext_lazy("What it shows"),
    "name.familyName": gettext_lazy("Family name"),
    "name.formatted": gettext_lazy("Full name"),
    "name.givenName": gettext_lazy("Given name"),
    "network": gettext_lazy("Network"),
    "old_token_ends_at": gettext_lazy("The old secret ends"),
    "overlap_hours": gettext_lazy("Overlap, in hours"),
    "path": gettext_lazy("Address of the page"),
    "method": gettext_lazy("Method"),
    "permission": gettext_lazy("Permission"),
    "provider": gettext_lazy("Identity provider"),
    "reason": gettext_lazy("Reason"),
    "remarks": gettext_lazy("Remarks"),
    "requests": gettext_lazy("Requests"),
    "role": gettext_lazy("Role"),
    "scope": gettext_lazy("Scope"),
    "seals": gettext_lazy("Seals, the first and the last"),
    "sha256": gettext_lazy("SHA-256"),
    "token": gettext_lazy("Token"),
    "tokens": gettext_lazy("Tokens"),
    "type": gettext_lazy("Type"),
    "urn": gettext_lazy("Full name in SCIM"),
    "userName": gettext_lazy("User name"),
    "users": gettext_lazy("Users who carried a value"),
    "value_type": gettext_lazy("Type of its values"),
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": gettext_lazy(
        "Department"
    ),
}
# What a detail can say, where that is one of a few words; any other value is shown as it stands.
VALUES: dict[str, dict[str, Text]] = {
    "reason": {
        "credentials": gettext_lazy("Wrong name or password"),
        "locked": gettext_lazy("Too many failed attempts"),
        "many_names": gettext_lazy("Too many names from one address"),
        "many_addresses": gettext_lazy("Too many failed attempts from many addresses"),
    },
    "alert": {
        "silent": gettext_lazy("The identity provider has stopped calling"),
        "errors": gettext_lazy("Many requests are refused"),
        "late_seal": gettext_lazy("Events wait for their seal"),
        "trail_broken": gettext_lazy("The audit trail was altered"),
    },
    "role": {
        "administrator": gettext_lazy("System administrator"),
        "auditor": gettext_lazy("Read-only auditor"),
    },
    "scope": {
        "installation": gettext_lazy("The whole installation"),
        "provider": gettext_lazy("Each identity provider"),
    },
    "value_type": {
        "string": gettext_lazy("Text"),
        "boolean": gettext_lazy("Yes or no"),
        "integer": gettext_lazy("Whole number"),
        "decimal": gettext_lazy("Decimal number"),
        "dateTime": gettext_lazy("Date and time"),
    },
}
# What the absence of a value means, where it is more than «empty».
ABSENT: dict[str, Text] = {
    "expires_at": gettext_lazy("Never"),
    "last_used_at": gettext_lazy("Never used"),
}
# For the reconciliation and the verification; people read the names and numbers beside them.
UNSHOWN = {"carried", "group_ids", "parts"}
EMAIL_TYPES: dict[str, Text] = {
    "work": pgettext_lazy("e-mail", "work"),
    "home": pgettext_lazy("e-mail", "home"),
    "other": pgettext_lazy("e-mail", "other"),
}
# What an operation remarked, by its code; `value` is what the remark is about.
REMARKS: dict[str, Text] = {
    "rename_ignored": gettext_lazy(
        "The user name was not changed to “%(value)s”: the user is being deactivated"
    ),
    "name_regained": gettext_lazy("The user name finds this user again"),
    "name_held": gettext_lazy("Another user has the name now: it was not given back"),
}
FINDINGS = {kind.key: kind.label for kind in Kind}
TONES = {
    "created": "good",
    "activated": "good",
    "restored": "good",
    "renewed": "warn",
    "deactivated": "warn",
    "expired": "warn",
    "removed": "bad",
    "deleted": "bad",
    "erased": "bad",
    "updated": "info",
    "transferred": "info",
    "members_changed": "info",
    "broken": "bad",
    "trimmed": "warn",
    "raised": "warn",
    "ended": "good",
    "retried": "info",
    "discarded": "warn",
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
PAGES = {"user": "portal:user", "group": "portal:group"}
GONE = {EventType.USER_ERASED.key, EventType.GROUP_DELETED.key}


@dataclass(frozen=True, slots=True)
class Detail:
    """A labelled value; `name` is its technical name where the label is another."""

    label: Text
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """An attribute with its values before and after."""

    label: Text
    name: str
    before: str
    after: str


class Shown:
    """An event as the page tells it. Types that this release does not know keep their key."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.type = BY_KEY.get(event.type)
        self.activity: Text = self.type.label if self.type else event.type
        self.explanation: Text = self.type.explanation if self.type else ""
        self.target: Text = TARGETS.get(event.target_kind, event.target_kind)
        self.actor: Text = ACTORS.get(event.actor_kind, event.actor_kind)
        if event.actor_id.startswith(COMMAND_LINE):
            self.actor = _("Command line")
        category, outcome = CATEGORIES.get(event.category), OUTCOMES.get(event.outcome)
        self.category: Text = category.label if category else event.category
        self.outcome: Text = outcome.label if outcome else event.outcome

    @property
    def tone(self) -> str:
        """The colour of the activity's badge; its words say the same."""
        if not self.event.succeeded:
            return "bad"
        return TONES.get(self.event.type.rpartition(".")[2], "")

    @property
    def outcome_tone(self) -> str:
        """The colour of the status."""
        return "good" if self.event.succeeded else "bad"

    @property
    def target_url(self) -> str:
        """The page of what the event is about, while that exists."""
        page = PAGES.get(self.event.target_kind)
        if page is None or self.event.type in GONE:
            return ""
        try:
            return reverse(page, args=[self.event.target_id])
        except NoReverseMatch:
            return ""

    @property
    def performed_by(self) -> tuple[str, Text]:
        """Who did it, in a line, and in another what that is: a token's tail, a kind of actor."""
        label = self.event.actor_label
        match self.event.actor_kind:
            case "administrator":
                return label, ""
            case "token" if " · " in label:
                provider, _dot, token = label.rpartition(" · ")
                return provider, token
        return label, self.actor

    @property
    def token(self) -> str:
        """The masked token of the event, when it is about one."""
        token = self.event.details.get("token") if isinstance(self.event.details, dict) else None
        return token if isinstance(token, str) else ""

    @property
    def gist(self) -> str:
        """What the closed row says beside the IdP: a token, else what changed, else an address."""
        if self.token:
            return ""
        if names := [str(change.label) for change in self.changes]:
            if len(names) <= 2:
                return ", ".join(names)
            return ngettext("%(count)d change", "%(count)d changes", len(names)) % {
                "count": len(names)
            }
        return "" if self.event.provider_label else self.event.ip_address or ""

    @cached_property
    def changes(self) -> list[Change]:
        """Every attribute that changed."""
        if not isinstance(self.event.changes, dict):
            return []
        return [
            Change(label_of(name), name, told(pair[0], name), told(pair[1], name))
            for name, pair in self.event.changes.items()
            if isinstance(pair, list) and len(pair) == 2
        ]

    @cached_property
    def details(self) -> list[Detail]:
        """Everything else that the operation told."""
        if not isinstance(self.event.details, dict):
            return []
        return [
            Detail(label_of(name), name, told(value, name))
            for name, value in self.event.details.items()
            if name not in UNSHOWN
        ]

    @property
    def as_json(self) -> str:
        """The whole event, to be copied."""
        event = self.event
        columns = {
            "id": event.pk,
            "performedAt": event.performed_at.isoformat(),
            "type": event.type,
            "category": event.category,
            "status": event.outcome,
            "actor": {"kind": event.actor_kind, "id": event.actor_id, "label": event.actor_label},
            "target": {
                "kind": event.target_kind, "id": event.target_id, "label": event.target_label,
            },
            "identityProvider": {
                "id": str(event.provider_id or ""),
                "kind": event.provider_kind,
                "label": event.provider_label,
            },
            "requestId": event.request_id,
            "ipAddress": event.ip_address,
            "userAgent": event.user_agent,
            "changes": event.changes,
            "details": event.details,
        }  # fmt: skip
        return json.dumps(columns, ensure_ascii=False, indent=2)


def label_of(name: str) -> Text:
    """Return what a person calls an attribute: of an extension's URN, its last part."""
    if name in NAMES:
        return capfirst(str(NAMES[name]))
    return name.rpartition(":")[2] if name.startswith("urn:") else name


def told(value: Any, name: str = "") -> str:
    """Return a value of the journal, kept under a name, as text."""
    match value:
        case None if name in ABSENT:
            return str(ABSENT[name])
        case None | "" | []:
            return _("(empty)")
        case dict() if not value:  # the pattern {} would match every dict
            return _("(empty)")
        case bool():
            return _("yes") if value else _("no")
        case str() if value in VALUES.get(name, ()):
            return str(VALUES[name][value])
        case str() if MOMENT.fullmatch(value):
            return _moment(value)
        case list():
            return ", ".join(told(item, name) for item in value)
        case {"remark": str(code)} if code in REMARKS:
            return str(REMARKS[code]) % {"value": value.get("value", "")}
        case {"kind": str(kind), "seal": int() | None} if kind in FINDINGS:
            return finding_told(value)
        case {"id": str(token), "slot": int(slot)}:
            return f"{token} → {slot}"
        case {"count": int(count), "names": list(names)}:
            return f"{count}: {', '.join(_some(names, count))}"
        case {"value": str(main), **rest}:
            words = (v for v in rest.values() if isinstance(v, str) and v != main)
            remarks = [str(EMAIL_TYPES.get(word, word)) for word in words]
            remarks += [_("primary")] if rest.get("primary") is True else []
            return f"{main} ({', '.join(remarks)})" if remarks else main
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def finding_told(finding: dict[str, Any]) -> str:
    """Return a finding of the verification as a sentence without its full stop."""
    label = FINDINGS.get(finding["kind"], finding["kind"])
    where = _("Seal %(number)d") % {"number": finding["seal"]} if finding["seal"] else ""
    text = f"{where}: {label}" if where else str(label)
    if ids := ", ".join(map(str, finding.get("events") or ())):
        more = ", …" if finding["count"] > len(finding["events"]) else ""
        text += " · " + _("event ids: %(ids)s") % {"ids": ids + more}
    return text


def _some(names: list[Any], count: int) -> Iterator[str]:
    yield from (str(name) for name in names)
    if count > len(names):
        yield "…"


def _moment(text: str) -> str:
    try:
        return moment_text(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return text
