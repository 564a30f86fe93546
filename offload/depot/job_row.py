"""From a row of the jobs table to what is told of a job."""

import sqlalchemy as sa
from pydantic import TypeAdapter

from offload.depot.estimate import seconds_left
from offload.wire.bundle import StoredFile
from offload.wire.jobs import Cause, Job, JobState, Priority, Stage

FILES = TypeAdapter(tuple[StoredFile, ...])


class UnknownJob(KeyError):
    """There is no such job."""


def job_of(row: sa.RowMapping, waits_for: str | None = None) -> Job:
    """Return what is told of a job."""
    return Job(
        job_id=row["job_id"],
        scan_id=row["scan_id"],
        bundle_sha256=row["bundle_sha256"],
        state=JobState(row["state"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        percent=row["percent"],
        error=row["error"],
        priority=Priority(row["priority"]),
        cause=Cause(row["cause"]) if row["cause"] else None,
        dead=row["dead"],
        seconds_left=seconds_left(row),
        waits_for=waits_for,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        results=FILES.validate_json(row["results"]),
    )
