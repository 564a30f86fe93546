"""What a stop of the platter gives: where it arrived, and the frame that each camera took there."""

from dataclasses import dataclass
from datetime import datetime

from drivers.protocols import DriverError, Frame
from scannerd.scan.plan import Viewpoint

IRREGULAR, LATE_S = 1.03, 0.01


@dataclass(frozen=True)
class Arrival:
    """Where the platter is, and what it took. Times are the hardware's."""

    angle_deg: float
    began_s: float
    arrived_s: float
    """Of the last step."""
    floor_move_s: float
    """What the move takes at the configured limits."""
    moved: bool
    offset_deg: float = 0.0
    """What was added to the axis's angle."""

    @property
    def is_regular(self) -> bool:
        """Whether the steps came as planned; late ones, on a busy machine, leave the platter swinging differently."""
        return self.arrived_s - self.began_s < self.floor_move_s * IRREGULAR + LATE_S


@dataclass(frozen=True)
class Shot:
    """A frame, when it was taken, and what it took. Times are the hardware's."""

    frame: Frame
    taken_at: datetime
    waiting_since_s: float
    """The last step, or the moment from which a retake waited."""
    exposed_s: float
    """The exposure began."""
    free_s: float
    """The frame was in the camera's memory; as far as that camera goes, the table could leave."""
    done_s: float
    """The frame was copied."""
    floor_capture_s: float
    """Exposure and readout."""
    settled: bool
    """False: the wait was cut short while the object still moved."""
    believed: bool
    """Whether the object was taken to stand still without two pictures having been compared."""
    beside: bool = False
    """Taken while another camera took the stop's first photo: what it waited for is that one's."""

    @property
    def closed_s(self) -> float:
        """The exposure ended."""
        return self.exposed_s + self.frame.exposure_us * 1e-6

    @property
    def settle_s(self) -> float:
        """From the last step to the exposure."""
        return self.exposed_s - self.waiting_since_s

    @property
    def capture_s(self) -> float:
        """From the exposure's begin until the table could leave."""
        return self.free_s - self.exposed_s


@dataclass(frozen=True)
class Neighbour:
    """What another camera made of the same stop."""

    viewpoint: Viewpoint
    outcome: Shot | DriverError
