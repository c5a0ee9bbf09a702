"""An entry of the log: what a request leaves behind, cheaply, and the row it becomes later.

The request pays for an entry only: a few references. Reading, redacting and writing is the work
of the buffer's thread.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import orjson

from audit.actors import Origin
from provisioning.log import redaction
from provisioning.log.notes import Notes
from provisioning.models import Group, LoggedRequest, Provider, Token, User
from provisioning.models.fields import key_of

LONGEST_PATH = 4_096
LARGEST_KEPT = 16 * 1024  # characters of a redacted body
_COMPARED = re.compile(
    r"\b(?:userName|displayName|externalId|value|emails)\s+eq\s+\"([^\"]{1,256})\"", re.IGNORECASE
)


@dataclass(slots=True)
class Entry:
    """A request, or one operation of a Bulk, before it is a row."""

    at: datetime
    duration_us: int
    provider: Provider
    token: Token
    origin: Origin
    method: str
    path: str
    status: int
    notes: Notes
    reason: str = ""
    scim_type: str = ""
    detail: str = ""
    results: int | None = None
    part_of: UUID | None = None
    is_sample: bool = False
    keeps_bodies: bool = False
    request: Any = field(default=b"", repr=False)
    request_size: int = 0
    reply: Any = field(default=b"", repr=False)
    reply_size: int = 0

    @property
    def weight(self) -> int:
        """The bytes that the entry holds in memory, roughly."""
        held = (self.request, self.request_size), (self.reply, self.reply_size)
        return 2_000 + len(self.path) + sum(size for body, size in held if body)


def rows(entries: Iterable[Entry]) -> tuple[list[LoggedRequest], int]:
    """Return the rows of some entries, and how many could not be made."""
    found: list[LoggedRequest] = []
    failed = 0
    for entry in entries:
        try:
            found.append(row(entry))
        except Exception:  # one odd request must not cost the others
            failed += 1
    return found, failed


def row(entry: Entry) -> LoggedRequest:
    """Return the row of an entry, redacted."""
    notes = entry.notes
    path = redaction.path(entry.path)
    sent = redaction.read(entry.request) if entry.keeps_bodies else None
    told = redaction.read(entry.reply) if entry.keeps_bodies else None
    detail = redaction.scrubbed(entry.detail)
    if redaction.names_secret(entry.path) or redaction.names_secret(detail):
        detail = redaction.quotes_masked(detail)
        if isinstance(told, dict) and "detail" in told:
            told = told | {"detail": detail}
    name = redaction.scrubbed(notes.name or _name_in(sent) or _name_asked(path))[:256]
    type = notes.type.name if notes.type else ""
    return LoggedRequest(
        id=notes.id,
        at=entry.at,
        provider_id=entry.provider.pk,
        provider_kind=entry.provider.kind,
        provider_label=entry.provider.label,
        token_id=entry.token.pk,
        token_hint=entry.token.hint,
        method=entry.method[:8],
        path=path[:LONGEST_PATH],
        resource_type=type,
        resource_id=_identifier(notes.resource_id),
        name=name,
        name_key=key_of(name)[:1024],
        status=entry.status,
        is_refusal=entry.status >= 400,
        scim_type=entry.scim_type[:32],
        reason=entry.reason[:40],
        detail=detail,
        duration_us=entry.duration_us,
        request_id=redaction.scrubbed(entry.origin.request_id),
        ip_address=entry.origin.ip_address,
        user_agent=redaction.scrubbed(entry.origin.user_agent)[:255],
        ignored=[redaction.scrubbed(each) for each in notes.ignored],
        remarks=_remarks(notes.remarks),
        results=entry.results,
        part_of=entry.part_of,
        is_sample=entry.is_sample,
        request_size=entry.request_size,
        reply_size=entry.reply_size,
        request_body=_text(redaction.request(sent, entry.method, notes.type)),
        reply_body=_text(redaction.reply(told)),
    )


def fill_names(found: list[LoggedRequest]) -> None:
    """Name the resources that are known by their id alone, such as that of a refused PATCH."""
    for model, type in ((User, "User"), (Group, "Group")):
        nameless = [r for r in found if r.resource_id and not r.name and r.resource_type == type]
        if not nameless:
            continue
        column = "user_name" if model is User else "display_name"
        ids = [r.resource_id for r in nameless if r.resource_id]
        names = {
            (pk, provider): name
            for pk, provider, name in model._default_manager.filter(pk__in=ids).values_list(
                "pk", "provider_id", column
            )
        }
        for each in nameless:
            each.name = names.get((each.resource_id, each.provider_id), "")
            each.name_key = key_of(each.name)


def _text(body: Any) -> str:
    if body is None:
        return ""
    text = redaction.scrubbed(orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS).decode())
    return text if len(text) <= LARGEST_KEPT else ""


def _remarks(remarks: tuple[dict[str, str], ...]) -> list[dict[str, str]]:
    return [{k: redaction.scrubbed(str(v))[:512] for k, v in each.items()} for each in remarks[:20]]


def _name_in(body: Any) -> str:
    """Return the name that a body gives, whichever type it is of."""
    if not isinstance(body, dict):
        return ""
    given = {key.lower(): value for key, value in body.items()}
    name = given.get("username") or given.get("displayname")
    return name if isinstance(name, str) else ""


def _name_asked(path: str) -> str:
    """Return the text that a query compares: whom the IdP looked for."""
    query = urlsplit(path).query
    if "filter" not in query.lower():
        return ""
    for name, values in parse_qs(query).items():
        if name.lower() == "filter" and (match := _COMPARED.search(values[0])):
            return match[1]
    return ""


def _identifier(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
