"""How long each phase may last before something hangs, computed from what moves, exposes, and is written."""

from collections.abc import Callable, Sequence

from drivers.protocols import Axis, Camera
from scannerd.config import Config
from scannerd.scan.phases import Phase
from scannerd.scan.plan import ScanPlan
from scannerd.scan.platter_finder import LOOKS
from scannerd.store.space import photo_bytes

BUSY_S = 6.0
"""What a busy machine may add to anything."""
SLACK = 2.0
"""A pulse train made by a program runs late; half the configured speed is still no fault."""
CAMERA_GRACE_S = 3.0
FRAMES_OF_PATIENCE = 4
"""The camera's driver starts the stream anew after so many frame times and that grace, and gives up after as long."""
CAMERA_RESTART_S = 8.0
FRAMES_TO_START = 20
"""What the new start takes: letting go of the camera, and frames until one shows the lock."""
TRIES = 2
"""Of a frame, each with a start of its own where cameras stream in turns."""
JUDGING_S_PER_MPX = 2.0
"""Edges of 12 megapixels take 2 s on a Pi 4."""
CARD_STALL_S = 20.0
"""An SD card that cleans up answers an fsync so late."""
CARD_BYTES_PER_S = 500_000
"""A worn card, written to."""
HASHING_BYTES_PER_S = 5_000_000
"""The same card, read from."""
SHEET_S_PER_PHOTO = 0.5
FARTHEST_MOVE_DEG = 360.0


class Deadlines:
    """Of one device with one configuration."""

    def __init__(self, config: Config, axis: Axis, cameras: Sequence[Camera], lift: Axis | None = None) -> None:
        self._config = config
        self._axis = axis
        self._lift = lift
        self._cameras = cameras
        self._rules: dict[Phase, Callable[[ScanPlan | None], float | None]] = {
            Phase.IDLE: lambda plan: None,
            Phase.PAUSED: lambda plan: None,
            Phase.PREPARING: self._preparing_s,
            Phase.MOVING: lambda plan: self._move_s(),
            Phase.JOGGING: lambda plan: self._move_s(),
            Phase.SETTLING: self._settling_s,
            Phase.CAPTURING: lambda plan: self._capture_s(),
            Phase.JUDGING: self._backlog_s,
            Phase.STORING: self._backlog_s,
            Phase.SEALING: self._sealing_s,
            Phase.BACKGROUND: lambda plan: self._capture_s() + self._storing_s(plan),
        }

    def of(self, phase: Phase, plan: ScanPlan | None = None) -> float | None:
        """Return the longest that a phase may last, in seconds; None for a phase that waits for people.

        `plan` is the running scan's.
        """
        seconds = self._rules[phase](plan)
        return None if seconds is None else seconds + BUSY_S

    @property
    def answer_s(self) -> float:
        """The longest that the desk may need for a command: what it waits for itself is the disk."""
        return self._storing_s(None) + BUSY_S

    def _move_s(self) -> float:
        """One motor moves after the other."""
        lift = self._config.lift
        raising_s = self._lift.move_time_s(lift.lowest_deg, lift.highest_deg) if self._lift is not None else 0.0
        return SLACK * max(self._axis.move_time_s(0.0, FARTHEST_MOVE_DEG), raising_s)

    def _settling_s(self, plan: ScanPlan | None) -> float:
        """The camera delivers frames all the while, until the object stands still or the cap is reached."""
        scan = plan or self._config.scan
        return self._dwell_s(plan) + SLACK * scan.settle_cap_s + self._capture_s()

    def _dwell_s(self, plan: ScanPlan | None) -> float:
        scan = plan or self._config.scan
        return SLACK * scan.settle_s * (scan.max_retakes + 1)

    @property
    def _frame_s(self) -> float:
        """Of the slowest camera: they take their photos at once."""
        pairs = zip(self._config.every_camera, self._cameras, strict=True)
        return max(section.exposure_us * 1e-6 + camera.description.readout_s for section, camera in pairs)

    def _first_try_s(self) -> float:
        return FRAMES_OF_PATIENCE * SLACK * self._frame_s + CAMERA_GRACE_S

    def _second_try_s(self) -> float:
        return CAMERA_RESTART_S + FRAMES_TO_START * self._frame_s + self._first_try_s()

    def _capture_s(self) -> float:
        return self._first_try_s() + self._second_try_s() + self._turns_s()

    def _turns_s(self) -> float:
        """What is added where cameras stream in turns: they fail in turns, too, each after starts of its stream."""
        turns_s = [camera.description.turn_s for camera in self._cameras if camera.description.turn_s]
        more = max(0, len(turns_s) - 1)
        return more * (self._first_try_s() + self._second_try_s()) + TRIES * SLACK * sum(turns_s)

    def _judging_s(self) -> float:
        return JUDGING_S_PER_MPX * self._largest_px / 1e6

    @property
    def _largest_px(self) -> int:
        return max(camera.width_px * camera.height_px for camera in self._config.every_camera)

    def _backlog_s(self, plan: ScanPlan | None) -> float:
        """One frame is judged, and one is written; the phase begins anew with each that gets there."""
        return self._judging_s() + self._storing_s(plan)

    def _storing_s(self, plan: ScanPlan | None) -> float:
        size_bytes = photo_bytes(plan) if plan else 1.1 * self._largest_px
        return CARD_STALL_S + size_bytes / CARD_BYTES_PER_S

    def _sealing_s(self, plan: ScanPlan | None) -> float:
        return self._storing_s(plan) + SHEET_S_PER_PHOTO * (len(plan.viewpoints) if plan else 1)

    def _preparing_s(self, plan: ScanPlan | None) -> float:
        """A new scan homes; a resumed one hashes its photos, and looks where the platter stands."""
        hashed_s = len(plan.viewpoints) * photo_bytes(plan) / HASHING_BYTES_PER_S if plan else 0.0
        look_s = 2.0**LOOKS * self._dwell_s(plan) + self._first_try_s() + self._judging_s()
        return (
            hashed_s
            + LOOKS * look_s
            + self._second_try_s()
            + self._turns_s()
            + self._move_s()
            + self._storing_s(plan)
        )
