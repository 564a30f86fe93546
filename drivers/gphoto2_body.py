"""One camera body through python-gphoto2: its settings by what they mean, its photos as files.

Blocking, and only ever called from one thread. What goes wrong comes out as `BodyFault`, which says whether the
camera is gone.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import Any

import gphoto2

LOG = logging.getLogger(__name__)

ISO = ("iso",)
SHUTTER = ("shutterspeed2", "shutterspeed")
APERTURE = ("aperture", "f-number")
WHITE_BALANCE = ("whitebalance",)
FILES = ("imageformat", "imagequality")
TARGET = ("capturetarget",)
FOCUS = ("focusmode2", "focusmode")
AUTOFOCUS = ("autofocus",)
POWER_OFF = ("autopoweroff",)
BATTERY = ("batterylevel",)
PROGRAM = ("autoexposuremodedial", "autoexposuremode", "expprogram")
MAKER, MODEL = ("manufacturer",), ("cameramodel", "model")

NOBODY_THERE = -105
"""GP_ERROR_MODEL_NOT_FOUND: what libgphoto2 says where no camera is."""
BUSY = (-110, -2000)
"""Between two photos a camera writes, or looks for something, and takes no settings."""
TAKEN = (-53, -60)
"""Claimed or locked by another program."""
GONE = (-5, -52, NOBODY_THERE)
BUSY_S = 5.0
BETWEEN_TRIES_S = 0.05
SECOND_FILE_S = 15.0
"""A raw file is larger, and some bodies write it first."""
EVENT_MS = 200


class BodyFault(Exception):
    """The camera did not do it. `code` is libgphoto2's."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"{said} [{code}]")
        self.code = code

    @property
    def is_gone(self) -> bool:
        """Whether it is not on USB any more: switched off, unplugged, or its battery is empty."""
        return self.code in GONE

    @property
    def is_taken(self) -> bool:
        """Whether another program has it."""
        return self.code in TAKEN


@contextmanager
def told() -> Iterator[None]:
    """Give libgphoto2's errors our name."""
    try:
        yield
    except gphoto2.GPhoto2Error as error:
        raise BodyFault(error.code, error.string) from error


def bodies() -> list[tuple[str, str]]:
    """Return model and port of every camera on USB. Raises BodyFault."""
    with told():
        found = gphoto2.Camera.autodetect()
        return [(found.get_name(place), found.get_value(place)) for place in range(found.count())]


class Body:
    """A camera that was found. `close` it."""

    def __init__(self, model: str, port: str) -> None:
        """Claim it. Raises BodyFault."""
        self.model, self.port = model, port
        with told():
            ports = gphoto2.PortInfoList()
            ports.load()
            self._camera = gphoto2.Camera()
            self._camera.set_port_info(ports[ports.lookup_path(port)])
            self._camera.init()
        self._names: dict[tuple[str, ...], str | None] = {}

    def value(self, names: tuple[str, ...]) -> str | None:
        """Return what a setting is at; None where this camera has none by any of these names. Raises BodyFault."""
        widget = self._widget(names)
        with told():
            return None if widget is None else str(widget.get_value())

    def choices(self, names: tuple[str, ...]) -> list[str]:
        """Return what a setting can be set to, nothing where it cannot. Raises BodyFault."""
        widget = self._widget(names)
        if widget is None:
            return []
        with told():
            listed = widget.get_type() in (gphoto2.GP_WIDGET_RADIO, gphoto2.GP_WIDGET_MENU)
            return [str(choice) for choice in widget.get_choices()] if listed and not widget.get_readonly() else []

    def set(self, names: tuple[str, ...], value: str) -> None:
        """Set a setting and wait while the camera is busy with something else. Raises BodyFault."""
        until_s = time.monotonic() + BUSY_S
        while True:
            widget = self._widget(names)
            assert widget is not None
            try:
                with told():
                    widget.set_value(value)
                    self._camera.set_single_config(self._names[names], widget)
                    return
            except BodyFault as fault:
                if fault.code not in BUSY or time.monotonic() > until_s:
                    raise
            time.sleep(BETWEEN_TRIES_S)

    @property
    def can_look(self) -> bool:
        """Whether it shows what it sees before it takes a photo; found by trying. Raises BodyFault.

        libgphoto2 says so of many a body that does not.
        """
        try:
            self.look()
        except BodyFault as fault:
            if fault.code in (gphoto2.GP_ERROR_NOT_SUPPORTED, gphoto2.GP_ERROR):
                return False
            raise
        return True

    def look(self) -> bytes:
        """Return what it sees now, as a small JPEG. Raises BodyFault."""
        with told():
            return bytes(self._camera.capture_preview().get_data_and_size())

    def take(self, *, files: int) -> dict[str, bytes]:
        """Release the shutter and return the files of the photo by their endings, in small letters.

        They are removed from the camera. Raises BodyFault.
        """
        taken: dict[str, bytes] = {}
        with told():
            place = self._camera.capture(gphoto2.GP_CAPTURE_IMAGE)
            self._fetch(place.folder, place.name, taken)
            until_s = time.monotonic() + SECOND_FILE_S
            while len(taken) < files and time.monotonic() < until_s:
                kind, what = self._camera.wait_for_event(EVENT_MS)
                if kind == gphoto2.GP_EVENT_FILE_ADDED:
                    self._fetch(what.folder, what.name, taken)
        return taken

    def _fetch(self, folder: str, name: str, taken: dict[str, bytes]) -> None:
        file = self._camera.file_get(folder, name, gphoto2.GP_FILE_TYPE_NORMAL)
        taken[PurePosixPath(name).suffix.lower()] = bytes(file.get_data_and_size())
        with suppress(gphoto2.GPhoto2Error):  # The camera's own memory forgets by itself.
            self._camera.file_delete(folder, name)

    def close(self) -> None:
        """Let go of it, also where it is gone."""
        with suppress(gphoto2.GPhoto2Error):
            self._camera.exit()

    def _widget(self, names: tuple[str, ...]) -> Any:
        if names not in self._names:
            self._names[names] = next((name for name in names if self._named(name) is not None), None)
        name = self._names[names]
        return None if name is None else self._named(name)

    def _named(self, name: str) -> Any:
        """Return the setting of this name; None where the camera has none."""
        try:
            return self._camera.get_single_config(name)
        except gphoto2.GPhoto2Error as error:
            if error.code in (gphoto2.GP_ERROR_BAD_PARAMETERS, gphoto2.GP_ERROR_NOT_SUPPORTED):
                return None
            raise BodyFault(error.code, error.string) from error
