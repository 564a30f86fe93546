import itertools
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bench.bench_clock import BenchClock
from drivers.bench.sensor import CONTROL_DELAY_FRAMES, MODES, Sensor, SensorSettings
from drivers.bench.world import Shot

BINNED, FULL = MODES
MANUAL = {"AeEnable": False, "AwbEnable": False}
DEADLINE_S = 10.0


class Film:
    """Takes every frame; the n-th carries the controls of `controls[n]`."""

    def __init__(self, frames: int, controls: dict[int, Mapping[str, Any]] | None = None) -> None:
        self.shots: list[Shot] = []
        self.full = threading.Event()
        self._frames = frames
        self._controls = controls or {}

    def take_request(self) -> Mapping[str, Any] | None:
        return self._controls.get(len(self.shots), {})

    def expose(self, shot: Shot, settings: SensorSettings, sequence: int) -> None:
        self.shots.append(shot)

    def deliver(self) -> None:
        if len(self.shots) >= self._frames:
            self.full.set()


def filmed(frames: int, settings: SensorSettings, controls: dict[int, Mapping[str, Any]] | None = None) -> list[Shot]:
    sensor, film = Sensor(BenchClock(speed=10)), Film(frames, controls)
    sensor.start(BINNED, settings, film)
    assert film.full.wait(DEADLINE_S)
    sensor.stop()
    sensor.stop()
    return film.shots


def test_frames_follow_each_other_without_overlap() -> None:
    shots = filmed(8, SensorSettings().after({**MANUAL, "ExposureTime": 20_000}))
    assert all(later.start_s >= earlier.end_s for earlier, later in itertools.pairwise(shots))


def test_a_control_takes_effect_three_frames_later() -> None:
    settings = SensorSettings().after({**MANUAL, "ExposureTime": 20_000})
    shots = filmed(8, settings, {2: {"ExposureTime": 5_000}})
    changed_at = 2 + CONTROL_DELAY_FRAMES
    assert all(shot.exposure_us > 19_900 for shot in shots[:changed_at])
    assert all(shot.exposure_us < 5_100 for shot in shots[changed_at:8])


@given(st.floats(40, 1e6), st.sampled_from(MODES))
def test_an_exposure_is_a_whole_number_of_lines(exposure_us: float, mode: Any) -> None:
    settings = SensorSettings().after({**MANUAL, "ExposureTime": exposure_us}).realised(mode, sequence=5)
    assert exposure_us - mode.line_s * 1e6 - 1 <= settings.exposure_us <= exposure_us + 0.5
    assert settings.frame_s(mode) >= max(mode.frame_time_s, settings.exposure_us * 1e-6)


def test_the_frame_rate_limits_the_exposure() -> None:
    settings = SensorSettings().after({**MANUAL, "ExposureTime": 200_000, "FrameDurationLimits": (100, 83_333)})
    assert settings.realised(BINNED, 0).exposure_us < 83_333


@pytest.mark.parametrize(("asked", "given_back"), [(1.0, 1.0), (2.0, 2.0), (3.0, 1024 / 341), (99.0, 1024 / 47)])
def test_gain_is_rounded_to_the_register(asked: float, given_back: float) -> None:
    settings = SensorSettings().after({**MANUAL, "AnalogueGain": asked}).realised(FULL, 0)
    assert settings.analogue_gain == pytest.approx(given_back)


def test_left_to_itself_it_hunts() -> None:
    automatic = [SensorSettings().realised(BINNED, sequence) for sequence in range(5)]
    assert len({settings.exposure_us for settings in automatic}) == 5
    assert len({settings.colour_gains for settings in automatic}) == 5
    locked = [SensorSettings().after(MANUAL).realised(BINNED, sequence) for sequence in range(5)]
    assert len(set(locked)) == 1
