"""Any USB camera, through the kernel's video devices."""

from drivers.clock import SystemClock
from drivers.options_v4l2 import V4l2Options
from drivers.protocols import CameraSettings, Clock
from drivers.streaming_camera import StreamingCamera
from drivers.v4l2_meter import meter
from drivers.v4l2_session import V4l2Session

CABLE = "plug the USB camera in, into another socket if need be"


class V4l2Camera(StreamingCamera[V4l2Session]):
    """`Camera` over one video device."""

    def __init__(self, options: V4l2Options, clock: Clock | None = None) -> None:
        """Remember what is wanted; nothing is opened yet. `clock` is the hardware's, else the system's."""
        clock = clock or SystemClock()
        super().__init__(
            begin=lambda wanted, frame_s, _: V4l2Session(options, wanted, frame_s, clock),
            meter=meter,
            wanted=CameraSettings(
                options.exposure_us, options.analogue_gain, options.colour_gains, options.focus_dioptres
            ),
            cable=CABLE,
        )
