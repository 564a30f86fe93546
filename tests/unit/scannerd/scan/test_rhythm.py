"""The frame clock against the mechanics of the simulated platter: how near photos come to what physics allows."""

from dataclasses import dataclass, field
from statistics import fmean

import numpy as np
import pytest

from drivers.bench.platter import Platter, PlatterMechanics
from drivers.motion_profile import MotionLimits, move_time_s, plan_move
from scannerd.scan.rhythm import Beat, Rhythm
from scannerd.scan.settle import STILL_PX

FRAME_S, EXPOSURE_S = 0.1, 0.02
LIMITS = MotionLimits(60.0, 180.0)
PX_PER_DEG = 11.6
"""At the rim of an object of 110 mm, in a photo of 12 megapixels."""
DECIDING_S = 0.012
"""From a frame in memory to the next move's first step."""


@dataclass
class Turning:
    """Scans with an ideal motion meter on a sensor whose frames come on a grid."""

    step_deg: float
    mechanics: PlatterMechanics
    frame_s: float = FRAME_S
    rhythm: Rhythm = field(default_factory=lambda: Rhythm(FRAME_S))
    cycles_s: list[float] = field(default_factory=list)
    floors_s: list[float] = field(default_factory=list)
    blurs_px: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.platter = Platter(self.mechanics)
        self.rng = np.random.default_rng(4)

    def swing_px(self, began_s: float) -> float:
        angles = self.platter.sample(began_s, began_s + EXPOSURE_S, 7)
        return (max(angles) - min(angles)) * PX_PER_DEG

    def settling_needed_s(self, arrived_s: float) -> float:
        waits_s = np.arange(0, 1.5, 0.005)
        return max((wait_s for wait_s in waits_s if self.swing_px(arrived_s + wait_s) >= 0.5), default=0.0)

    def visit(self, before_s: float) -> float:
        """Turn on from a photo that was exposed at `before_s`; return when the next one was."""
        at_s = before_s + EXPOSURE_S + FRAME_S + DECIDING_S * (0.6 + 0.8 * self.rng.random())
        steps = round(self.step_deg / self.mechanics.step_deg)
        for interval_s in plan_move(steps, self.mechanics.step_deg, LIMITS).intervals_s:
            at_s += interval_s
            self.platter.step(1, at_s)
        beat, exposed_s = self.photograph(before_s, at_s)
        floor_s = move_time_s(self.step_deg, LIMITS) + self.settling_needed_s(at_s) + EXPOSURE_S + FRAME_S
        self.floors_s.append(floor_s)
        self.cycles_s.append(exposed_s - before_s)
        self.blurs_px.append(self.swing_px(exposed_s))
        if self.rhythm.take(beat) and self.rhythm.frame_s is not None:
            self.frame_s = self.rhythm.frame_s
        return exposed_s

    def photograph(self, before_s: float, arrived_s: float) -> tuple[Beat, float]:
        seen: list[tuple[float, float | None]] = []
        frame = int(np.ceil((arrived_s - before_s) / self.frame_s))
        angle_deg = np.inf
        trusted_s = self.rhythm.trusted_s
        while not seen or (
            (seen[-1][1] or 0.0) > STILL_PX
            and not (len(seen) == 1 and seen[0][0] >= (np.inf if trusted_s is None else trusted_s))
        ):
            exposed_s = before_s + frame * self.frame_s
            now_deg = float(np.mean(self.platter.sample(exposed_s, exposed_s + EXPOSURE_S, 5)))
            seen.append((exposed_s - arrived_s, abs(now_deg - angle_deg) * PX_PER_DEG))
            angle_deg, frame = now_deg, frame + 1
        return Beat(before_s, arrived_s, tuple(seen)), exposed_s

    def scan(self, views: int) -> float:
        """Return mean cycle over mean floor, the first viewpoints included."""
        exposed_s = 0.0
        for _ in range(views):
            exposed_s = self.visit(exposed_s)
        return fmean(self.cycles_s) / fmean(self.floors_s)


@pytest.mark.parametrize("step_deg", [3.0, 6.0, 10.0, 15.0])
@pytest.mark.parametrize("resonance_hz", [8.0, 13.0])
def test_a_scan_keeps_near_to_what_physics_allows(step_deg: float, resonance_hz: float) -> None:
    """A belt that rests before two frames can be compared costs frames for proof, and is believed in between."""
    locked, free = (Turning(step_deg, PlatterMechanics(resonance_hz=resonance_hz)) for _ in range(2))
    free.rhythm.take = lambda beat: False  # type: ignore[method-assign]

    ratio = locked.scan(views=60)

    assert ratio < 1.18
    assert ratio < free.scan(views=60) - 0.01


@pytest.mark.parametrize("step_deg", [3.0, 6.0, 10.0, 15.0])
@pytest.mark.parametrize("resonance_hz", [5.0, 8.0, 13.0])
def test_no_photo_is_taken_while_the_object_swings(step_deg: float, resonance_hz: float) -> None:
    turning = Turning(step_deg, PlatterMechanics(resonance_hz=resonance_hz))
    turning.scan(views=60)
    assert max(turning.blurs_px) < 1.1
    assert np.quantile(turning.blurs_px, 0.5) < 0.6


def test_the_default_turntable_loses_less_than_a_twentieth() -> None:
    assert Turning(6.0, PlatterMechanics()).scan(views=60) < 1.05


def test_the_first_viewpoints_are_taken_on_the_free_running_stream() -> None:
    rhythm = Rhythm(FRAME_S)
    beat = Beat(0.0, 0.5, ((0.05, np.inf), (0.15, 0.3)))

    assert [rhythm.take(beat) for _ in range(2)] == [False, False]
    assert rhythm.frame_s is None
    assert rhythm.take(beat)
    assert FRAME_S <= (rhythm.frame_s or 0.0) <= 1.5 * FRAME_S


def proved(after_s: float, moved_px: float = 0.1) -> Beat:
    """A first frame that the second one proves, or not."""
    return Beat(0.0, 0.5, ((after_s, np.inf), (after_s + 0.1, moved_px)))


def test_a_first_frame_is_believed_only_after_proofs_and_never_after_a_blurred_photo() -> None:
    rhythm = Rhythm(FRAME_S)
    for after_s in (0.05, 0.07):
        rhythm.take(proved(after_s))
    assert rhythm.trusted_s is None
    rhythm.take(proved(0.1))
    assert rhythm.trusted_s == pytest.approx(0.05)

    rhythm.take(Beat(0.0, 0.5, ((0.05, np.inf),)))
    assert rhythm.trusted_s is None, "the next one is to be proved again"
    rhythm.take(proved(0.05))
    assert rhythm.trusted_s is not None

    rhythm.distrust()
    assert rhythm.trusted_s is None


def test_proofs_at_one_moment_of_the_swing_prove_nothing() -> None:
    """A swing that turns round just then looks like rest every time."""
    rhythm = Rhythm(FRAME_S)
    for _ in range(10):
        rhythm.take(proved(0.05))
    assert rhythm.trusted_s is None


def test_what_swung_once_is_not_believed_any_sooner() -> None:
    rhythm = Rhythm(FRAME_S)
    for after_s in (0.03, 0.05, 0.07, 0.09, 0.11):
        rhythm.take(proved(after_s))
    assert rhythm.trusted_s == pytest.approx(0.03)
    rhythm.take(proved(0.04, moved_px=STILL_PX))
    assert (rhythm.trusted_s or 1.0) > 0.04


def test_one_slow_viewpoint_among_quick_ones_lengthens_the_time_only_for_a_while() -> None:
    rhythm = Rhythm(FRAME_S)
    quick, slow = Beat(0.0, 0.50, ((0.13, np.inf), (0.23, 0.5))), Beat(0.0, 0.54, ((0.13, np.inf), (0.23, 0.5)))
    for _ in range(6):
        rhythm.take(quick)
    usual_s = rhythm.frame_s
    rhythm.take(slow)
    assert (rhythm.frame_s or 0.0) > (usual_s or 0.0)
    for _ in range(8):
        rhythm.take(quick)
    assert rhythm.frame_s == pytest.approx(usual_s, abs=0.003)
