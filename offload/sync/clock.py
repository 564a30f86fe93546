"""The device's clock beside the service's: a Raspberry Pi without a network wakes up in the past."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

log = logging.getLogger(__name__)

TOLERATED_S = 60.0
"""Nobody notices; an answer may also have been long under way."""


class ClockWatch:
    """Compares at every answer. A clock that is off is told, and is never a reason to fail."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.off_s: float | None = None
        """By how much the device is ahead, to the second; None before the first answer."""
        self._told = False

    def hear(self, date: str | None) -> None:
        """Take in what an answer's Date says; one that cannot be read says nothing."""
        try:
            theirs = parsedate_to_datetime(date or "")
        except ValueError:
            return
        theirs = theirs if theirs.tzinfo is not None else theirs.replace(tzinfo=UTC)
        self.off_s = float(round((self._now() - theirs).total_seconds()))
        is_off = abs(self.off_s) > TOLERATED_S
        if is_off and not self._told:
            direction = "ahead of" if self.off_s > 0 else "behind"
            log.warning(
                "the device's clock is %.0f s %s the service's; dates of scans will be wrong by that",
                abs(self.off_s),
                direction,
            )
        self._told = is_off
