"""What can be asked of the daemon. Every front door, button, terminal or network, speaks these."""

from dataclasses import dataclass
from enum import StrEnum


class CommandRefused(RuntimeError):
    """The command makes no sense now. The message says what the daemon is doing and what to do instead."""


class RawPhotos(StrEnum):
    """What becomes of what the sensor saw, which each photo is made of."""

    NEVER = "never"
    DEVICE = "device"
    """A raw file beside each photo, which stays on the device."""
    BUNDLE = "bundle"
    """One that travels with the scan."""


class Quality(StrEnum):
    """How fine a model a person wants, in a word."""

    DRAFT = "draft"
    """A look at it, soon."""
    STANDARD = "standard"
    """As configured."""
    FINE = "fine"
    """As fine as the photos can carry."""


@dataclass(frozen=True)
class Wishes:
    """What a person chose for one scan; None is as configured."""

    views: int | None = None
    """Photos in one ring."""
    rings: int | None = None
    """Turns, each with the camera at another height."""
    quality: Quality | None = None
    ring_views: tuple[int, ...] | None = None
    """Photos in each ring, where they differ."""
    ring_elevations_deg: tuple[float, ...] | None = None
    """Where the camera stands for each ring, above the platter."""
    sides: int | None = None
    """How often the object is laid down: between two of them a person turns it over."""
    repeats: int | None = None
    """Equal photos from each place."""
    exposure_bracket: int | None = None
    """Photos of different exposure from each place."""
    exposure_step_ev: float | None = None
    focus_bracket: int | None = None
    """Photos of different focus from each place."""
    focus_step_dioptres: float | None = None
    raw: RawPhotos | None = None
    light_level: float | None = None
    """Of the light on the object, 0 to 1; as it shines now, if nobody says otherwise."""
    light_colour: str | None = None
    """`#rrggbb`, of a light that has colours; as it shines now, if nobody says otherwise."""


@dataclass(frozen=True)
class _NewScan:
    scan_id: str | None = None
    """None: named after the time."""


@dataclass(frozen=True)
class StartScan(Wishes, _NewScan):
    """Plan a new scan and take it. Refused while another one runs, or when it would not fit on the disk."""


@dataclass(frozen=True)
class ResumeScan:
    """Take what is missing of a scan that was interrupted."""

    scan_id: str


@dataclass(frozen=True)
class Pause:
    """Stop before the next viewpoint."""

    scan_id: str | None = None
    """None: the one that runs."""


@dataclass(frozen=True)
class Resume:
    """Go on after a pause, a question or a fault.

    After a question about a photo it is taken once more, and what comes is kept: a person has looked at it.
    """

    scan_id: str | None = None
    """None: the one that waits."""


@dataclass(frozen=True)
class Cancel:
    """End the scan before the next viewpoint. What was taken stays; the scan is no longer offered for resuming."""

    scan_id: str | None = None
    """None: the one that runs, or that a fault ended."""


@dataclass(frozen=True)
class Retake:
    """Take the photo of one viewpoint again. The old one counts until the new one is on the disk."""

    index: int
    scan_id: str | None = None
    """None: the one that runs."""


@dataclass(frozen=True)
class Extension:
    """Which photos to add to a scan. None of them given: those that the scan's coverage proposes."""

    views: int | None = None
    """So many evenly once round."""
    angles_deg: tuple[float, ...] | None = None
    """Of the platter, where just these are wanted."""
    ring: int | None = None
    """Counted from 0: one that is there, or the next; None: the last, or by the elevation."""
    elevation_deg: float | None = None
    """Of the camera above the platter; another one than the rings have is a new ring."""
    turn_over: bool = False
    """After the object was turned over: a side of its own."""


@dataclass(frozen=True)
class _ExtendWhich:
    scan_id: str | None = None
    """None: the one that runs, or that a fault ended."""


@dataclass(frozen=True)
class ExtendScan(Extension, _ExtendWhich):
    """Add viewpoints to a scan that is not sealed; they are taken after all others."""


@dataclass(frozen=True)
class Stop:
    """End everything now, in the middle of a move. The motor lets go; the scan can be resumed."""


@dataclass(frozen=True)
class Home:
    """Make the present position, or the index that the drive finds, angle 0."""


@dataclass(frozen=True)
class Jog:
    """Turn the platter a little. Where it was never homed, its present position counts as 0 from then on."""

    delta_deg: float
    """Counter-clockwise seen from above; at most a whole turn either way."""


@dataclass(frozen=True)
class SetLight:
    """Make the light brighter or darker, until the next change or start."""

    level: float | None = None
    """0 is off, 1 is all there is; None: as it shines, or as configured where it is off."""
    colour: str | None = None
    """`#rrggbb`, of a light that has colours; None: as it is."""


@dataclass(frozen=True)
class CaptureBackground:
    """Keep a photo of the empty turntable for the scans to come."""


@dataclass(frozen=True)
class DeleteScan:
    """Put a scan into the trash, from where RestoreScan fetches it back."""

    scan_id: str


@dataclass(frozen=True)
class RestoreScan:
    """Fetch a scan back from the trash."""

    scan_id: str


@dataclass(frozen=True)
class SendFirst:
    """Have a scan carried to the service before all others; one that could not be carried is tried again."""

    scan_id: str


Command = (
    StartScan
    | ResumeScan
    | Pause
    | Resume
    | Cancel
    | Retake
    | ExtendScan
    | Stop
    | Home
    | Jog
    | SetLight
    | CaptureBackground
    | DeleteScan
    | RestoreScan
    | SendFirst
)


@dataclass(frozen=True)
class Accepted:
    """The answer to a command that will be carried out."""

    scan_id: str | None = None
    """Of the scan that it is about, where there is one."""
