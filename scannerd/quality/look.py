"""What one look at a frame found: numbers with their limits, the verdict, and what was seen on the way."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from offload.wire.bundle import Place
from offload.wire.sidecar import SeenMat


class Verdict(StrEnum):
    """What to do with a photo."""

    ACCEPT = "accept"
    RETAKE = "retake"
    ASK = "ask"


class Remedy(StrEnum):
    """What may help before the same photo is taken again. Nothing turns."""

    NONE = "none"
    WAIT = "wait"
    """Something still swings, or somebody walked past."""
    REFOCUS = "refocus"
    DARKER = "darker"
    BRIGHTER = "brighter"


class Aspect(StrEnum):
    """What was measured."""

    PRINT = "print"
    """Width of the mat's printed edges beside the object, in pixels of the photo: focus and motion, nothing else."""
    SHARPNESS = "sharpness"
    """Width of the object's own edges, in pixels of the photo."""
    CLIPPED = "clipped"
    """Share of the object that is blown out."""
    DARK = "dark"
    """Share of the object that is black."""
    PAPER = "paper"
    """Grey level of the mat's paper."""
    INK = "ink"
    """Grey level of the mat's ink: tells of the light where paper is blown out."""
    DRIFT = "drift"
    """Light against that of the scan's first photos, as a factor."""
    CUT_OFF = "cut off"
    """Share of the object's outline that lies on the photo's border."""
    SIZE = "size"
    """Height or width of the object, whichever is larger, as a share of the photo's."""
    MAT = "mat"
    """Corners of the mat that were seen."""
    STAND = "stand"
    """How far the mat lies from where the ring's other photos show it, its turn allowed for: the camera moved."""


@dataclass(frozen=True)
class Finding:
    """One measured number beside its limit."""

    aspect: Aspect
    value: float
    limit: float
    unit: str
    """Such as px, %; empty for a count."""
    passed: bool
    says: str
    """For people: what, observed, limit."""


@dataclass(frozen=True)
class MatReading:
    """The mat's inner corners in one photo."""

    numbers: NDArray[np.int64]
    """(n,), as OpenCV's board numbers them."""
    pixels: NDArray[np.float64]
    """(n, 2), x and y in pixels of the whole photo; (0, 0) is the centre of the top left pixel."""

    @classmethod
    def stored(cls, seen: SeenMat) -> "MatReading":
        """Return a reading as a photo's sidecar kept it."""
        return cls(np.array(seen.numbers, np.int64), np.array(seen.pixels, np.float64).reshape(-1, 2))


@dataclass(frozen=True)
class Afterthought:
    """A photo that was accepted, and what later ones say against it."""

    place: Place
    finding: Finding


@dataclass(frozen=True)
class Look:
    """Everything that one look at a frame gave."""

    verdict: Verdict
    reason: str
    """The finding that decided, for people."""
    sharpness: float
    """1 / edge width on the object, per pixel of the photo."""
    findings: tuple[Finding, ...] = ()
    remedy: Remedy = Remedy.NONE
    mat: MatReading | None = None
    """None where there is no mat, or too little of it is seen."""
    mask: NDArray[np.uint8] | None = None
    """(height, width) of the companion picture, 255 on the object; None while nobody can tell."""
    edges: NDArray[np.uint8] | None = None
    """(height, width) of the companion picture: strength of edges on the object, 255 the strongest."""
    place: Place | None = None
    """Where the frame was taken: what it is compared with."""
    room: int = 0
    """Which of the places where the camera stood in this ring."""
    afterthoughts: tuple[Afterthought, ...] = ()
    """What this frame, with those before it, says of earlier ones that were accepted: they are to be taken again."""

    @property
    def faults(self) -> tuple[Aspect, ...]:
        """What did not pass."""
        return tuple(finding.aspect for finding in self.findings if not finding.passed)
