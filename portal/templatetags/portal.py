"""Tags and filters of every page: icons, moments and the viewer's clock."""

from datetime import datetime, timedelta
from functools import lru_cache

import lucide
from babel import dates, units
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.moments import date_text, locale, moment_text, time_text

register = template.Library()

SOON = timedelta(seconds=45)
FEW_DAYS, MANY_DAYS = 2, 60


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """Inline a Lucide icon; it is decoration, so the text beside it must say the same."""
    return _icon(name, size)


@lru_cache(maxsize=256)
def _icon(name: str, size: str) -> SafeString:
    svg = lucide._render_icon(
        name, 24, **{"class": f"icon {size}".strip(), "aria-hidden": "true", "focusable": "false"}
    )
    return mark_safe(" ".join(svg.split()))  # noqa: S308 — from the package's own files


def relative(value: datetime) -> str:
    """Return how long ago or ahead a moment is, in words."""
    delta = value - timezone.now()
    if abs(delta) < SOON:
        return _("just now") if delta <= timedelta() else _("in a moment")
    days = abs(delta).days
    if FEW_DAYS <= days <= MANY_DAYS:  # where Babel would already count in weeks
        if delta > timedelta():
            return ngettext("in %(days)d day", "in %(days)d days", days) % {"days": days}
        return ngettext("%(days)d day ago", "%(days)d days ago", days) % {"days": days}
    return str(dates.format_timedelta(delta, add_direction=True, locale=locale()))


@register.simple_tag
def moment(value: datetime | None, style: str = "relative") -> str | SafeString:
    """Show a moment as <time>.

    Style: relative or date, with the exact one in its title; exact; stacked, the same in two lines.
    """
    if value is None:
        return "—"
    utc = value.astimezone(tz=None) if timezone.is_naive(value) else value
    iso = utc.isoformat(timespec="seconds")
    if style == "exact":
        return format_html('<time datetime="{}">{}</time>', iso, moment_text(value))
    if style == "stacked":
        return format_html(
            '<time class="stacked" datetime="{}"><span>{}</span> <span>{}</span></time>',
            iso,
            date_text(value),
            time_text(value),
        )
    shown = date_text(value) if style == "date" else relative(value)
    return format_html('<time datetime="{}" title="{}">{}</time>', iso, moment_text(value), shown)


@register.simple_tag
def duration(value: timedelta) -> str:
    """Return a length of time, short: «23 h»."""
    short = dates.format_timedelta(value, format="short", threshold=1.01, locale=locale())
    return str(short)


@register.simple_tag
def duration_since(value: datetime) -> str:
    """Return how long ago a moment was, as a length of time: «4 minutos»."""
    return str(dates.format_timedelta(timezone.now() - value, threshold=1.01, locale=locale()))


@register.simple_tag
def duration_until(value: datetime) -> str:
    """Return how far ahead a moment is, in whole days or, on the last two, hours: «13 días»."""
    left = value - timezone.now()
    if left >= timedelta(days=2):
        return str(units.format_unit(left.days, "duration-day", locale=locale()))
    hours = max(1, round(left.total_seconds() / 3600))
    return str(units.format_unit(hours, "duration-hour", locale=locale()))


@register.simple_tag
def time_zone() -> str:
    """Name the zone in which this page shows its times, with its distance from UTC."""
    zone = timezone.get_current_timezone()
    if str(zone) == "UTC":
        return "UTC"
    place = dates.get_timezone_location(zone, locale=locale(), return_city=True)
    minutes = int((timezone.localtime().utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes >= 0 else "−"
    return f"{place}, UTC{sign}{hours}{f':{rest:02}' if rest else ''}"


@register.filter
def exact(value: datetime) -> str:
    """Return a moment to the second, for a mail."""
    return moment_text(value)


@register.filter
def number(value: int) -> str:
    """Return a whole number grouped as the viewer's language does."""
    from babel.numbers import format_decimal

    return str(format_decimal(value, locale=locale()))
