"""What happens, as everybody who wants to know is told it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from offload.wire.jobs import SyncState
from offload.wire.link import LinkState
from scannerd.coverage.report import CoverageReport
from scannerd.fault_kind import FaultKind
from scannerd.process.health_report import HealthReport
from scannerd.requests import Answer
from scannerd.scan.phases import Phase


class Outcome(StrEnum):
    """How a run of a scan ended."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class StepTimes:
    """What one viewpoint cost, in seconds of the hardware's clock."""

    move_s: float = 0.0
    settle_s: float = 0.0
    """From the last step to the exposure."""
    capture_s: float = 0.0
    """From there to the frame in memory."""
    wait_s: float = 0.0
    """What the table stood for nothing before it moved: too many frames were still on their way to the disk."""
    judge_s: float = 0.0
    """Of the frame, while the table moved on."""
    store_s: float = 0.0
    """Encoding, hashing and writing, while the table moved on."""
    floor_s: float = 0.0
    """The least that physics allows: motion at the configured limits + settling + exposure + readout."""

    @property
    def total_s(self) -> float:
        """What the table needed; judging and storing are hidden behind the next motion, or counted as waiting."""
        return self.wait_s + self.move_s + self.settle_s + self.capture_s


@dataclass(frozen=True)
class UnfinishedScanFound:
    """Seen at the start: a scan that can be resumed."""

    scan_id: str
    frames_done: int
    frames_planned: int


@dataclass(frozen=True)
class ScanStarted:
    """A run of a scan begins; `frames_done` is more than 0 when it is resumed."""

    scan_id: str
    frames_done: int
    frames_planned: int


@dataclass(frozen=True)
class FramesLost:
    """Photos of a scan that goes on were damaged: they count no more, and are taken again."""

    scan_id: str
    indices: tuple[int, ...]
    """Of their viewpoints."""
    frames_done: int
    """Without them."""
    frames_planned: int


@dataclass(frozen=True)
class PhaseChanged:
    """The daemon does something else now."""

    phase: Phase
    scan_id: str | None = None
    index: int | None = None
    """The viewpoint, where the phase is about one."""
    angle_deg: float | None = None


@dataclass(frozen=True)
class FrameJudged:
    """The gate looked at a photo. `verdict` is accept, retake or ask; `reason` holds the number and its limit."""

    scan_id: str
    index: int
    angle_deg: float
    attempt: int
    verdict: str
    reason: str
    sharpness: float


@dataclass(frozen=True)
class FrameStored:
    """A photo counts: it is on the disk, and so is its journal line."""

    scan_id: str
    index: int
    angle_deg: float
    attempt: int
    size_bytes: int
    sharpness: float
    times: StepTimes
    frames_done: int
    frames_planned: int


@dataclass(frozen=True)
class CoverageChanged:
    """The photos show more of the object, or it is known better how much they show."""

    scan_id: str
    report: CoverageReport


@dataclass(frozen=True)
class ScanPaused:
    """Nothing moves until Resume or Cancel. `question` is set when a person should look at something."""

    scan_id: str
    question: str | None = None
    fault_kind: FaultKind | None = None
    """What went wrong, where the question is about a fault."""


@dataclass(frozen=True)
class ScanSealed:
    """All photos are there and the manifest is on the disk: the bundle can travel."""

    scan_id: str
    manifest_sha256: str
    frames: int
    total_bytes: int


@dataclass(frozen=True)
class ScanEnded:
    """A run of a scan is over. `error` is for people."""

    scan_id: str
    outcome: Outcome
    frames_done: int
    frames_planned: int
    retakes: int
    error: str | None = None
    fault_kind: FaultKind | None = None
    """Set with `error`."""

    @property
    def resumable(self) -> bool:
        """Whether Resume goes on with it."""
        return self.outcome in (Outcome.FAILED, Outcome.STOPPED)


@dataclass(frozen=True)
class ScanGivenUp:
    """A scan that was not running any more was cancelled: nobody will be asked to resume it."""

    scan_id: str


@dataclass(frozen=True)
class BackgroundStored:
    """The empty turntable was photographed."""

    size_bytes: int


@dataclass(frozen=True)
class Warned:
    """Something a person should know, that did not stop the daemon."""

    message: str
    scan_id: str | None = None
    fault_kind: FaultKind | None = None
    """Where it is about a fault that was mended."""


@dataclass(frozen=True)
class PressFailed:
    """A press of the button could not be obeyed; whoever pressed cannot be answered. `reason` is for people."""

    command: str
    reason: str


@dataclass(frozen=True)
class CommandAnswered:
    """A command that came through a front door was accepted, refused or failed."""

    command: str
    """Its name, such as StartScan."""
    source: str
    answer: Answer


@dataclass(frozen=True)
class RetakeWanted:
    """A person wants this photo again; it will be taken between two others."""

    scan_id: str
    index: int


@dataclass(frozen=True)
class ScanExtended:
    """Photos were added to a scan; they will be taken after all others."""

    scan_id: str
    added: int
    frames_planned: int
    """With them."""


@dataclass(frozen=True)
class SyncProgressed:
    """A scan got further on its way to the service or back."""

    scan_id: str
    sync: SyncState


@dataclass(frozen=True)
class LinkChanged:
    """The way to the service is another one: faster, waiting, or going on."""

    link: LinkState | None
    """None: no sync runs."""


@dataclass(frozen=True)
class ScanDeleted:
    """A scan is not among the others any more: it was put into the trash, or made room for another one."""

    scan_id: str


@dataclass(frozen=True)
class ScanRestored:
    """A scan was fetched back from the trash."""

    scan_id: str


@dataclass(frozen=True)
class LightChanged:
    """The light shines differently; 0 is off, 1 is all there is. None: there is no light any more."""

    level: float | None
    colour: str | None = None
    """`#rrggbb`; None: the light has one colour only."""


@dataclass(frozen=True)
class EmergencyStopChanged:
    """The emergency stop was pushed (True) or released; None: there is none any more."""

    pushed: bool | None


@dataclass(frozen=True)
class AxisHomed:
    """The platter's angle is known anew."""

    found_by: Literal["here", "index", "controller"]
    """`here`: it counts from where it stands. `index`: a sensor was met. `controller`: the drive homed itself."""
    off_deg: float | None
    """Where counted steps found the index, less where it should be; None: nothing had been counted before."""
    step_deg: float
    """Of one microstep at the platter."""


@dataclass(frozen=True)
class ConfigTaken:
    """A new configuration is in force. Keys are written `[scan] views`."""

    changed: tuple[str, ...]
    restart: tuple[str, ...] = ()
    """Those of them that act only once the daemon starts again."""


@dataclass(frozen=True)
class ConfigRejected:
    """A new configuration was not taken; the old one stays as a whole."""

    problems: tuple[str, ...]


@dataclass(frozen=True)
class HealthChanged:
    """Something about the device has become bad, or good again."""

    report: HealthReport


Event = (
    UnfinishedScanFound
    | ScanStarted
    | FramesLost
    | PhaseChanged
    | FrameJudged
    | FrameStored
    | CoverageChanged
    | ScanPaused
    | ScanSealed
    | ScanEnded
    | ScanGivenUp
    | BackgroundStored
    | Warned
    | PressFailed
    | CommandAnswered
    | RetakeWanted
    | ScanExtended
    | SyncProgressed
    | LinkChanged
    | ScanDeleted
    | ScanRestored
    | LightChanged
    | EmergencyStopChanged
    | AxisHomed
    | ConfigTaken
    | ConfigRejected
    | HealthChanged
)
