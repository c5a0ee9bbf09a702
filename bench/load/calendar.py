"""When things happen: more by day than by night, on Mondays than on Sundays, more each year."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from audit.partitions import month_after
from bench.load.company import mixed

HOUR = timedelta(hours=1)
# Share of each hour of a day, in UTC, for a company in Spain; the nightly sync is at 2.
BY_HOUR = (2, 2, 9, 2, 2, 4, 12, 34, 52, 56, 54, 48, 40, 38, 46, 50, 44, 30, 16, 9, 6, 5, 4, 3)
BY_WEEKDAY = (1.25, 1.1, 1.05, 1.0, 0.9, 0.18, 0.12)
GROWTH_A_YEAR = 1.3


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour and the numbers [first, end) of what happens in it."""

    start: datetime
    first: int
    end: int


class Calendar:
    """Spreads a number of events over some months that end at a moment."""

    def __init__(self, count: int, months: int, until: datetime) -> None:
        self.count, self.until = count, until.astimezone(UTC)
        last = self.until.date().replace(day=1)
        self.months = [month_after(last, back) for back in range(1 - months, 1)]
        start = datetime.combine(self.months[0], datetime.min.time(), UTC)
        # Whole hours: nothing is in the hour that runs, nor after the moment.
        hours = max(1, int((self.until - start) / HOUR))
        self._starts = [start + n * HOUR for n in range(hours)]
        weights = list(accumulate(_weight(moment, start) for moment in self._starts))
        self._ends = [int(count * weight / weights[-1]) for weight in weights]
        self._ends[-1] = count

    def hours(self, month: date) -> Iterator[Hour]:
        """Yield the hours of a month in which something happens."""
        first = self._at(month)
        for index in range(first, self._at(month_after(month))):
            begin = self._ends[index - 1] if index else 0
            if self._ends[index] > begin:
                yield Hour(self._starts[index], begin, self._ends[index])

    def share(self, month: date) -> int:
        """Return how many events a month holds."""
        return self._before(month_after(month)) - self._before(month)

    def _before(self, month: date) -> int:
        index = self._at(month)
        return self._ends[index - 1] if index else 0

    def _at(self, month: date) -> int:
        moment = datetime.combine(month, datetime.min.time(), UTC)
        return bisect_right(self._starts, moment - timedelta(microseconds=1))


def _weight(moment: datetime, start: datetime) -> float:
    years = (moment - start) / timedelta(days=365)
    chance = 0.7 + 0.6 * (mixed(int(moment.timestamp()), 3) & 0xFFFF) / 0xFFFF
    by_day = BY_HOUR[moment.hour] * BY_WEEKDAY[moment.weekday()]
    return by_day * float(GROWTH_A_YEAR**years) * chance
