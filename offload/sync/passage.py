"""Whether anything may be carried now: not in quiet hours, nor over a metered connection where that is set so."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from offload.sync.metered import MeteredWatch
from offload.sync.quiet_hours import QuietHours
from offload.sync.trouble import NotNow
from offload.wire.link import Hindrance, Hitch

LOOK_S = 1.0


def local_now() -> datetime:
    """Return the present by this device's time zone, which somebody may just have changed."""
    time.tzset()
    return datetime.now(UTC).astimezone()


class Passage:
    """Everybody waits here before each request."""

    def __init__(
        self,
        quiet: QuietHours | None = None,
        metered: MeteredWatch | None = None,
        limit_s: float | None = None,
        now: Callable[[], datetime] = local_now,
    ) -> None:
        """`limit_s`: who waits longer is told NotNow; None waits for ever."""
        self._quiet, self.metered, self._limit_s, self._now = quiet, metered, limit_s, now
        self._hindrance: Hindrance | None = None

    @property
    def metered_unknown(self) -> str | None:
        """Why it cannot be told whether the connection is metered; None where it can, or nobody asked for it."""
        if self.metered is None or self.metered.now.costs is not None:
            return None
        return self.metered.now.because

    def hindrance(self) -> Hindrance | None:
        """Return why nothing may pass now; None when it may."""
        found = self._found()
        if found is not None and self._hindrance is not None and found.hitch is self._hindrance.hitch:
            found = found.model_copy(update={"since": self._hindrance.since})
        self._hindrance = found
        return found

    async def wait(self) -> None:
        """Return once it is open. Raises NotNow."""
        deadline_s = time.monotonic() + self._limit_s if self._limit_s is not None else float("inf")
        while (hindrance := self.hindrance()) is not None:
            if time.monotonic() + LOOK_S > deadline_s:
                raise NotNow(hindrance.says)
            await asyncio.sleep(LOOK_S)

    def _found(self) -> Hindrance | None:
        now = self._now()
        until = self._quiet.until(now) if self._quiet is not None else None
        if until is not None:
            says = f"quiet hours until {until:%H:%M}"
            return Hindrance(hitch=Hitch.QUIET_HOURS, says=says, since=now, until=until)
        if self.metered is not None and self.metered.now.costs:
            says = (
                "the connection is metered; sync goes on over another one, or with [offload] pause_on_metered = false"
            )
            return Hindrance(hitch=Hitch.METERED, says=says, since=now)
        return None
