"""What programs send that name their photos by URL, and what they are answered and told at the end."""

from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from offload.wire.base import Wire
from offload.wire.bundle import MatSpec, ReconstructionOptions

DEFAULT_MAT = MatSpec(columns=15, rows=15, square_mm=18.0, marker_mm=13.5)
"""What `scannerd mat` prints unless it is told otherwise."""


class ReconstructRequest(Wire):
    """Photos by URL. Fields that nobody knows are passed over, as the clients of such services expect."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    image_urls: tuple[str, ...]
    callback_url: str | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    """Comes back with the job's end as it is."""
    priority: Literal["urgent", "normal", "batch"] = "normal"
    mat: MatSpec = DEFAULT_MAT
    """That lay under the object."""
    options: ReconstructionOptions = ReconstructionOptions()


class ReconstructAnswer(Wire):
    """A job has been made, or was made by an earlier request under the same idempotency key."""

    job_id: str
    status: str
    message: str


class JobCompleted(Wire):
    """What a callback is told of a job that has a model."""

    job_id: str
    status: Literal["completed"] = "completed"
    result_url: str
    metadata: dict[str, JsonValue]


class JobFailed(Wire):
    """What a callback is told of a job that will have none."""

    job_id: str
    status: Literal["failed"] = "failed"
    error: str
    metadata: dict[str, JsonValue]
