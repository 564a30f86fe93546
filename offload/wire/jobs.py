"""Jobs as the service tells of them, and what sync tells of a scan."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from offload.wire.base import ScanId, Sha256, Wire, is_nothing
from offload.wire.bundle import StoredFile

FROM_STORAGE = "Offload-From-Storage"
"""Header of a redirect (`?1`) that the service means, to where no key is needed; that of a guest network has none."""


class Stage(StrEnum):
    """Where a job is, in the order of the pipeline."""

    FETCH = "fetch"
    READ = "read"
    CALIBRATE = "calibrate"
    MASK = "mask"
    HULL = "hull"
    SWEEP = "sweep"
    FUSE = "fuse"
    REFINE = "refine"
    TEXTURE = "texture"
    EXPORT = "export"


class JobState(StrEnum):
    """Which way a job can still go; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Nothing will change any more."""
        return self in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)


class Cause(StrEnum):
    """Why a job failed for good, as far as it can be told."""

    OUT_OF_MEMORY = "out of memory"
    TOO_FEW_POSES = "too few poses"
    NO_GPU = "no gpu"
    BAD_IMAGE = "bad image"
    BAD_INPUT = "bad input"
    """Something else that a person must change before it can work."""
    TIMEOUT = "timeout"
    WORKER_DIED = "worker died"
    """As often as it was tried."""
    BUG = "bug"


class Priority(StrEnum):
    """Which of a tenant's jobs goes first."""

    URGENT = "urgent"
    NORMAL = "normal"
    BATCH = "batch"


def _is_none(value: object) -> bool:
    return value is None


def _is_normal(priority: Priority) -> bool:
    return priority is Priority.NORMAL


class Job(Wire):
    """One reconstruction of one bundle. The job's id is made from the bundle's hash, so a repeat is the same job."""

    job_id: str
    scan_id: ScanId
    bundle_sha256: Sha256 | None = None
    """None: its photos came as addresses."""
    state: JobState
    stage: Stage | None = None
    percent: float = Field(default=0.0, ge=0, le=100)
    """Of the whole job."""
    error: str | None = None
    priority: Priority = Field(default=Priority.NORMAL, exclude_if=_is_normal)
    cause: Cause | None = Field(default=None, exclude_if=is_nothing)
    dead: bool = Field(default=False, exclude_if=is_nothing)
    """It failed for good, and waits for somebody who has it tried again."""
    seconds_left: float | None = Field(default=None, exclude_if=_is_none, ge=0)
    """Of work, as it was with jobs before; what a queued job waits for a worker is not in it."""
    waits_for: str | None = Field(default=None, exclude_if=is_nothing)
    """Why a queued job is not running yet, for people."""
    created_at: datetime
    updated_at: datetime
    results: tuple[StoredFile, ...] = ()


class StageTold(Wire):
    """One stage of one attempt at a job; it runs while it has no end."""

    stage: str
    attempt: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    """`done`, `failed`, `cancelled`, or `interrupted`: its worker or engine died, or was stopped."""


class JobEvent(Wire):
    """What has changed of a job, as the stream of its events tells it."""

    state: JobState
    stage: Stage | None
    percent: float


class NewPriority(Wire):
    """Asks for a queued job to go earlier or later among its tenant's."""

    priority: Priority


class DeadLetters(Wire):
    """Jobs that failed for good for one reason."""

    cause: Cause | None
    """None: nobody wrote it down."""
    jobs: tuple[Job, ...]


class Requeue(Wire):
    """Asks for jobs that failed for good to be tried again: exactly one of the three."""

    job_ids: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=10_000)
    cause: Cause | None = None
    all: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.job_ids is not None) + (self.cause is not None) + self.all != 1:
            raise ValueError("name either job_ids, or a cause, or say all")
        return self


class Requeued(Wire):
    """The jobs that wait again."""

    job_ids: tuple[str, ...]


class MissingBlobs(Wire):
    """The answer to a manifest that came before its photos."""

    missing: tuple[Sha256, ...]


class SyncState(Wire):
    """How far a scan is on its way up and back; written beside the scan for page, MQTT and progress display."""

    scan_id: ScanId
    files_confirmed: int = 0
    bytes_confirmed: int = 0
    bytes_sent: int = 0
    """On the wire, repeats counted."""
    bytes_known: int = 0
    """Of all files journaled so far."""
    job: Job | None = None
    results_in_place: bool = False
    last_error: str | None = None
    resting_at_bytes: int | None = None
    """Length of the journal of a scan that is not sealed, once everything it names is on the service."""
    updated_at: datetime
