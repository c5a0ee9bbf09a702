"""Events an hour, a day or a month as bars, from the hourly counters and the hours since."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from django.db.models import Count, Max, Sum
from django.db.models.functions import TruncHour
from django.utils import formats, timezone

from audit.conditions import condition_of
from audit.models import HourlyCount
from audit.moments import date_text, hour_text
from audit.patience import TooSlow, within
from audit.queries import MOST_COUNTED, QUICK_MS, Filters, matching

DEFAULT_DAYS = 30
MOST_DAYS = 366
MOST_DAYS_BY_DAY = 92
HOUR = timedelta(hours=1)
LONGEST_BY_HOUR = timedelta(hours=25)  # a day, also the one that a clock makes longer
WIDTH, HEIGHT, GAP = 1000, 100, 0.3


Unit = Literal["hour", "day", "month"]


@dataclass(frozen=True, slots=True)
class Bar:
    """The events of one hour, day or month, and where its bar is drawn."""

    start: date
    label: str
    tick: str
    count: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the plot, its sentence and its table say."""

    bars: list[Bar]
    first: date
    last: date
    unit: Unit
    total: int
    highest: Bar
    ticks: list[Bar]

    @property
    def days(self) -> str:
        """The first day and the last one, in words; one when they are the same."""
        if self.first == self.last:
            return date_text(self.first)
        return f"{date_text(self.first)} – {date_text(self.last)}"


def draw(filters: Filters) -> Chart | None:
    """Return the chart of the days asked for, the last thirty when none are.

    None when the events asked for are too many to be counted one by one.
    """
    first, last = days_of(filters)
    unit: Unit = "day"
    if (last - first).days >= MOST_DAYS_BY_DAY:
        unit = "month"
    elif _length(filters, first, last) <= LONGEST_BY_HOUR:
        unit = "hour"
    try:
        with within(QUICK_MS):
            hours = _hours(filters, first, last)
    except TooSlow:
        return None
    if hours is None:
        return None
    if unit == "hour":
        counts = dict.fromkeys(_hours_of(filters, first, last), 0)
    else:
        counts = dict.fromkeys(_starts(first, last, by_month=unit == "month"), 0)
    for hour, count in hours.items():
        start = _start(hour, unit)
        if start in counts:
            counts[start] += count
    bars = _bars(counts, unit)
    highest = max(bars, key=lambda bar: bar.count)
    ticks = [bars[0], bars[len(bars) // 2], bars[-1]] if len(bars) > 2 else bars
    return Chart(bars, first, last, unit, sum(counts.values()), highest, ticks)


def _start(moment: datetime, unit: Unit) -> date:
    """Return where a moment's bar begins; a zone off by half an hour keeps the hour's start."""
    local = timezone.localtime(moment)
    if unit == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    return local.date().replace(day=1) if unit == "month" else local.date()


def _length(filters: Filters, first: date, last: date) -> timedelta:
    """Return how long the time to draw is; the rest of today has not come yet."""
    if first == last:
        return timedelta(days=1)
    return timezone.now() - filters.since if filters.since and not filters.until else timedelta.max


def _hours_of(filters: Filters, first: date, last: date) -> list[date]:
    """Return every hour of one day, or those of the last twenty-four."""
    since, until = _midnight(first), _midnight(last + timedelta(days=1))
    if first != last:
        since, until = max(filters.since or since, since), timezone.now()
    since = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    number = -((since - until) // HOUR)  # rounded up
    return [since + n * HOUR for n in range(number)]


def days_of(filters: Filters) -> tuple[date, date]:
    """Return the first and the last day to draw, in the viewer's time zone."""
    today = timezone.localdate()
    last = today
    if filters.until:
        last = timezone.localtime(filters.until - timedelta(microseconds=1)).date()
        last = min(last, today)
    if filters.since:
        first = min(timezone.localtime(filters.since).date(), last)
        return max(first, last - timedelta(days=MOST_DAYS - 1)), last
    return last - timedelta(days=DEFAULT_DAYS - 1), last


def _hours(filters: Filters, first: date, last: date) -> Counter[datetime] | None:
    since = max(filters.since or _midnight(first), _midnight(first))
    until = _midnight(last + timedelta(days=1))
    until = min(filters.until or until, until)
    if not filters.is_countable_by_hour:
        return _counted_one_by_one(filters, since, until)
    hours: Counter[datetime] = Counter()
    # The last counted hour may have gained a late commit: it is counted again, live.
    live = HourlyCount.objects.filter(hour__lt=until).aggregate(last=Max("hour"))["last"] or since
    counted = HourlyCount.objects.filter(hour__gte=since, hour__lt=min(live, until))
    if filters.type:
        counted = counted.filter(type=filters.type)
    if filters.provider:
        counted = counted.filter(provider_kind=filters.provider)
    if filters.conditions:  # on the columns that the counters hold too
        counted = counted.filter(condition_of(filters.conditions))
    for hour, count in counted.values("hour").annotate(sum=Sum("count")).values_list("hour", "sum"):
        hours[hour] += count
    rows = matching(filters).filter(performed_at__gte=max(live, since), performed_at__lt=until)
    grouped = (
        rows.order_by()
        .annotate(hour=TruncHour("performed_at", tzinfo=timezone.get_default_timezone()))
        .values("hour")
        .annotate(count=Count("pk"))
    )
    for hour, count in grouped.values_list("hour", "count"):
        hours[hour] += count
    return hours


def _counted_one_by_one(
    filters: Filters, since: datetime, until: datetime
) -> Counter[datetime] | None:
    rows = matching(filters).filter(performed_at__gte=since, performed_at__lt=until).order_by()
    moments = rows.values_list("performed_at", flat=True)[: MOST_COUNTED + 1]
    hours = Counter(moments)
    return None if hours.total() > MOST_COUNTED else hours


def _starts(first: date, last: date, by_month: bool) -> list[date]:
    if not by_month:
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]
    months = []
    month = first.replace(day=1)
    while month <= last:
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return months


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001


def _labels(start: date, unit: Unit) -> tuple[str, str]:
    """Return what a bar is called, and how the axis calls it."""
    if isinstance(start, datetime):
        return hour_text(start), hour_text(start)
    if unit == "month":
        return formats.date_format(start, "F Y"), formats.date_format(start, "M Y")
    return date_text(start), date_text(start)


def _bars(counts: dict[date, int], unit: Unit) -> list[Bar]:
    slot = WIDTH / len(counts)
    most = max(counts.values()) or 1
    bars = []
    for place, (start, count) in enumerate(counts.items()):
        height = max(HEIGHT * count / most, 2) if count else 0  # one event is still to be seen
        bars.append(
            Bar(
                start,
                *_labels(start, unit),
                count,
                x=f"{(place + GAP / 2) * slot:.2f}",
                y=f"{HEIGHT - height:.2f}",
                width=f"{slot * (1 - GAP):.2f}",
                height=f"{height:.2f}",
            )
        )
    return bars
