"""Dates and times as people read them: one style, in the viewer's language and time zone."""

from datetime import date, datetime

from babel import dates
from django.utils import timezone
from django.utils.translation import get_language

# Two digits for the hour, so that a column of times stands in line.
TIMES = {"es_ES": "HH:mm:ss", "en_US": "h:mm:ss\u202fa"}
HOURS = {"es_ES": "HH:mm", "en_US": "h\u202fa"}


def locale() -> str:
    """Return the locale of the language in force."""
    return {"en": "en_US"}.get(get_language() or "es", "es_ES")


def date_text(value: date) -> str:
    """Return a day, of a moment the viewer's: «25 nov 2026»."""
    day = timezone.localtime(value) if isinstance(value, datetime) else value
    return str(dates.format_date(day, "medium", locale=locale()))


def time_text(value: datetime) -> str:
    """Return the time of day to the second: «03:13:05»."""
    return str(dates.format_time(_local(value), TIMES[locale()], locale=locale()))


def hour_text(value: datetime) -> str:
    """Return a whole hour: «03:00»."""
    return str(dates.format_time(_local(value), HOURS[locale()], locale=locale()))


def moment_text(value: datetime) -> str:
    """Return a moment to the second: «25 nov 2026, 03:13:05»."""
    return f"{date_text(value)}, {time_text(value)}"


def _local(value: datetime) -> datetime:
    # Without its zone, or Babel turns it to UTC.
    return timezone.localtime(value).replace(tzinfo=None)
