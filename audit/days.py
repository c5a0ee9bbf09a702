"""The days of a form of filters: from and to, both included, in the viewer's time zone."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

FIRST_YEAR, LAST_YEAR = 2000, 2999


def midnight(day: date) -> datetime:
    """Return when a day begins for the viewer."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "control"})
    return forms.DateField(label=label, required=False, input_formats=["%Y-%m-%d"], widget=widget)


class DayRange(forms.Form):
    """Two days, or one, or none."""

    since = _day(pgettext_lazy("date", "From"))
    until = _day(pgettext_lazy("date", "To"))

    def clean_since(self) -> date | None:
        return self._usual("since")

    def clean_until(self) -> date | None:
        return self._usual("until")

    def _usual(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(_("The year is from 2000 to 2999."))
        return day

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("since", _("The first day is after the last one."))
            since = None  # not asked, until it is mended
        if since or until:
            self.cleaned_data["period"] = ""  # dates that were chosen win
        return self.cleaned_data

    def days(self) -> tuple[datetime | None, datetime | None]:
        """Return the first moment asked for, and the first one that is not any more."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        return (
            midnight(since) if since else None,
            midnight(until + timedelta(days=1)) if until else None,
        )
