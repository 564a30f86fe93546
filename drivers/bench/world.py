"""The truth that pins, camera and tests share: the time, the platter, and what stands on it."""

import math
import threading
from dataclasses import dataclass

from drivers.bench.bench_clock import BenchClock
from drivers.bench.flicker import LightFlicker
from drivers.bench.footing import Footing
from drivers.bench.index_flag import IndexFlag
from drivers.bench.lamps import SimulatedLamp, SimulatedLight
from drivers.bench.lift import Lift
from drivers.bench.motor_weakness import MotorWeakness
from drivers.bench.platter import HICCUP_S, Platter, PlatterMechanics
from drivers.bench.scene import Exposure

STILL_DEG = 0.01
"""A platter that moved less than this while the shutter was open stood still: a twentieth of a pixel at the rim."""
BLUR_SAMPLE_DEG = 0.1
MAX_BLUR_SAMPLES = 9


@dataclass(frozen=True)
class Shot:
    """What the sensor did for one frame. Times are the bench's."""

    start_s: float
    """The shutter opens."""
    exposure_us: float
    analogue_gain: float
    colour_gains: tuple[float, float]
    """Red and blue."""
    focus_dioptres: float | None = None
    """Where a motor holds the lens; None: as a hand left it."""
    readout_s: float = 0.0
    """From the first row's opening to the last one's: a rolling shutter."""

    @property
    def end_s(self) -> float:
        """The shutter closes for the first row."""
        return self.start_s + self.exposure_us * 1e-6

    @property
    def row_exposed_share(self) -> float:
        """Of the time from the first row's opening to the last one's closing, what each row is open for."""
        exposure_s = self.exposure_us * 1e-6
        return exposure_s / (exposure_s + self.readout_s)


class World:
    """One simulated scanner standing in one simulated room."""

    def __init__(
        self,
        clock: BenchClock,
        mechanics: PlatterMechanics | None = None,
        light_fitted: bool = False,
        lift: Lift | None = None,
    ) -> None:
        """An object on a platter at 0°; without a lift the camera stands on a tripod."""
        self.clock = clock
        self.platter = Platter(mechanics, HICCUP_S * clock.speed)
        self._footing = Footing(self.platter)
        self._wobble = self.platter.mechanics.wobble
        self.flag = IndexFlag()
        """On the platter's rim."""
        self.lift = lift
        """What carries the camera, where a motor does."""
        self._tripod_deg: float | None = None
        self.lamp = SimulatedLamp()
        self.buzzer = SimulatedLamp()
        """Sounds where a lamp would shine."""
        self.light = SimulatedLight(light_fitted)
        self.flicker = LightFlicker()
        self.lens_turned_dioptres: float | None = None
        """Where a hand left the lens; None: where it is sharp. For lenses without a motor."""
        self.object_present = True
        self.object_upside_down = False
        self.pulses = 0
        """STEP edges that reached the motor driver, whether or not it was enabled."""
        self.exposures = 0
        """Frames whose light the sensor gathered, looked at or not."""
        self.pictures = 0
        """Photos that somebody looked at, so that they were computed."""
        self.companions = 0
        """Companions that were computed without their photo."""
        self.jammed = False
        """Something holds the platter: pulses still count, nothing turns."""
        self.motor = MotorWeakness()
        """Pulses that are lost on request; those that torque loses are the platter's own."""
        self.emergency_stop_pushed = False
        self.mat_turned_deg = 0.0
        """By how much the mat, and what stands on it, were turned on the platter by hand."""
        self.camera_hangs = False
        """The sensor has stopped sending frames; its driver only finds out by waiting."""
        self.others_hang: set[int] = set()
        """Further cameras, by number, that have."""
        self.camera_lets_go = threading.Event()
        """Clear: who stops the stream waits for ever, as libcamera does with a cable that hangs half out of its
        socket."""
        self.camera_lets_go.set()
        self._restart_helps = False
        self._late_s = 0.0

    @property
    def pulses_lost(self) -> int:
        """Microsteps that the motor did not make, or made too many, so far."""
        return self.motor.lost + self.platter.steps_lost

    @property
    def angle_deg(self) -> float:
        """Where the platter truly is at this moment."""
        return self.platter.true_angle_deg(self.clock.now_s())

    @property
    def object_turned_deg(self) -> float:
        """By how much the object has slid around on the mat."""
        return self._footing.turned_deg(self.clock.now_s())

    @property
    def camera_elevation_deg(self) -> float | None:
        """Of the camera above the platter, at this moment; None: as the scene has it, and nobody has moved it."""
        return self._tripod_deg if self.lift is None else self.lift.elevation_deg

    def put_camera(self, elevation_deg: float) -> None:
        """Move the camera up or down by hand, aimed at the same point."""
        if self.lift is None:
            self._tripod_deg = elevation_deg
        else:
            self.lift.put(elevation_deg)

    def place_object(self) -> None:
        """Put the object on the platter."""
        self.object_present = True

    def remove_object(self) -> None:
        """Take it away: what remains is the empty table for the background plate."""
        self.object_present = False

    def turn_object_over(self) -> None:
        """Lay the object on its head, or on its foot again."""
        self.object_upside_down = not self.object_upside_down

    def at_index(self) -> bool:
        """Whether the sensor beside the platter sees the flag."""
        return self.was_at_index(self.clock.now_s())

    def was_at_index(self, at_s: float) -> bool:
        """Whether it saw the flag a moment ago."""
        return self.flag.covers(self.platter.true_angle_deg(at_s))

    def at_switch(self) -> bool:
        """Whether the camera's arm is on its switch, near the lower end."""
        return self.lift is not None and self.lift.elevation_deg <= self.lift.mechanics.switch_deg

    def pulse_table(self, direction: float, enabled: bool, at_s: float | None = None) -> None:
        """Take a STEP edge at the platter's motor driver, which may be off; now, or a moment ago."""
        self.pulses += 1
        meant_s = self.clock.take_wait_s() if at_s is None else None
        now_s = self.clock.now_s() if at_s is None else at_s
        follows = self.motor.follows(now_s, self.platter.mechanics.step_deg)
        if enabled and follows and not self.jammed:
            self.platter.step(direction, now_s, meant_s)

    def pulse_lift(self, direction: float, enabled: bool) -> None:
        """Take a STEP edge at the lift's motor driver, which may be off."""
        if enabled and self.lift is not None:
            self.lift.step(direction)

    def hang_camera_until_restarted(self) -> None:
        """Let the sensor fall silent until its stream is stopped and started again."""
        self.camera_hangs = self._restart_helps = True

    def camera_started(self) -> None:
        """The stream starts: what a restart mends is mended."""
        if self._restart_helps:
            self.camera_hangs = self._restart_helps = False

    def delay_next_frame(self, late_s: float) -> None:
        """Let the next frame reach memory that much later than it should, once."""
        self._late_s = late_s

    def take_lateness_s(self) -> float:
        """Return how late the frame that is being delivered is; the ones after it are in time again."""
        late_s, self._late_s = self._late_s, 0.0
        return late_s

    def expose(self, shot: Shot, width_px: int, height_px: int) -> Exposure:
        """Gather the light of one frame, once the shutter has closed for its last row."""
        self.exposures += 1
        return self.sight(shot, width_px, height_px)

    def sight(self, shot: Shot, width_px: int, height_px: int) -> Exposure:
        """Return what a frame shows, or would show."""
        rolling_deg = self._rolling_deg(shot)
        return Exposure(
            width_px=width_px,
            height_px=height_px,
            platter_angles_deg=tuple(angle_deg + self.mat_turned_deg for angle_deg in self._angles_deg(shot)),
            exposure_us=shot.exposure_us,
            analogue_gain=shot.analogue_gain,
            colour_gains=shot.colour_gains,
            object_present=self.object_present,
            upside_down=self.object_upside_down,
            noise_seed=self.exposures,
            brightness=self.light.brightness,
            tint=self.light.tint,
            elevation_deg=self.camera_elevation_deg,
            focus_dioptres=self.lens_turned_dioptres if shot.focus_dioptres is None else shot.focus_dioptres,
            row_light=self._row_light(shot),
            rolling_angles_deg=tuple(angle_deg + self.mat_turned_deg for angle_deg in rolling_deg),
            row_exposed_share=shot.row_exposed_share if rolling_deg else 1.0,
            wobble=self._wobble.seen_by_mat(self.mat_turned_deg),
            object_turned_deg=self._footing.turned_deg(shot.end_s),
        )

    def _row_light(self, shot: Shot) -> tuple[float, ...]:
        if self.flicker.steady or not shot.readout_s:
            return ()
        light = self.light
        return self.flicker.rows(
            shot.start_s, shot.exposure_us * 1e-6, shot.readout_s, light.share_of_all, light.level
        )

    def _angles_deg(self, shot: Shot) -> tuple[float, ...]:
        return self._angles_between_deg(shot.start_s, shot.end_s)

    def _rolling_deg(self, shot: Shot) -> tuple[float, ...]:
        angles_deg = self._angles_between_deg(shot.start_s, shot.end_s + shot.readout_s) if shot.readout_s else ()
        return angles_deg if len(angles_deg) > 1 else ()

    def _angles_between_deg(self, from_s: float, to_s: float) -> tuple[float, ...]:
        """Return where the platter was, as often as its motion shows; once where it stood still."""
        angles_deg = self.platter.sample(from_s, to_s, MAX_BLUR_SAMPLES)
        travel_deg = max(angles_deg) - min(angles_deg)
        if travel_deg <= STILL_DEG:
            return (angles_deg[len(angles_deg) // 2],)
        count = min(max(math.ceil(travel_deg / BLUR_SAMPLE_DEG) + 1, 3), MAX_BLUR_SAMPLES)
        return self.platter.sample(from_s, to_s, count)
