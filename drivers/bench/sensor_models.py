"""Which image sensors the bench can pretend to have: what their data sheets and libcamera say of them."""

from dataclasses import dataclass

BLANKING_LINES = 24
GAIN_CODES = 1024


@dataclass(frozen=True)
class SensorMode:
    """A way of reading the sensor out."""

    width_px: int
    height_px: int
    bit_depth: int
    frame_time_s: float
    """Shortest time from frame to frame, and how long a frame takes to be read out."""

    @property
    def line_s(self) -> float:
        """Time for one line: exposures are whole multiples of it."""
        return self.frame_time_s / (self.height_px + BLANKING_LINES)


@dataclass(frozen=True)
class SensorModel:
    """One module's sensor, with the motor of its lens if it has one."""

    name: str
    """As libcamera calls it."""
    modes: tuple[SensorMode, ...]
    """From the coarsest to the full one."""
    gain_range: tuple[float, float]
    longest_exposure_us: int
    longest_frame_us: int
    pitch_nm: int
    focus_range_dioptres: tuple[float, float] | None = None
    """Where the motor can put the focus; None: the lens is turned by hand."""
    on_a_pi5: bool = False
    """Its receiver compresses packed raw pixels in a way of its own, and makes 16 bits of unpacked ones."""

    @property
    def full(self) -> SensorMode:
        """Every pixel."""
        return self.modes[-1]

    @property
    def raw_format(self) -> str:
        """The packed raw format, as libcamera names it."""
        return f"SRGGB{self.full.bit_depth}_CSI2P"

    def register_gain(self, gain: float) -> float:
        """Return the nearest gain there is: the register holds a code c of 10 bits, and gain = 1024 / (1024 - c)."""
        low, high = self.gain_range
        code = round(GAIN_CODES - GAIN_CODES / min(max(gain, low), high))
        return GAIN_CODES / (GAIN_CODES - code)


IMX477 = SensorModel(
    name="imx477",
    modes=(SensorMode(2028, 1520, 12, 1 / 40), SensorMode(4056, 3040, 12, 1 / 10)),
    gain_range=(1.0, 22.0),
    longest_exposure_us=694_422_939,
    longest_frame_us=694_434_742,
    pitch_nm=1550,
)
"""The HQ camera: interchangeable lenses, focused by hand."""
IMX708 = SensorModel(
    name="imx708",
    modes=(
        SensorMode(1536, 864, 10, 1 / 120),
        SensorMode(2304, 1296, 10, 1 / 56),
        SensorMode(4608, 2592, 10, 1 / 14),
    ),
    gain_range=(1024 / 912, 16.0),
    longest_exposure_us=220_416_802,
    longest_frame_us=220_535_845,
    pitch_nm=1400,
    focus_range_dioptres=(0.0, 15.0),
)
"""Camera Module 3, whose lens a motor moves."""
