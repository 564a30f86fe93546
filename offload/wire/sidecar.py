"""What the device found out about one photo: `frames/0007.json` in the bundle, beside the photo."""

from typing import Literal

from pydantic import Field

from offload.wire.base import Wire


class SidecarFinding(Wire):
    """One measured number beside its limit."""

    aspect: str
    value: float
    limit: float
    unit: str
    passed: bool


class SeenMat(Wire):
    """The mat's inner corners in this photo, as OpenCV's ChArUco board numbers them."""

    numbers: tuple[int, ...]
    pixels: tuple[tuple[float, float], ...]
    """x, y in pixels of the stored photo; (0, 0) is the centre of the top left pixel."""


class FrameSidecar(Wire):
    """One photo's sidecar. Mask and edge map are the pictures `frames/0007.mask.png` and `frames/0007.edges.png`."""

    format: Literal[1] = 1
    index: int = Field(ge=0)
    verdict: str
    """accept, or what a person overruled."""
    reason: str
    findings: tuple[SidecarFinding, ...] = ()
    attempt: int = Field(default=1, ge=1)
    commanded_angle_deg: float
    seen_angle_deg: float | None = None
    """Read off the mat; None where it could not be read."""
    exposure_us: float
    analogue_gain: float
    settle_s: float | None = None
    """From the last step to the exposure."""
    mat: SeenMat | None = None
