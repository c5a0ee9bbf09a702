"""Events a day (or a month) as bars, from the hourly counters and the hours not yet counted."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Max, Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from audit.models import HourlyCount
from audit.patience import TooSlow, within
from audit.queries import MOST_COUNTED, QUICK_MS, Filters, matching

DEFAULT_DAYS = 30
MOST_DAYS = 366
MOST_DAYS_BY_DAY = 92
WIDTH, HEIGHT, GAP = 1000, 100, 0.3


@dataclass(frozen=True, slots=True)
class Bar:
    """The events of one day or month, and where its bar is drawn."""

    start: date
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
    by_month: bool
    total: int
    highest: Bar
    ticks: list[Bar]


def draw(filters: Filters) -> Chart | None:
    """Return the chart of the days asked for, the last thirty when none are.

    None when the events asked for are too many to be counted one by one.
    """
    first, last = days_of(filters)
    by_month = (last - first).days >= MOST_DAYS_BY_DAY
    try:
        with within(QUICK_MS):
            hours = _hours(filters, first, last)
    except TooSlow:
        return None
    if hours is None:
        return None
    counts = dict.fromkeys(_starts(first, last, by_month), 0)
    for hour, count in hours.items():
        day = timezone.localtime(hour).date()  # a zone off by half an hour keeps the hour's start
        start = day.replace(day=1) if by_month else day
        if start in counts:
            counts[start] += count
    bars = _bars(counts)
    highest = max(bars, key=lambda bar: bar.count)
    ticks = [bars[0], bars[len(bars) // 2], bars[-1]] if len(bars) > 2 else bars
    return Chart(bars, first, last, by_month, sum(counts.values()), highest, ticks)


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


def _bars(counts: dict[date, int]) -> list[Bar]:
    slot = WIDTH / len(counts)
    most = max(counts.values()) or 1
    bars = []
    for place, (start, count) in enumerate(counts.items()):
        height = max(HEIGHT * count / most, 2) if count else 0  # one event is still to be seen
        bars.append(
            Bar(
                start,
                count,
                x=f"{(place + GAP / 2) * slot:.2f}",
                y=f"{HEIGHT - height:.2f}",
                width=f"{slot * (1 - GAP):.2f}",
                height=f"{height:.2f}",
            )
        )
    return bars
