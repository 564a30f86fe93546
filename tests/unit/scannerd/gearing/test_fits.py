"""Angles into gears and swings."""

import numpy as np
import pytest

from scannerd.gearing.fits import Rest, nearest_turn, scale_of, swing_of


def rest(frequency_hz: float, frame_s: float, first_s: float, noise_deg: float, seed: int) -> Rest:
    after_s = np.arange(first_s, 0.9, frame_s)
    omega = 2 * np.pi * frequency_hz
    swing = 0.1 * np.exp(-0.08 * omega * after_s) * np.sin(omega * after_s + 1.0)
    return Rest(after_s, swing + np.random.default_rng(seed).normal(0, noise_deg, len(after_s)))


@pytest.mark.parametrize("frequency_hz", [4.0, 8.0, 13.0])
def test_a_swing_is_told_at_thirty_frames_a_second(frequency_hz: float) -> None:
    swing = swing_of([rest(frequency_hz, 1 / 30, 0.011 * stop, 0.004, stop) for stop in range(3)])
    assert swing is not None
    assert swing.frequency_hz == pytest.approx(frequency_hz, rel=0.03)
    assert swing.amplitude_deg == pytest.approx(0.1, rel=0.4)


def test_twelve_frames_a_second_tell_nothing_rather_than_another_frequency() -> None:
    assert swing_of([rest(8.0, 1 / 12, first_s, 0.002, 7) for first_s in (0.0, 0.011, 0.031)]) is None


def test_noise_is_no_swing() -> None:
    random = np.random.default_rng(3)
    rests = [Rest(0.03 * np.arange(30), random.normal(0, 0.004, 30)) for _ in range(3)]
    assert swing_of(rests) is None
    assert swing_of([]) is None


def test_the_scale_of_more_than_a_turn() -> None:
    commanded = [15.0 + 30 * place for place in range(14)]
    noise = np.random.default_rng(1).normal(0, 0.01, 14)
    scale = scale_of(commanded, [-0.5 * angle + 3 + off for angle, off in zip(commanded, noise, strict=True)])
    assert scale.true_per_commanded == pytest.approx(-0.5, abs=4 * scale.deviation)
    assert scale.deviation < 1e-4


@pytest.mark.parametrize(("seen", "expected", "angle"), [(10, 365, 370), (-170, 200, 190), (5, 0, 5)])
def test_whole_turns_are_those_that_were_expected(seen: float, expected: float, angle: float) -> None:
    assert nearest_turn(seen, expected) == angle
