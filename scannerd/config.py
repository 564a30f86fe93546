"""`config.toml` as frozen typed sections. Every key has a unit in its name, bounds and a default."""

import re
from pathlib import Path
from typing import Literal

from drivers.options import ButtonGpioOptions, LampGpioOptions
from offload.wire.bundle import FIRST_CAMERA, Intrinsics, MatSpec, ReconstructionOptions
from scannerd.config_camera import AnyCameraSection, CameraSection, OtherCameras, read_lens
from scannerd.config_light import LightSection
from scannerd.config_motors import LiftSection, TurntableSection
from scannerd.config_panel import BuzzerSection, EmergencyStopSection
from scannerd.config_section import Elevations, Folder, OptionalFile, OptionalText, Section, ViewsOfRings, key

TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
DEFAULT_PATH = Path("/etc/scannerd/config.toml")


class DeviceSection(Section):
    """Who this scanner is."""

    name: str = key("scannerd", "name of this scanner, written into every bundle", min_length=1, max_length=60)

    @property
    def slug(self) -> str:
        """The name as it stands in topics: small letters, digits and hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "scannerd"


class StoreSection(Section):
    """Where scans are kept."""

    folder: Folder = key(Path("/var/lib/scannerd"), "scans are kept in its folder scans/")
    trash_days: int = key(7, "deleted scans can be restored for so long (days)", ge=0, le=3650)
    reserve_mb: int = key(512, "never filled by a scan; a scan that would need it is refused", ge=0, le=1_000_000)
    retention: Literal["never", "when_needed"] = key(
        "never", "when_needed: old scans whose photos and model the service has make room for new ones"
    )
    keep_days: int = key(30, "such a scan is kept for so long after its model came back", ge=0, le=3650)

    @property
    def reserve_bytes(self) -> int:
        """The reserve in bytes (1 MB = 10⁶ bytes)."""
        return self.reserve_mb * 1_000_000


class ButtonSection(Section):
    """The push button: short press starts, pauses and resumes; long press cancels (docs/button.md)."""

    driver: Literal["gpio", "none"] = key("gpio", "none for a scanner without a button")
    pin: int = key(23, "BCM number; the button connects it to ground", ge=0, le=27)
    hold_s: float = key(1.5, "a press of this length is a long one", ge=0.3, le=30)
    double_s: float = key(0.5, "two short presses within it retake the latest photo; 0: never", ge=0, le=2)
    warn_s: float = key(1.5, "how long the lamp warns before a long press cancels", ge=0, le=10)
    stuck_s: float = key(30.0, "a longer press is none: something leans on the button", ge=2, le=600)
    debounce_s: float = key(0.02, "shorter pulses are bounces", ge=0.001, le=0.3)

    def button_options(self) -> ButtonGpioOptions:
        """Return them as the driver takes them."""
        return ButtonGpioOptions(pin=self.pin)


class LedSection(Section):
    """The lamp in the button, which shows what the scanner does (docs/button.md)."""

    driver: Literal["gpio", "none"] = key("gpio", "none for a button without a lamp")
    pin: int = key(24, "BCM number; high shines, through a resistor to ground", ge=0, le=27)

    def lamp_options(self) -> LampGpioOptions:
        """Return them as the driver takes them."""
        return LampGpioOptions(pin=self.pin)


class ScanSection(Section):
    """How a scan goes round."""

    views: int = key(36, "photos in one turn", ge=3, le=720)
    rings: int = key(1, "turns, each with the camera at another height", ge=1, le=6)
    ring_views: ViewsOfRings = key((), "photos in each ring, where they differ", max_length=6)
    ring_elevations_deg: Elevations = key((), "where the camera stands above the platter, ring by ring", max_length=6)
    sides: int = key(1, "how often the object is laid down; a person turns it over between", ge=1, le=4)
    repeats: int = key(1, "equal photos from each place", ge=1, le=10)
    exposure_bracket: int = key(1, "photos of different exposure from each place", ge=1, le=7)
    exposure_step_ev: float = key(1.0, "between two of them; 1 is twice the light", ge=0.1, le=2)
    focus_bracket: int = key(1, "photos of different focus from each place, for lenses with a motor", ge=1, le=9)
    focus_step_dioptres: float = key(0.25, "between two of them", ge=0.01, le=2)
    adaptive_settle: bool = key(True, "wait after a move only until pictures show that the object stands still")
    settle_s: float = key(0.3, "wait after a move where pictures cannot tell, or always", ge=0, le=30)
    settle_cap_s: float = key(2.0, "longest wait; then the photo is taken and judged all the same", ge=0.1, le=60)
    max_retakes: int = key(2, "how often one photo is taken again before a person is asked", ge=0, le=10)
    propose: bool = key(True, "ask for another ring or a flip when photos do not show enough of the object")
    propose_wait_s: int = key(
        60, "so long a person may think about it; then the scan is complete as it is", ge=1, le=3600
    )
    resume_on_start: bool = key(False, "go on with an unfinished scan as soon as the daemon starts")


class QualitySection(Section):
    """When a photo is taken again. Sharpness is judged against the same scan's own sharpest photos."""

    min_relative_sharpness: float = key(0.8, "of the scan's first photos; 0 switches the check off", ge=0, le=1)
    max_clipped_fraction: float = key(0.04, "of the object that may be blown out", ge=0, le=1)
    max_dark_fraction: float = key(0.6, "of the object that may be black", ge=0, le=1)
    max_light_drift: float = key(0.1, "brighter or darker than the scan's first photos; 1 allows any", ge=0, le=1)
    max_cut_off_fraction: float = key(0.003, "of the object's outline that may lie on the photo's border", ge=0, le=1)
    max_slip_deg: float = key(0.25, "a platter that the mat shows farther off is corrected", ge=0.05, le=5)
    ask_a_person: bool = key(True, "pause when retakes did not help; false keeps the last photo and goes on")


class MatSection(Section):
    """The mat on the platter, as `scannerd mat` printed it."""

    used: bool = key(True, "false when there is no mat: the model then has no scale")
    columns: int = key(15, "squares along x", ge=3, le=60)
    rows: int = key(15, "squares along y", ge=3, le=60)
    square_mm: float = key(18.0, "side of a square, measured on the print", gt=1, le=100)
    marker_mm: float = key(13.5, "side of a marker, measured on the print", gt=0.5, le=100)
    dictionary: Literal["DICT_4X4_250", "DICT_4X4_1000", "DICT_5X5_250", "DICT_5X5_1000"] = key(
        "DICT_4X4_250", "family of the markers"
    )

    def spec(self) -> MatSpec | None:
        """Return the mat as it travels in the manifest; None when there is none."""
        return MatSpec(**self.model_dump(exclude={"used"})) if self.used else None


class IntrinsicsSection(Section):
    """A calibrated lens, if somebody calibrated it."""

    file: OptionalFile = key(None, "JSON of a calibrated lens; empty: it is found anew from the mat in each scan")

    def lens(self) -> Intrinsics | None:
        """Return the calibrated lens, if there is one. Raises OSError, ValidationError."""
        return read_lens(self.file)


class OffloadSection(Section):
    """The service that makes models of scans."""

    url: OptionalText = key(None, "https://… of the service; empty: scans stay here")
    key_file: OptionalFile = key(None, "file with the service's key, mode 0600; empty: no key")
    ca_file: OptionalFile = key(None, "who vouches for the service; empty: the usual authorities")
    connections: int = key(4, "photos on their way at a time", ge=2, le=4)
    rate_kb_s: int = key(0, "most that is sent, all photos together; 0: as fast as the line is", ge=0, le=1_000_000)
    quiet_from: OptionalText = key(
        None, "nothing is carried from this time on, such as 22:00; empty: at any time", pattern=TIME_OF_DAY
    )
    quiet_until: OptionalText = key(None, "and it goes on at this time, such as 06:00", pattern=TIME_OF_DAY)
    pause_on_metered: bool = key(False, "true waits while NetworkManager says that the connection costs by the byte")

    @property
    def quiet_hours(self) -> str | None:
        """As `offload sync --quiet` takes them."""
        return f"{self.quiet_from}-{self.quiet_until}" if self.quiet_from and self.quiet_until else None


class WebSection(Section):
    """The page and REST, for tablets and programs in the shop."""

    enabled: bool = key(True, "false closes this door")
    address: str = key("0.0.0.0", "where to listen; 127.0.0.1: this device only", min_length=1, max_length=100)
    port: int = key(8740, "of the page", ge=0, le=65535)
    read_without_token: bool = key(False, "true lets everybody in the shop look; changing things needs pairing")
    socket: OptionalFile = key(
        Path("/run/scannerd/scannerd.sock"), "for commands of this device's own users; empty: none"
    )


class MqttSection(Section):
    """A broker through which tablets and home automation speak with the scanner."""

    enabled: bool = key(False, "true opens this door")
    host: str = key("127.0.0.1", "of the broker", min_length=1, max_length=253)
    port: int = key(1883, "of the broker; 8883 is usual with TLS", ge=1, le=65535)
    username: OptionalText = key(None, "as the broker knows the scanner; empty: none", max_length=200)
    password_file: OptionalFile = key(None, "holds the password, mode 0600; empty: none")
    tls: bool = key(False, "true encrypts")
    ca_file: OptionalFile = key(None, "who vouches for the broker; empty: the system's list")
    topic_prefix: str = key("scannerd", "what all topics begin with", pattern=r"^[A-Za-z0-9_-]{1,40}$")
    home_assistant: bool = key(True, "announce buttons, progress and camera to Home Assistant")
    home_assistant_prefix: str = key(
        "homeassistant", "as set in Home Assistant's MQTT integration", pattern=r"^[A-Za-z0-9_/-]{1,60}$"
    )


class ReconstructionSection(Section):
    """What is asked of the service."""

    voxel_mm: float = key(1.0, "finest detail of the model", gt=0.05, le=20)
    texture_px: int = key(2048, "side of the model's texture", ge=256, le=8192)
    triangles: int = key(60_000, "most triangles in the model", ge=500, le=2_000_000)

    def options(self) -> ReconstructionOptions:
        """Return them as they travel in the manifest."""
        return ReconstructionOptions(**self.model_dump())


class Config(Section):
    """The whole file."""

    device: DeviceSection = DeviceSection()
    store: StoreSection = StoreSection()
    turntable: TurntableSection = TurntableSection()
    lift: LiftSection = LiftSection()
    camera: CameraSection = CameraSection()
    cameras: OtherCameras = ()
    button: ButtonSection = ButtonSection()
    led: LedSection = LedSection()
    light: LightSection = LightSection()
    emergency_stop: EmergencyStopSection = EmergencyStopSection()
    buzzer: BuzzerSection = BuzzerSection()
    web: WebSection = WebSection()
    mqtt: MqttSection = MqttSection()
    scan: ScanSection = ScanSection()
    quality: QualitySection = QualitySection()
    mat: MatSection = MatSection()
    intrinsics: IntrinsicsSection = IntrinsicsSection()
    offload: OffloadSection = OffloadSection()
    reconstruction: ReconstructionSection = ReconstructionSection()

    @property
    def every_camera(self) -> tuple[AnyCameraSection, ...]:
        """The first one's section, and those of the others."""
        return (self.camera, *self.cameras)

    def number_of(self, name: str) -> int:
        """Return the number of the camera that is called so. Raises KeyError."""
        return {known: number for number, known in enumerate(self.camera_names)}[name]

    @property
    def camera_names(self) -> tuple[str, ...]:
        """By number."""
        return (FIRST_CAMERA, *(other.name for other in self.cameras))

    def lenses(self) -> tuple[Intrinsics | None, ...]:
        """Each camera's calibrated lens, as `lens_of` has it."""
        return tuple(self.lens_of(number) for number in range(len(self.every_camera)))

    def lens_of(self, number: int) -> Intrinsics | None:
        """Return a camera's calibrated lens; None when it was not calibrated. Raises OSError, ValidationError."""
        return read_lens(self.cameras[number - 1].intrinsics_file) if number else self.intrinsics.lens()


SECTIONS = tuple(name for name, field in Config.model_fields.items() if isinstance(field.default, Section))
"""What is one table of the file, in its order; the other cameras have one each."""
