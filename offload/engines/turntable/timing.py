"""How far a reconstruction is, what each stage cost, and how much memory it took."""

import resource
import time
from dataclasses import dataclass, field

from offload.engines.protocol import OnProgress
from offload.wire.jobs import Stage
from offload.wire.products import StageTime

WEIGHTS = {
    Stage.READ: 4,
    Stage.CALIBRATE: 1,
    Stage.MASK: 8,
    Stage.HULL: 8,
    Stage.SWEEP: 34,
    Stage.FUSE: 7,
    Stage.REFINE: 22,
    Stage.TEXTURE: 13,
    Stage.EXPORT: 3,
}
"""Measured shares of the processor time, of a scan with a mat."""

INTERLEAVED = (Stage.SWEEP, Stage.FUSE)
"""These take turns."""


@dataclass
class StageClock:
    """Takes the engine's progress, keeps time by stage, and tells how much of the whole is done.

    Called as an OnProgress; forwards stage and fraction to `listener`, which may ask `percent`.
    """

    listener: OnProgress
    stages: tuple[Stage, ...] = tuple(WEIGHTS)
    percent: float = 0.0
    _stage: Stage | None = None
    _since: tuple[float, float] = field(default_factory=lambda: (time.monotonic(), time.process_time()))
    _spent: dict[Stage, tuple[float, float]] = field(default_factory=dict)
    _done: dict[Stage, float] = field(default_factory=dict)

    def __call__(self, stage: Stage, fraction: float) -> None:
        """Note that `fraction` (0 to 1) of `stage` is done."""
        if stage is not self._stage:
            self._charge()
            self._stage = stage
        self._done[stage] = max(self._done.get(stage, 0.0), min(max(fraction, 0.0), 1.0))
        for earlier in self.stages[: self.stages.index(stage)]:
            if not (stage in INTERLEAVED and earlier in INTERLEAVED):
                self._done[earlier] = 1.0
        total = sum(WEIGHTS[one] for one in self.stages)
        done = sum(WEIGHTS[one] * self._done.get(one, 0.0) for one in self.stages)
        self.percent = max(self.percent, 100 * done / total)
        self.listener(stage, fraction)

    def finish(self) -> tuple[StageTime, ...]:
        """Stop the clock and return what each stage cost, in the pipeline's order."""
        self._charge()
        self._stage = None
        order = [stage for stage in self.stages if stage in self._spent]
        return tuple(
            StageTime(stage=stage, wall_s=round(self._spent[stage][0], 3), cpu_s=round(self._spent[stage][1], 3))
            for stage in order
        )

    def _charge(self) -> None:
        now = (time.monotonic(), time.process_time())
        if self._stage is not None:
            wall_s, cpu_s = self._spent.get(self._stage, (0.0, 0.0))
            self._spent[self._stage] = (wall_s + now[0] - self._since[0], cpu_s + now[1] - self._since[1])
        self._since = now


def peak_rss_mb() -> float:
    """Return the most memory this process has held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
