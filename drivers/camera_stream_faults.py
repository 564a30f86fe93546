"""Why a stream brings no frame, whatever hardware it comes from."""

from drivers.protocols import CameraTimeout

LOOK_UP_S = 0.1
"""How soon a thread that waits for a frame notices that nobody wants it any more."""


class FrameLate(Exception):
    """No frame came in time. The stream may still be alive."""


class Abandoned(Exception):
    """Nobody waits for the frame any more."""


class BrokenPicture(CameraTimeout):
    """What arrived is not a whole picture: some of it went missing on the way."""
