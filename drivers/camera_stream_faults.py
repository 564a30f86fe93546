"""Why a stream brings no frame, whatever hardware it comes from."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from drivers.protocols import CameraTimeout, DriverError

LOOK_UP_S = 0.1
"""How soon a thread that waits for a frame notices that nobody wants it any more."""


class FrameLate(Exception):
    """No frame came in time. The stream may still be alive."""


class Abandoned(Exception):
    """Nobody waits for the frame any more."""


@contextmanager
def waiting_for_frame(model: str, exposure_us: float, cable: str) -> Iterator[None]:
    """Say in words why none came. Raises CameraTimeout, DriverError when nobody waits any more."""
    asked_s = time.monotonic()
    try:
        yield
    except FrameLate as error:
        raise CameraTimeout(
            f"no image from {model} in {time.monotonic() - asked_s:.1f} s (exposure {exposure_us:.0f} µs); "
            f"check the {cable}, then Resume"
        ) from error
    except Abandoned as error:
        raise DriverError("camera: nobody waits for this frame any more") from error


class BrokenPicture(CameraTimeout):
    """What arrived is not a whole picture: some of it went missing on the way."""
