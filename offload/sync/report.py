"""`.sync/link.json`: how the way to the service is, all scans together; and a log that says each trouble once."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from offload.durable import replace_file
from offload.sync.client import ServiceClient
from offload.sync.link_file import LINK
from offload.sync.trouble import TryAgain
from offload.wire.link import Hindrance, Hitch, LinkState

log = logging.getLogger(__name__)

SAVE_S = 1.0
BRIEF_S = 3.0
"""A connection that breaks and goes on within this is nothing to tell people."""
SAY_AGAIN_S, LONGEST_SILENCE_S = 60.0, 6 * 3600.0
SAY_OVER_S = 30.0


@dataclass
class Figures:
    """What only the watch knows."""

    carried: int = 0
    waiting: int = 0
    in_work: int = 0
    bytes_left: int = 0
    first: str | None = None


class LinkReport:
    """Hears of every trouble and every success, whosever."""

    def __init__(self, scans: Path, client: ServiceClient, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._scans, self._client, self._clock_s = scans, client, clock_s
        self._trouble: Hindrance | None = None
        self._began_s = 0.0
        self._last_error: str | None = None
        self._last_error_at: datetime | None = None
        self._tries = 0
        self._said: dict[Hitch, tuple[float, float]] = {}
        """When it was said, and for how long not again."""
        self._saved: LinkState | None = None
        self._saved_s = float("-inf")

    def note(self, trouble: TryAgain | None) -> None:
        """Take in a trouble, or with None a success."""
        if trouble is None:
            self._over()
        elif trouble.hitch is not None:
            self._hear(trouble.hitch, str(trouble))

    def save(self, figures: Figures) -> None:
        """Write the file if anything has changed, at once where it waits for something else."""
        state = self._state(figures)
        now_s = self._clock_s()
        if self._saved is not None:
            same = state.model_copy(update={"updated_at": self._saved.updated_at}) == self._saved
            if same or (now_s < self._saved_s + SAVE_S and state.waits == self._saved.waits):
                return
        if self._scans.is_dir():
            (self._scans / LINK).parent.mkdir(exist_ok=True)
            replace_file(self._scans / LINK, state.model_dump_json().encode(), durable=False)
            self._saved, self._saved_s = state, now_s

    def close(self) -> None:
        """Take the file away: what nobody keeps up says nothing."""
        (self._scans / LINK).unlink(missing_ok=True)

    def _state(self, figures: Figures) -> LinkState:
        rate_bytes_s = round(self._client.meter.rate_bytes_s())
        waits = self._client.passage.hindrance() or self._lasting()
        moves = waits is None and rate_bytes_s > 0
        return LinkState(
            carried=figures.carried,
            waiting=figures.waiting,
            in_work=figures.in_work,
            bytes_left=figures.bytes_left,
            bytes_sent=self._client.meter.bytes_sent,
            rate_bytes_s=rate_bytes_s,
            remaining_s=round(figures.bytes_left / rate_bytes_s, 1) if moves else None,
            waits=waits,
            last_error=self._last_error,
            last_error_at=self._last_error_at,
            clock_off_s=self._client.clock.off_s,
            metered_unknown=self._client.passage.metered_unknown,
            first=figures.first,
            updated_at=datetime.now(UTC),
        )

    def _lasting(self) -> Hindrance | None:
        """Nobody needs to know of a line that breaks and carries, in turn."""
        if self._trouble is None or self._clock_s() < self._began_s + BRIEF_S or self._answered():
            return None
        return self._trouble

    def _answered(self) -> bool:
        return self._client.answered_s > self._began_s

    def _hear(self, hitch: Hitch, says: str) -> None:
        now, now_s = datetime.now(UTC), self._clock_s()
        self._tries += 1
        self._last_error, self._last_error_at = says, now
        if self._trouble is None or self._answered():
            self._trouble, self._began_s, self._tries = None, now_s, 1
        if self._trouble is None or self._trouble.hitch is not hitch:
            self._trouble = Hindrance(hitch=hitch, says=says, since=now)
        said_s, silence_s = self._said.get(hitch, (float("-inf"), SAY_AGAIN_S / 2))
        if now_s < said_s + silence_s:
            return
        again = now_s < said_s + 4 * silence_s
        self._said[hitch] = (now_s, min(silence_s * 2 if again else SAY_AGAIN_S, LONGEST_SILENCE_S))
        lasted_s = now_s - self._began_s
        ago = (
            f" (for {lasted_s / 60:.0f} min, {self._tries} tries; it goes on by itself)"
            if lasted_s > SAY_AGAIN_S
            else ""
        )
        log.warning("%s%s", says, ago)

    def _over(self) -> None:
        if self._trouble is None:
            return
        lasted_s = self._clock_s() - self._began_s
        if lasted_s > SAY_OVER_S:
            log.info("goes on after %.0f s: %s is over", lasted_s, self._trouble.hitch)
        self._trouble = None
