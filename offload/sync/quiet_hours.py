"""Hours of the day in which nothing is carried, by the clock on the shop's wall."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Self


@dataclass(frozen=True)
class QuietHours:
    """From one time of the day to another, which may be past midnight."""

    begin: time
    end: time

    @classmethod
    def parse(cls, begin: str, end: str) -> Self:
        """Return them from `22:00` and `06:00`. Raises ValueError."""
        hours = cls(time.fromisoformat(begin), time.fromisoformat(end))
        if hours.begin == hours.end:
            raise ValueError(f"quiet hours from {begin} until {end} have no length; give two different times")
        return hours

    def until(self, now: datetime) -> datetime | None:
        """Return when they end; None while it is not quiet. `now` is local and knows its time zone.

        Only wall times are compared, so a change of the clock or of the zone counts from the next look on.
        """
        clock = now.time()
        spans_midnight = self.begin > self.end
        if spans_midnight and clock >= self.begin:
            return datetime.combine(now.date() + timedelta(days=1), self.end, now.tzinfo)
        began = clock < self.end and (spans_midnight or clock >= self.begin)
        return datetime.combine(now.date(), self.end, now.tzinfo) if began else None
