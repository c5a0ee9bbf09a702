"""The filters of the trail, as they stand in the address of the page."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.queries import Filters
from audit.types import Category, EventType

# The kinds of IdP: the trail keeps them as words and knows no table of them.
PROVIDERS: tuple[tuple[str, str | Promise], ...] = (
    ("entra-id", "Entra ID"),
    ("okta", "Okta"),
    ("onelogin", "OneLogin"),
    ("pingone", "PingOne"),
    ("pingfederate", "PingFederate"),
    ("jumpcloud", "JumpCloud"),
    ("google-workspace", "Google Workspace"),
    ("other", _("Other (SCIM 2.0)")),
)
PERIODS: tuple[tuple[str, str | Promise], ...] = (
    ("today", pgettext_lazy("period", "Today")),
    ("24h", pgettext_lazy("period", "24 h")),
    ("7d", pgettext_lazy("period", "7 d")),
    ("30d", pgettext_lazy("period", "30 d")),
)
DAYS_OF_PERIOD = {"today": 1, "7d": 7, "30d": 30}
SEARCH = {"type": "search", "autocomplete": "off", "class": "control", "data-search": ""}
FIRST_YEAR, LAST_YEAR = 2000, 2999


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A period that one click chooses."""

    label: str | Promise
    query: str
    is_chosen: bool


def _activities() -> list[tuple[str | Promise, Any]]:
    choices: list[tuple[str | Promise, Any]] = [("", pgettext_lazy("activity", "All"))]
    for category in Category:
        types = [(type.key, type.label) for type in EventType if type.category is category]
        choices.append((category.label, types))
    return choices


def _day_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "control"})


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "control"})


class FilterForm(forms.Form):
    """Text, activity, IdP, days; and, from links, one target or actor, or a period."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        strip=True,
        widget=forms.TextInput(
            attrs={"type": "search", "autocomplete": "off", "data-search": "", "class": "control"}
        ),
    )
    activity = forms.ChoiceField(
        label=_("Activity"), required=False, choices=_activities, widget=_select()
    )
    idp = forms.ChoiceField(
        label=_("IdP"),
        required=False,
        choices=[("", pgettext_lazy("identity providers", "All")), *PROVIDERS],
        widget=_select(),
    )
    since = forms.DateField(
        label=pgettext_lazy("date", "From"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=_day_input(),
    )
    until = forms.DateField(
        label=pgettext_lazy("date", "To"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=_day_input(),
    )
    period = forms.ChoiceField(required=False, choices=PERIODS, widget=forms.HiddenInput)
    target = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    actor = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, now: datetime | None = None, **more: Any) -> None:
        """Bind the form; relative periods end at `now`, which is the present without it."""
        super().__init__(*args, **more)
        self.now = now or timezone.now()

    def clean_since(self) -> date | None:
        return self._day("since")

    def clean_until(self) -> date | None:
        return self._day("until")

    def _day(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(_("The year is from 2000 to 2999."))
        return day

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("since", _("The first day is after the last one."))
        return self.cleaned_data

    def asked(self) -> dict[str, str]:
        """Return what was asked and understood, as it stands in an address."""
        self.is_valid()
        values = {name: self.cleaned_data.get(name) for name in self.fields}
        if values["since"] or values["until"]:
            values["period"] = ""  # dates that were chosen win
        return {name: str(value) for name, value in values.items() if value}

    def query(self, **changed: str) -> str:
        """Return the address's query with some of its values changed, or removed by ""."""
        values = self.asked() | changed
        return urlencode({name: value for name, value in values.items() if value})

    def filters(self) -> Filters:
        """Return what the form asks, its days counted in the viewer's time zone."""
        asked = self.asked()
        since, until = self._range(asked.get("period", ""))
        return Filters(
            text=asked.get("q", ""),
            type=asked.get("activity", ""),
            provider=asked.get("idp", ""),
            target=asked.get("target", ""),
            actor=asked.get("actor", ""),
            since=since,
            until=until,
        )

    def _range(self, period: str) -> tuple[datetime | None, datetime | None]:
        if period == "24h":
            return self.now - timedelta(hours=24), None
        if period:
            days_before = timedelta(days=DAYS_OF_PERIOD[period] - 1)
            return _midnight(timezone.localdate(self.now) - days_before), None
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        return (
            _midnight(since) if since else None,
            _midnight(until + timedelta(days=1)) if until else None,
        )

    def shortcuts(self) -> list[Shortcut]:
        """Return the periods that one click chooses, keeping the other filters."""
        chosen = self.asked().get("period", "")
        return [
            Shortcut(label, self.query(period=key, since="", until=""), key == chosen)
            for key, label in PERIODS
        ]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001
