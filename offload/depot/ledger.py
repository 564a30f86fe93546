"""The jobs table: what the service tells of a job, and what must outlive the worker that runs it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.sqlite import insert

from offload.wire.bundle import Manifest, StoredFile
from offload.wire.jobs import Job, JobState, Stage

JOBS = sa.Table(
    "jobs",
    sa.MetaData(),
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("scan_id", sa.Text, nullable=False),
    sa.Column("bundle_sha256", sa.Text, nullable=False, unique=True),
    sa.Column("manifest", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("stage", sa.Text),
    sa.Column("percent", sa.Float, nullable=False, default=0.0),
    sa.Column("error", sa.Text),
    sa.Column("created_at", sa.Text, nullable=False, index=True),
    sa.Column("updated_at", sa.Text, nullable=False),
    sa.Column("results", sa.Text, nullable=False, default="[]"),
    sa.Column("starts", sa.Integer, nullable=False, default=0),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, default=False),
)

_FILES = TypeAdapter(tuple[StoredFile, ...])
_LIVE = (JobState.QUEUED, JobState.RUNNING)


class UnknownJob(KeyError):
    """There is no such job."""


def job_id_of(bundle_sha256: str) -> str:
    """Return the id of the one job that a bundle can have."""
    return bundle_sha256[:32]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Ledger:
    """Jobs in the database. Final states never change again: an update of a finished job does nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, connection: sa.Connection, manifest: Manifest) -> bool:
        """Insert a queued job inside the caller's transaction; False if it was there already."""
        bundle_sha256, now = manifest.digest(), _now()
        row = {
            "job_id": job_id_of(bundle_sha256),
            "scan_id": manifest.scan_id,
            "bundle_sha256": bundle_sha256,
            "manifest": manifest.model_dump_json(),
            "state": JobState.QUEUED,
            "created_at": now,
            "updated_at": now,
        }
        return connection.execute(insert(JOBS).values(row).on_conflict_do_nothing()).rowcount == 1

    def get(self, job_id: str) -> Job:
        """Return a job. Raises UnknownJob."""
        return _job(self._row(job_id))

    def find(self, job_id: str) -> Job | None:
        """Return a job, or None."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.job_id == job_id)).mappings().one_or_none()
        return _job(row) if row is not None else None

    def newest(self, limit: int = 200) -> list[Job]:
        """Return jobs, the newest first."""
        query = sa.select(JOBS).order_by(JOBS.c.created_at.desc(), JOBS.c.job_id).limit(limit)
        with self._engine.connect() as connection:
            return [_job(row) for row in connection.execute(query).mappings()]

    def manifest(self, job_id: str) -> Manifest:
        """Return the manifest of a job's bundle. Raises UnknownJob."""
        return Manifest.model_validate_json(self._row(job_id)["manifest"])

    def begin(self, job_id: str) -> int:
        """Count one more start of the engine and return how many that makes; it survives a kill."""
        self._update(job_id, state=JobState.RUNNING, starts=JOBS.c.starts + 1)
        return int(self._row(job_id)["starts"])

    def count_failure(self, job_id: str) -> int:
        """Count one more run that the engine ended in error and return how many that makes."""
        self._update(job_id, failures=JOBS.c.failures + 1)
        return int(self._row(job_id)["failures"])

    def take_back_start(self, job_id: str) -> None:
        """Do not hold a start against the job that a clean shutdown interrupted."""
        self._update(job_id, starts=JOBS.c.starts - 1)

    def progress(self, job_id: str, stage: Stage, percent: float) -> None:
        """Say where a running job is; `percent` is of the whole job."""
        self._update(job_id, state=JobState.RUNNING, stage=stage, percent=percent)

    def complete(self, job_id: str, results: Sequence[StoredFile]) -> None:
        """Mark a job completed. Its results must be in place and durable."""
        listed = _FILES.dump_json(tuple(results)).decode()
        self._update(job_id, state=JobState.COMPLETED, percent=100.0, results=listed)

    def fail(self, job_id: str, error: str) -> None:
        """Mark a job failed for good."""
        self._update(job_id, state=JobState.FAILED, error=error)

    def cancelled(self, job_id: str) -> None:
        """Mark a job cancelled: nothing of it runs any more."""
        self._update(job_id, state=JobState.CANCELLED)

    def request_cancel(self, job_id: str) -> Job:
        """Cancel a queued job at once, and ask a running one's worker to stop. Raises UnknownJob."""
        self._row(job_id)
        self._update(job_id, cancel_requested=True)
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(JOBS)
                .where(JOBS.c.job_id == job_id, JOBS.c.state == JobState.QUEUED)
                .values(state=JobState.CANCELLED, updated_at=_now())
            )
        return self.get(job_id)

    def cancel_requested(self, job_id: str) -> bool:
        """Whether somebody wants this job to stop. Raises UnknownJob."""
        return bool(self._row(job_id)["cancel_requested"])

    def _row(self, job_id: str) -> sa.RowMapping:
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.job_id == job_id)).mappings().one_or_none()
        if row is None:
            raise UnknownJob(job_id)
        return row

    def _update(self, job_id: str, **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(JOBS)
                .where(JOBS.c.job_id == job_id, JOBS.c.state.in_(_LIVE))
                .values(updated_at=_now(), **values)
            )


def _job(row: sa.RowMapping) -> Job:
    return Job(
        job_id=row["job_id"],
        scan_id=row["scan_id"],
        bundle_sha256=row["bundle_sha256"],
        state=JobState(row["state"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        percent=row["percent"],
        error=row["error"],
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        results=_FILES.validate_json(row["results"]),
    )
