"""From a row of the jobs table to what is told of a job."""

import sqlalchemy as sa
from pydantic import TypeAdapter

from offload.wire.bundle import StoredFile
from offload.wire.jobs import Job, JobState, Stage

FILES = TypeAdapter(tuple[StoredFile, ...])


class UnknownJob(KeyError):
    """There is no such job."""


def job_of(row: sa.RowMapping) -> Job:
    """Return what is told of a job."""
    return Job(
        job_id=row["job_id"],
        scan_id=row["scan_id"],
        bundle_sha256=row["bundle_sha256"],
        state=JobState(row["state"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        percent=row["percent"],
        error=row["error"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        results=FILES.validate_json(row["results"]),
    )
