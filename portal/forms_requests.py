"""The filters of the provisioning log as they stand in the address."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.days import DayRange
from portal.forms_directory import SEARCH, GroupFilters
from provisioning.log.explanations import BY_TYPE
from provisioning.log.queries import Filters

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CLASSES: tuple[tuple[str, str | Promise], ...] = (
    ("2xx", _("Done (2xx, 3xx)")),
    ("4xx", _("Refused (4xx)")),
    ("5xx", _("Failed (5xx)")),
)
STATUSES = (
    "200", "201", "204", "304", "400", "403", "404", "405", "409", "412", "413", "415", "500",
    "501", "503",
)  # fmt: skip
PERIODS: tuple[tuple[str, str | Promise, timedelta], ...] = (
    ("1h", pgettext_lazy("period", "1 h"), timedelta(hours=1)),
    ("24h", pgettext_lazy("period", "24 h"), timedelta(days=1)),
    ("7d", pgettext_lazy("period", "7 d"), timedelta(days=7)),
)


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A filter that one click sets or takes away."""

    label: str | Promise
    query: str
    is_chosen: bool


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "control"})


class RequestFilters(DayRange, GroupFilters):
    """Text, IdP, method, status, scimType, days; and, from links, a period or a resource."""

    q = forms.CharField(
        label=_("Name or id"),
        required=False,
        max_length=256,
        widget=forms.TextInput(attrs=SEARCH),
    )
    method = forms.ChoiceField(
        label=_("Method"),
        required=False,
        choices=[("", pgettext_lazy("methods", "All")), *((m, m) for m in METHODS)],
        widget=_select(),
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[
            ("", pgettext_lazy("statuses", "All")),
            *CLASSES,
            (_("Exactly"), [(s, s) for s in STATUSES]),
        ],
        widget=_select(),
    )
    type = forms.ChoiceField(
        label="scimType",
        required=False,
        choices=[
            ("", pgettext_lazy("statuses", "All")),
            *((name, name) for name in sorted({name for _status, name in BY_TYPE if name})),
        ],
        widget=_select(),
    )
    refused = forms.ChoiceField(required=False, choices=[("1", "1")], widget=forms.HiddenInput)
    period = forms.ChoiceField(
        required=False,
        choices=[(key, label) for key, label, _span in PERIODS],
        widget=forms.HiddenInput,
    )
    resource = forms.UUIDField(required=False, widget=forms.HiddenInput)
    bulk = forms.UUIDField(required=False, widget=forms.HiddenInput)
    field_order = ("q", "idp", "method", "status", "type", "since", "until")

    def filters(self) -> Filters:
        """Return what the form asks, its days counted in the viewer's time zone."""
        asked = self.asked()
        since, until = self._range(asked)
        provider = asked.get("idp")
        return Filters(
            text=asked.get("q", "").strip(),
            provider=provider.pk if provider else None,
            method=asked.get("method", ""),
            status=asked.get("status", ""),
            scim_type=asked.get("type", ""),
            resource=asked.get("resource"),
            part_of=asked.get("bulk"),
            errors="refused" in asked,
            since=since,
            until=until,
        )

    def _range(self, asked: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
        spans = {key: span for key, _label, span in PERIODS}
        if period := asked.get("period"):
            return timezone.now() - spans[period], None
        return self.days()

    def periods(self) -> list[Shortcut]:
        """Return the periods that one click chooses; the chosen one takes itself away."""
        chosen = self.asked().get("period", "")
        return [
            Shortcut(
                label,
                self.query(period="" if key == chosen else key, since="", until=""),
                key == chosen,
            )
            for key, label, _span in PERIODS
        ]

    def only_errors(self) -> Shortcut:
        """Return the switch between all requests and the refused ones."""
        chosen = "refused" in self.asked()
        return Shortcut(_("Errors only"), self.query(refused="" if chosen else "1"), chosen)
