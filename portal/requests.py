"""A logged request in words: what it wanted, how it ended, and how to ask it again."""

import json
import re
import shlex
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.presentation import REMARKS
from provisioning.log.explanations import Advice, advice_for
from provisioning.models import Group, LoggedRequest, User

Text = str | Promise
ACTIONS: dict[tuple[str, str], Text] = {
    ("POST", "User"): gettext_lazy("Create a user"),
    ("PUT", "User"): gettext_lazy("Replace a user"),
    ("PATCH", "User"): gettext_lazy("Change a user"),
    ("DELETE", "User"): gettext_lazy("Delete a user"),
    ("GET", "User"): gettext_lazy("Read a user"),
    ("SEARCH", "User"): gettext_lazy("Look for users"),
    ("LIST", "User"): gettext_lazy("List users"),
    ("POST", "Group"): gettext_lazy("Create a group"),
    ("PUT", "Group"): gettext_lazy("Replace a group"),
    ("PATCH", "Group"): gettext_lazy("Change a group"),
    ("DELETE", "Group"): gettext_lazy("Delete a group"),
    ("GET", "Group"): gettext_lazy("Read a group"),
    ("SEARCH", "Group"): gettext_lazy("Look for groups"),
    ("LIST", "Group"): gettext_lazy("List groups"),
}
OTHERS: dict[str, Text] = {
    "bulk": gettext_lazy("Several operations at once"),
    "serviceproviderconfig": gettext_lazy("Read the service's configuration"),
    "resourcetypes": gettext_lazy("Read the resource types"),
    "schemas": gettext_lazy("Read the schemas"),
    ".search": gettext_lazy("Look for users and groups"),
    "v2": gettext_lazy("Look for users and groups"),
}
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{4}([0-9a-f]{8})", re.IGNORECASE)
PAGES = {"User": ("portal:user", User), "Group": ("portal:group", Group)}


class Shown:
    """A request as the page tells it."""

    def __init__(self, request: LoggedRequest, has_page: bool = False) -> None:
        self.request = request
        self.has_page = has_page  # the user or group is still there

    @property
    def action(self) -> Text:
        """What the IdP wanted."""
        request = self.request
        place = urlsplit(request.path)
        last = place.path.rstrip("/").rpartition("/")[2].lower()
        method = {"HEAD": "GET"}.get(request.method, request.method)
        if last == ".search" and request.resource_type:
            method = "SEARCH"
        elif method == "GET" and last in ("users", "groups"):
            method = "SEARCH" if "filter=" in place.query.lower() else "LIST"
        if found := ACTIONS.get((method, request.resource_type)):
            return found
        parent = place.path.rstrip("/").rpartition("/")[0].rpartition("/")[2].lower()
        if parent in ("schemas", "resourcetypes"):
            last = parent
        return OTHERS.get(last) or _("Something else")

    @property
    def clock(self) -> str:
        """The time of the day, to the second, in the viewer's zone."""
        return timezone.localtime(self.request.at).strftime("%H:%M:%S")

    @property
    def path(self) -> str:
        """The path as a person reads it: from the SCIM base on, of an id its end."""
        path = unquote(self.request.path.replace(settings.PUBLIC_URL, ""))
        return ID.sub(r"…\1", path.removeprefix("/scim/v2")) or "/"

    @property
    def tone(self) -> str:
        """The colour of the status; the number beside it says the same."""
        status = self.request.status
        return "bad" if status >= 500 else "warn" if status >= 400 else "good"

    @property
    def method_tone(self) -> str:
        """The colour of the method: what changes, what deletes, what only reads."""
        return {"DELETE": "bad", "GET": "", "HEAD": ""}.get(self.request.method, "info")

    @cached_property
    def advice(self) -> Advice | None:
        """What a refusal means and what to do."""
        return advice_for(self.request)

    @property
    def resource_url(self) -> str:
        """The page of the user or group, while it exists."""
        page, _model = PAGES.get(self.request.resource_type, ("", None))
        if not self.has_page or not page:
            return ""
        return reverse(page, args=[self.request.resource_id])

    @property
    def remarks(self) -> list[str]:
        """What Alta did otherwise than it was asked."""
        return [
            str(REMARKS.get(each.get("remark", ""), each.get("remark", "")))
            % {"value": each.get("value", "")}
            for each in self.request.remarks
            if isinstance(each, dict)
        ]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters of the address."""
        return parse_qsl(urlsplit(self.request.path).query, keep_blank_values=True)

    @property
    def request_body(self) -> str:
        """What was sent, over several lines."""
        return _pretty(self.request.request_body)

    @property
    def reply_body(self) -> str:
        """What was answered, over several lines."""
        return _pretty(self.request.reply_body)

    @property
    def can_repeat(self) -> bool:
        """Whether all that was sent is known, but for what is masked."""
        return self.request.method in ("GET", "HEAD", "DELETE") or bool(self.request.request_body)

    @property
    def curl(self) -> str:
        """The request as a command line, its token left to the shell."""
        request = self.request
        path = request.path
        if not path.startswith(settings.PUBLIC_URL):
            path = f"{settings.PUBLIC_URL}{path}"
        lines = [f"curl -X {shlex.quote(request.method)} {shlex.quote(path)}"]
        lines.append('-H "Authorization: Bearer $SCIM_TOKEN"')
        if request.request_body:
            lines.append("-H 'Content-Type: application/scim+json'")
            lines.append(f"--data-raw {shlex.quote(_pretty(request.request_body))}")
        return " \\\n  ".join(lines)


def shown(requests: Iterable[LoggedRequest]) -> list[Shown]:
    """Return requests to be shown, knowing in two queries at most whose page still exists."""
    rows = list(requests)
    there: set[tuple[str, Any]] = set()
    for type, (_page, model) in PAGES.items():
        ids = {r.resource_id for r in rows if r.resource_type == type and r.resource_id}
        if ids:
            found = model._default_manager.filter(pk__in=list(ids)).values_list("pk", flat=True)
            there |= {(type, pk) for pk in found}
    return [Shown(row, (row.resource_type, row.resource_id) in there) for row in rows]


def _pretty(text: str) -> str:
    if not text:
        return ""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
