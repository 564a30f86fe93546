"""A Raspberry Pi camera through picamera2, as a running stream of which single frames are kept."""

from drivers.camera_meter import meter
from drivers.camera_session import CameraSession
from drivers.clock import SystemClock
from drivers.options import Picamera2Options
from drivers.protocols import CameraSettings, Clock
from drivers.streaming_camera import StreamingCamera

CABLE = "push the camera's ribbon cable firmly into both sockets"


class Picamera2Camera(StreamingCamera[CameraSession]):
    """`Camera` over one libcamera camera."""

    def __init__(self, options: Picamera2Options, clock: Clock | None = None) -> None:
        """Remember what is wanted; nothing is opened yet. `clock` is the hardware's, else the system's."""
        clock = clock or SystemClock()
        super().__init__(
            begin=lambda wanted, frame_s, keeps_raw: CameraSession(
                options, wanted, frame_s, clock, keeps_raw=keeps_raw
            ),
            meter=meter,
            wanted=CameraSettings(
                options.exposure_us, options.analogue_gain, options.colour_gains, options.lens_position_dioptres
            ),
            cable=CABLE,
        )
