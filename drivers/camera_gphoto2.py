"""Any DSLR or system camera that libgphoto2 knows, on USB."""

from drivers.camera_highlights import exposed_for_highlights
from drivers.clock import SystemClock
from drivers.gphoto2_session import Gphoto2Session
from drivers.options_gphoto2 import Gphoto2Options
from drivers.picture import Planes
from drivers.protocols import CameraSettings, Clock, Window
from drivers.streaming_camera import StreamingCamera

CABLE = "switch the camera off and on, look after its battery and its USB cable"


class Gphoto2Camera(StreamingCamera[Gphoto2Session]):
    """`Camera` over one body. Looks are its live view; each photo is a release of the shutter."""

    def __init__(self, options: Gphoto2Options, clock: Clock | None = None) -> None:
        """Remember what is wanted; nothing is opened yet. `clock` is the hardware's, else the system's."""
        clock = clock or SystemClock()
        super().__init__(
            begin=lambda wanted, _, keeps_raw: Gphoto2Session(options, wanted, clock, keeps_raw=keeps_raw),
            meter=_metered,
            wanted=CameraSettings(options.exposure_us, options.analogue_gain, options.colour_gains, None),
            cable=CABLE,
        )


def _metered(session: Gphoto2Session, window: Window) -> CameraSettings:
    """Expose for highlights by photos: a live view is as bright as the camera likes it."""
    return exposed_for_highlights(session, session.lock(session.wanted), window, _photographed)


def _photographed(session: Gphoto2Session) -> Planes:
    with session.frames(0.0) as frames:
        frame = session.next(frames)
        frame.photo()
        return frame.small()
