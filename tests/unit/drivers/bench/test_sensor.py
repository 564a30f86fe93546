import itertools
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bench.automatics import NEUTRAL_GAINS, AfState, Automatics, Eye, Light
from drivers.bench.bench_clock import BenchClock
from drivers.bench.sensor import CONTROL_DELAY_FRAMES, Sensor
from drivers.bench.sensor_models import IMX477, IMX708
from drivers.bench.sensor_settings import SensorSettings
from drivers.bench.world import Shot

BINNED, FULL = IMX477.modes
MANUAL = {"AeEnable": False, "AwbEnable": False}
DEADLINE_S = 60.0


def eye_on(light: Light, sharp_at_dioptres: float = 2.0) -> Eye:
    return Eye(lambda: light, lambda place, windows: 1 / (1 + (place - sharp_at_dioptres) ** 2))


class Film:
    """Takes every frame; the n-th carries the controls of `controls[n]`."""

    def __init__(self, frames: int, controls: dict[int, Mapping[str, Any]] | None = None) -> None:
        self.shots: list[Shot] = []
        self.full = threading.Event()
        self._frames = frames
        self._controls = controls or {}

    def take_request(self) -> Mapping[str, Any] | None:
        return self._controls.get(len(self.shots), {})

    @property
    def eye(self) -> Eye:
        return eye_on(Light(0.3, 0.6, 0.3))

    def expose(self, shot: Shot, settings: SensorSettings, focus: AfState, sequence: int) -> None:
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


@given(st.floats(40, 1e6), st.sampled_from(IMX477.modes))
def test_an_exposure_is_a_whole_number_of_lines(exposure_us: float, mode: Any) -> None:
    settings = SensorSettings().after({**MANUAL, "ExposureTime": exposure_us}).realised(IMX477, mode)
    assert exposure_us - mode.line_s * 1e6 - 1 <= settings.exposure_us <= exposure_us + 0.5
    assert settings.frame_s(mode) >= max(mode.frame_time_s, settings.exposure_us * 1e-6)


def test_the_frame_rate_limits_the_exposure() -> None:
    settings = SensorSettings().after({**MANUAL, "ExposureTime": 200_000, "FrameDurationLimits": (100, 83_333)})
    assert settings.realised(IMX477, BINNED).exposure_us < 83_333


@pytest.mark.parametrize(("asked", "given_back"), [(1.0, 1.0), (2.0, 2.0), (3.0, 1024 / 341), (99.0, 1024 / 47)])
def test_gain_is_rounded_to_the_register(asked: float, given_back: float) -> None:
    settings = SensorSettings().after({**MANUAL, "AnalogueGain": asked}).realised(IMX477, FULL)
    assert settings.analogue_gain == pytest.approx(given_back)


def test_left_to_itself_it_follows_the_light_and_trembles() -> None:
    automatics, left_alone = Automatics(), SensorSettings()
    seen = []
    for light in [Light(0.3, 0.6, 0.3)] * 40 + [Light(0.1, 0.2, 0.1)] * 40:
        seen.append(automatics.fill(left_alone).realised(IMX477, BINNED))
        automatics.observe(seen[-1], eye_on(light))
    bright, dim = ([shot.exposure_us * shot.analogue_gain for shot in seen[at : at + 10]] for at in (30, 70))
    assert len(set(bright)) > 5
    assert max(bright) < 1.02 * min(bright)
    assert sum(dim) / sum(bright) == pytest.approx(3, rel=0.03)
    assert seen[39].colour_gains[0] < NEUTRAL_GAINS[0]
    locked = [automatics.fill(left_alone.after(MANUAL)).realised(IMX477, BINNED) for _ in range(5)]
    assert len(set(locked)) == 1


def searched(sharp_at_dioptres: float) -> tuple[AfState, float | None]:
    automatics, settings = Automatics(), SensorSettings().after({**MANUAL, "AfMode": 1})
    assert automatics.af_state is AfState.IDLE
    automatics.trigger_focus()
    for _ in range(400):
        automatics.observe(settings, eye_on(Light(0.5, 0.5, 0.5), sharp_at_dioptres))
        if automatics.af_state is not AfState.SCANNING:
            break
    return automatics.af_state, automatics.fill(settings).realised(IMX708, IMX708.full).focus_dioptres


@pytest.mark.parametrize("sharp_at_dioptres", [0.5, 2.1, 6.8])
def test_a_triggered_lens_finds_the_sharpest_place(sharp_at_dioptres: float) -> None:
    state, place = searched(sharp_at_dioptres)
    assert state is AfState.FOCUSED
    assert place == pytest.approx(sharp_at_dioptres, abs=0.13)


def test_a_lens_that_sees_nothing_sharp_says_so() -> None:
    assert searched(1000.0)[0] is AfState.FAILED
