"""The one name that picamera2 imports from here."""


class Picamera2Camera:
    """Describes a raw frame to PiDNG."""

    def __init__(self, *_arguments: object) -> None:
        raise ImportError("saving DNG needs the package pidng: apt install gcc python3-dev, then pip install pidng")
