"""The state of the scanner as everybody is shown it: page, MQTT, lamp and systemctl say the same."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from offload.wire.jobs import JobState, SyncState
from offload.wire.link import LinkState
from scannerd.coverage.report import CoverageReport, ProposalKind
from scannerd.events import Outcome
from scannerd.fault_kind import FaultKind
from scannerd.scan.phases import Phase


class Shown(BaseModel):
    """A frozen value that leaves the daemon as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Mood(StrEnum):
    """What a person across the room should know: one word, one pattern of the lamp."""

    IDLE = "idle"
    SCANNING = "scanning"
    PAUSED = "paused"
    ASKING = "asking"
    """Somebody should look at something; nothing goes on before."""
    UPLOADING = "uploading"
    """The table is free; photos or a model are on their way."""
    DONE = "done"
    """A model has just come back."""
    FAULT = "fault"


class Leg(StrEnum):
    """Where a scan is on its way to the service and back."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    RECONSTRUCTING = "reconstructing"
    FETCHING = "fetching"
    DONE = "done"
    FAILED = "failed"


class UploadProgress(Shown):
    """One scan on its way."""

    scan_id: str
    leg: Leg
    percent: float = Field(ge=0, le=100)
    """Of this leg."""
    files_confirmed: int
    bytes_confirmed: int
    bytes_known: int
    """Of all files that are to travel, as far as they exist."""
    stage: str | None = None
    """Of the reconstruction."""
    error: str | None = None
    updated_at: datetime

    @classmethod
    def of(cls, sync: SyncState) -> "UploadProgress":
        """Say in a word what sync's file says in many."""
        job = sync.job
        leg, percent = _leg(sync)
        return cls(
            scan_id=sync.scan_id,
            leg=leg,
            percent=round(percent, 1),
            files_confirmed=sync.files_confirmed,
            bytes_confirmed=sync.bytes_confirmed,
            bytes_known=sync.bytes_known,
            stage=job.stage if job is not None and leg is Leg.RECONSTRUCTING else None,
            error=(job.error if job is not None and job.error else sync.last_error),
            updated_at=sync.updated_at,
        )


def _leg(sync: SyncState) -> tuple[Leg, float]:
    job = sync.job
    if sync.results_in_place:
        return Leg.DONE, 100.0
    if job is None:
        return Leg.UPLOADING, min(100.0, 100 * sync.bytes_confirmed / max(1, sync.bytes_known))
    if job.state in (JobState.FAILED, JobState.CANCELLED):
        return Leg.FAILED, job.percent
    if job.state is JobState.COMPLETED:
        return Leg.FETCHING, 0.0
    return (Leg.QUEUED, 0.0) if job.state is JobState.QUEUED else (Leg.RECONSTRUCTING, job.percent)


class ProposalShown(Shown):
    """What would show more of the object, before it is taken off the table."""

    kind: ProposalKind
    photos: int
    gain_percent: float
    """Of the object's surface that enough sharp photos would see then, and do not now."""
    elevation_deg: float | None = None
    """Of the camera, for another ring."""
    says: str


class CoverageShown(Shown):
    """How much of the object's surface the photos show, as it lies now."""

    side: int
    photos: int
    covered_percent: float
    """Seen by 3 sharp photos or more."""
    weak_percent: float
    """Seen by 1 or 2."""
    unseen_percent: float
    underside_percent: float
    """The part of the unseen that looks down."""
    map: tuple[tuple[float | None, ...], ...]
    """Bands of height, lowest first, by sectors counter-clockwise seen from above: the share of the surface there
    that fewer than 3 sharp photos see; null where there is no surface."""
    guessed_camera: bool = False
    """No photo shows the mat: the figures are rough."""
    proposal: ProposalShown | None = None

    @classmethod
    def of(cls, report: CoverageReport) -> "CoverageShown":
        """Say the same in percent."""
        proposal = report.proposal
        return cls(
            side=report.side,
            photos=report.photos,
            covered_percent=round(100 * report.covered_share, 1),
            weak_percent=round(100 * report.weak_share, 1),
            unseen_percent=round(100 * report.unseen_share, 1),
            underside_percent=round(100 * report.underside_share, 1),
            map=report.map,
            guessed_camera=report.guessed_camera,
            proposal=ProposalShown(
                kind=proposal.kind,
                photos=len(proposal.viewpoints),
                gain_percent=round(100 * proposal.gain_share, 1),
                elevation_deg=proposal.elevation_deg,
                says=proposal.says,
            )
            if proposal is not None
            else None,
        )


class RunningScan(Shown):
    """The scan that has the table."""

    scan_id: str
    frames_done: int
    frames_planned: int
    percent: float
    index: int | None = None
    """The viewpoint in hand."""
    angle_deg: float | None = None
    retakes: int = 0
    question: str | None = None
    """What a person should look at before it goes on."""
    fault_kind: FaultKind | None = None
    """What went wrong, where the question is about a fault."""
    elapsed_s: float
    remaining_s: float | None = None
    """None until the first photo."""
    coverage: CoverageShown | None = None
    """None until enough photos show the object."""


class EndedScan(Shown):
    """How the latest run ended."""

    scan_id: str
    outcome: Outcome
    frames_done: int
    frames_planned: int
    error: str | None = None
    fault_kind: FaultKind | None = None


class Remark(Shown):
    """Something a person should know."""

    at: datetime
    message: str
    scan_id: str | None = None
    fault_kind: FaultKind | None = None
    """Where it is about a fault that was mended."""


class DiskSpace(Shown):
    """The disk that keeps the scans. 1 MB = 10⁶ bytes."""

    free_mb: int
    reserve_mb: int


class HomingShown(Shown):
    """How the platter's angle came to be known."""

    at: datetime
    found_by: Literal["here", "index", "controller"]
    off_deg: float | None = None
    """By how much counted steps had been off; None: nothing had been counted before."""
    step_deg: float


class DeviceState(Shown):
    """Everything at a glance."""

    device: str
    version: str
    boot: str
    """Another one after each start of the daemon."""
    seq: int
    """Number of the latest event that is in here."""
    at: datetime
    phase: Phase
    mood: Mood
    scan: RunningScan | None = None
    interrupted: str | None = None
    """The scan that a fault or a stop ended and that Resume goes on with."""
    unfinished: tuple[str, ...] = ()
    """Scans that an earlier start left, oldest first; ResumeScan goes on with them."""
    fault: str | None = None
    """What ended the latest run: what, observed, expected, and what to do next."""
    fault_kind: FaultKind | None = None
    """The same in a word."""
    warnings: tuple[Remark, ...] = ()
    """The latest few."""
    last_scan: EndedScan | None = None
    uploads: tuple[UploadProgress, ...] = ()
    """On their way, and those that failed; the latest of many."""
    link: LinkState | None = None
    """The way to the service, all scans together; None while no sync runs."""
    disk: DiskSpace | None = None
    light_level: float | None = None
    """At which it shines when it is lit; None without a light."""
    light_colour: str | None = None
    """`#rrggbb`; None without a light that has colours."""
    has_raw: bool = False
    """Whether scans can keep raw files: every camera delivers them."""
    homing: HomingShown | None = None
    """The latest one since the start."""
    emergency_stop: bool | None = None
    """Whether it is pushed: nothing moves then. None without one."""
