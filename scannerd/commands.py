"""What can be asked of the daemon. Every front door, button, terminal or network, speaks these."""

from dataclasses import dataclass


class CommandRefused(RuntimeError):
    """The command makes no sense now. The message says what the daemon is doing and what to do instead."""


@dataclass(frozen=True)
class StartScan:
    """Plan a new scan and take it. Refused while another one runs, or when it would not fit on the disk."""

    scan_id: str | None = None
    """None: named after the time."""
    views: int | None = None
    """None: as configured."""


@dataclass(frozen=True)
class ResumeScan:
    """Take what is missing of a scan that was interrupted."""

    scan_id: str


@dataclass(frozen=True)
class Pause:
    """Stop before the next viewpoint."""


@dataclass(frozen=True)
class Resume:
    """Go on after a pause, a question or a fault.

    After a question about a photo it is taken once more, and what comes is kept: a person has looked at it.
    """


@dataclass(frozen=True)
class Cancel:
    """End the scan before the next viewpoint. What was taken stays; the scan is no longer offered for resuming."""


@dataclass(frozen=True)
class Stop:
    """End everything now, in the middle of a move. The motor lets go; the scan can be resumed."""


@dataclass(frozen=True)
class Home:
    """Make the present position, or the index that the drive finds, angle 0."""


@dataclass(frozen=True)
class CaptureBackground:
    """Keep a photo of the empty turntable for the scans to come."""


Command = StartScan | ResumeScan | Pause | Resume | Cancel | Stop | Home | CaptureBackground


@dataclass(frozen=True)
class Accepted:
    """The answer to a command that will be carried out."""

    scan_id: str | None = None
    """Of the scan that it is about, where there is one."""
