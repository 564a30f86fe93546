"""A DSLR as libgphoto2 shows it: beneath the calls that the driver of DSLRs makes into python-gphoto2.

The bench's world before another camera: settings are words, a photo is a file that comes some time after the shutter
was released, and a live view lags behind. Constants, errors and everything else are those of the real package. It can
be switched off, its battery runs down, its cable loses what was said, and it comes back at another address.
"""

import threading
from types import ModuleType
from typing import Any

import gphoto2

from drivers.bench.camera_rig import CameraRig
from drivers.bench.dslr_files import jpeg_file, preview_file, raw_file
from drivers.bench.dslr_settings import DslrSettings
from drivers.bench.world import Shot

SHUTTER_LAG_S = 0.06
FILE_S = 0.25
"""From the shutter's closing to the file in this machine."""
LOOK_S, LOOK_LAG_S = 0.04, 0.12
LIVE_WIDTH_PX = 640
RAM_FOLDER, CARD_FOLDER = "/", "/store_00010001/DCIM/100BENCH"


class BenchDslr:
    """One camera body. `install` puts it beneath the driver."""

    def __init__(self, rig: CameraRig, size_px: tuple[int, int] = (320, 240)) -> None:
        """Switched on and plugged in."""
        self._rig = rig
        self._lock = threading.Lock()
        self._replaced: list[tuple[ModuleType, str, Any]] = []
        self.model = "Bench EOS 1"
        self.size_px = size_px
        """Of its photos."""
        self.settings = DslrSettings()
        self.has_live_view = True
        self.is_on = True
        self.address = 4
        """On the bus; another one each time that it appears."""
        self.claimed_by_others = False
        self.fails_with: list[int] = []
        """Errors of libgphoto2 that the next photos end with."""
        self.busy_for = 0
        """So many settings are refused because it is busy."""
        self.hung_sideways = False
        """Its EXIF asks programs to turn the photo."""
        self.tears_pictures = 0
        self.shutter_releases = 0
        self.card: dict[tuple[str, str], bytes] = {}
        """Files that nobody has removed yet, in the camera's memory or on its card, by folder and name."""
        self.owner: object | None = None
        self._added: list[tuple[str, str]] = []

    def install(self, body: ModuleType) -> None:
        """Let `drivers.gphoto2_body` find this camera in place of the bus."""
        self._replaced.append((body, "gphoto2", body.gphoto2))
        body.gphoto2 = BenchGphoto(self)  # type: ignore[attr-defined]

    def remove(self) -> None:
        """Give the driver the bus back; safe to call twice."""
        while self._replaced:
            setattr(*self._replaced.pop())

    @property
    def port(self) -> str:
        """Its address, as libgphoto2 writes it."""
        return f"usb:001,{self.address:03d}"

    def switch_off(self) -> None:
        """Or pull its plug, or let its battery run empty: nobody sees the difference on the bus."""
        self.is_on, self.owner = False, None

    def switch_on(self) -> None:
        """It comes back at another address; settings outlive that, a session does not."""
        self.address += 1
        self.is_on = True

    def require(self, session: object) -> None:
        """Raise libgphoto2's error unless this session still has the camera."""
        if not self.is_on or self.owner is not session:
            raise gphoto2.GPhoto2Error(gphoto2.GP_ERROR_IO_USB_FIND)

    def claim(self, session: object, port: str) -> None:
        """Open a session."""
        if not self.is_on or port != self.port:
            raise gphoto2.GPhoto2Error(gphoto2.GP_ERROR_IO_USB_FIND)
        if self.claimed_by_others or self.owner is not None:
            raise gphoto2.GPhoto2Error(gphoto2.GP_ERROR_IO_USB_CLAIM)
        self.owner = session
        self._rig.configure(self.size_px)
        self._rig.world.camera_started()

    def release_shutter(self, session: object) -> tuple[str, str]:
        """Take a photo; return where its first file lies."""
        self.require(session)
        if self._rig.world.camera_hangs:
            raise gphoto2.GPhoto2Error(gphoto2.GP_ERROR_TIMEOUT)
        if self.fails_with:
            raise gphoto2.GPhoto2Error(self.fails_with.pop(0))
        clock, world = self._rig.world.clock, self._rig.world
        self.shutter_releases += 1
        self.settings.battery_percent = max(0.0, self.settings.battery_percent - self.settings.percent_a_photo)
        start_s = clock.now_s() + SHUTTER_LAG_S
        shot = Shot(start_s, self.settings.exposure_us, self.settings.gain, self.settings.colour_gains())
        clock.sleep_until(shot.end_s)
        latent = self._rig.latent(self._rig.expose(shot, self.size_px), [self.size_px])
        latent.comes_raw = self.settings.makes_raw
        clock.sleep_until(clock.now_s() + FILE_S + world.take_lateness_s())
        self.require(session)
        folder = RAM_FOLDER if "RAM" in self.settings.value("capturetarget") else CARD_FOLDER
        name = f"IMG_{self.shutter_releases:04d}"
        jpeg = jpeg_file(latent.planes(self.size_px), self.settings, self.model, sideways=self.hung_sideways)
        if self.tears_pictures:
            self.tears_pictures -= 1
            jpeg = jpeg[:200]
        places = [(folder, f"{name}.JPG")]
        self.card[places[0]] = jpeg
        if self.settings.makes_raw:
            places.insert(0, (folder, f"{name}.CR2"))
            self.card[places[0]] = raw_file(latent.mosaic(self.size_px, 12))
        self._added = places[1:]
        return places[0]

    def next_event(self) -> tuple[int, Any]:
        """What the camera tells between two commands."""
        if self._added:
            return gphoto2.GP_EVENT_FILE_ADDED, _Place(*self._added.pop(0))
        return gphoto2.GP_EVENT_TIMEOUT, None

    def look(self, session: object) -> bytes:
        """One picture of the live view, as bright as a photo would be."""
        self.require(session)
        if not self.has_live_view:
            raise gphoto2.GPhoto2Error(gphoto2.GP_ERROR_NOT_SUPPORTED)
        clock = self._rig.world.clock
        clock.sleep_until(clock.now_s() + LOOK_S)
        if self._rig.world.camera_hangs:
            raise gphoto2.GPhoto2Error(gphoto2.GP_ERROR_TIMEOUT)
        width_px = min(LIVE_WIDTH_PX, self.size_px[0] // 2) // 2 * 2
        size_px = (width_px, width_px * self.size_px[1] // self.size_px[0] // 2 * 2)
        shot = Shot(clock.now_s() - LOOK_LAG_S, self.settings.exposure_us, self.settings.gain, (2.1, 1.9))
        latent = self._rig.latent(self._rig.expose(shot, self.size_px), [self.size_px, size_px])
        return preview_file(latent.planes(size_px))


class BenchGphoto:
    """The package `gphoto2`, whose bus has the bench's camera on it."""

    def __init__(self, dslr: BenchDslr) -> None:
        self._dslr = dslr

    def __getattr__(self, name: str) -> Any:
        return getattr(gphoto2, name)

    @property
    def Camera(self) -> Any:  # noqa: N802
        """The class of cameras."""
        return _CameraClass(self._dslr)

    def PortInfoList(self) -> Any:  # noqa: N802
        """The ports that there are: all of them."""
        return _Ports()


class _Ports:
    def load(self) -> None:
        """Nothing to look up."""

    def lookup_path(self, port: str) -> str:
        return port

    def __getitem__(self, port: str) -> str:
        return port


class _CameraClass:
    def __init__(self, dslr: BenchDslr) -> None:
        self._dslr = dslr

    def __call__(self) -> "_Camera":
        return _Camera(self._dslr)

    def autodetect(self) -> Any:
        found: Any = gphoto2.CameraList()
        if self._dslr.is_on:
            found.append(self._dslr.model, self._dslr.port)
        return found


class _Place:
    def __init__(self, folder: str, name: str) -> None:
        self.folder, self.name = folder, name


class _File:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def get_data_and_size(self) -> memoryview:
        return memoryview(self._data)


class _Camera:
    """The calls of `gphoto2.Camera` that the driver makes; a test holds that the real one has each of them."""

    def __init__(self, dslr: BenchDslr) -> None:
        self._dslr = dslr
        self._port = ""

    def set_port_info(self, port: str) -> None:
        self._port = port

    def init(self) -> None:
        self._dslr.claim(self, self._port)

    def exit(self) -> None:
        if self._dslr.owner is self:
            self._dslr.owner = None

    def get_single_config(self, name: str) -> Any:
        self._dslr.require(self)
        return self._dslr.settings.widget(name)

    def set_single_config(self, name: str, widget: Any) -> None:
        self._dslr.require(self)
        if self._dslr.busy_for:
            self._dslr.busy_for -= 1
            raise gphoto2.GPhoto2Error(gphoto2.GP_ERROR_CAMERA_BUSY)
        self._dslr.settings.set(name, widget.get_value())

    def capture(self, _kind: int) -> _Place:
        return _Place(*self._dslr.release_shutter(self))

    def capture_preview(self) -> _File:
        return _File(self._dslr.look(self))

    def wait_for_event(self, _timeout_ms: int) -> tuple[int, Any]:
        self._dslr.require(self)
        return self._dslr.next_event()

    def file_get(self, folder: str, name: str, _kind: int) -> _File:
        self._dslr.require(self)
        return _File(self._dslr.card[folder, name])

    def file_delete(self, folder: str, name: str) -> None:
        self._dslr.require(self)
        del self._dslr.card[folder, name]
