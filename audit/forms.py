"""The filters of the trail, as they stand in the address of the page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit import conditions
from audit.conditions import COLUMNS, MOST_CONDITIONS, OPERATORS, Condition, Wrong
from audit.days import DayRange, midnight
from audit.queries import Filters
from audit.types import Category, EventType
from audit.words import PROVIDERS

PERIODS: tuple[tuple[str, str | Promise], ...] = (
    ("today", pgettext_lazy("period", "Today")),
    ("24h", pgettext_lazy("period", "24 h")),
    ("7d", pgettext_lazy("period", "7 d")),
    ("30d", pgettext_lazy("period", "30 d")),
)
DAYS_OF_PERIOD = {"today": 1, "7d": 7, "30d": 30}
VIEWS = (("expanded", "expanded"), ("grouped", "grouped"))
# How the page shows what it finds: no filters.
LOOKS = ("view", "cols", "sort")


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A period that one click chooses."""

    label: str | Promise
    query: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter of one column in words, or what is wrong with it, and the query without it."""

    label: str | Promise
    operator: str | Promise
    value: str | Promise
    query: str
    error: str | Promise = ""


def _activities() -> list[tuple[str | Promise, Any]]:
    choices: list[tuple[str | Promise, Any]] = [("", pgettext_lazy("activity", "All"))]
    for category in Category:
        types = [(type.key, type.label) for type in EventType if type.category is category]
        choices.append((category.label, types))
    return choices


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "control"})


def _hidden(choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, choices=choices, widget=forms.HiddenInput)


class ConditionsField(forms.Field):
    """Filters of columns, as texts; what is wrong with one is kept beside it."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        texts = [value] if isinstance(value, str) else value or []
        return list(dict.fromkeys(str(text) for text in texts if text))[:MOST_CONDITIONS]


class FilterForm(DayRange):
    """Text, activity, IdP, days; filters of any column; and, from links, a target or an actor.

    `now` is the moment that relative periods end at, the present one when it is left out.
    """

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
    period = _hidden(PERIODS)
    target = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    actor = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    f = ConditionsField(required=False)
    view = _hidden(VIEWS)
    cols = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    sort = _hidden((("oldest", "oldest"),))
    field_order = ("q", "activity", "idp", "since", "until")

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, now: datetime | None = None, **more: Any
    ) -> None:
        super().__init__(data, **more)
        self.now = now or timezone.now()

    def asked(self) -> dict[str, str]:
        """Return what was asked and understood, but the filters of columns, as in an address."""
        self.is_valid()
        values = {name: self.cleaned_data.get(name) for name in self.fields if name != "f"}
        return {name: str(value) for name, value in values.items() if value}

    @property
    def texts(self) -> list[str]:
        """The filters of columns, right and wrong, as they stand in the address."""
        self.is_valid()
        texts: list[str] = self.cleaned_data.get("f") or []
        return texts

    def conditions(self) -> tuple[Condition, ...]:
        """Return the filters of columns that say something."""
        found = []
        for text in self.texts:
            try:
                found.append(conditions.parse(text))
            except Wrong:
                continue  # said beside its chip
        return tuple(found)

    def query(self, *, without: str = "", plus: Iterable[str] = (), **changed: str) -> str:
        """Return the address's query with some of its values changed, or removed by "".

        `without` is a filter of a column to leave out, `plus` are those to add.
        """
        values: dict[str, Any] = self.asked() | changed
        texts = [text for text in self.texts if text != without]
        values["f"] = list(dict.fromkeys([*texts, *plus]))
        return urlencode({name: value for name, value in values.items() if value}, doseq=True)

    @property
    def has_filters(self) -> bool:
        """Whether anything narrows the trail, or was meant to."""
        return bool(self.texts) or any(name not in LOOKS for name in self.asked())

    @property
    def clear_query(self) -> str:
        """The query without a filter, which keeps how the page looks."""
        return urlencode({k: v for k, v in self.asked().items() if k in LOOKS})

    def filters(self) -> Filters:
        """Return what the form asks, its days counted in the viewer's time zone."""
        asked = self.asked()
        some = self.conditions()
        since, until = self._range(asked.get("period", ""))
        from_, before = conditions.bounds(some)
        return Filters(
            text=asked.get("q", ""),
            type=asked.get("activity", ""),
            provider=asked.get("idp", ""),
            target=asked.get("target", ""),
            actor=asked.get("actor", ""),
            since=max((m for m in (since, from_) if m), default=None),
            until=min((m for m in (until, before) if m), default=None),
            conditions=tuple(c for c in some if c.column != "time"),
        )

    def _range(self, period: str) -> tuple[datetime | None, datetime | None]:
        if period == "24h":
            return self.now - timedelta(hours=24), None
        if period:
            days_before = timedelta(days=DAYS_OF_PERIOD[period] - 1)
            return midnight(timezone.localdate(self.now) - days_before), None
        return self.days()

    def shortcuts(self) -> list[Shortcut]:
        """Return the periods that one click chooses, keeping the other filters."""
        chosen = self.asked().get("period", "")
        return [
            Shortcut(label, self.query(period=key, since="", until=""), key == chosen)
            for key, label in PERIODS
        ]

    def chips(self) -> list[Chip]:
        """Return the filters of columns in words, each with the query that lacks it."""
        return [self._chip(text) for text in self.texts]

    def _chip(self, text: str) -> Chip:
        query = self.query(without=text)
        try:
            condition = conditions.parse(text)
        except Wrong as error:
            column = COLUMNS.get(text.partition(".")[0])
            return Chip(column.label if column else text[:60], "", "", query, error.text)
        return Chip(
            COLUMNS[condition.column].label,
            OPERATORS[condition.operator],
            conditions.told(condition),
            query,
        )
