"""A job's life as its worker writes it down: what must outlive the worker that runs it.

The service reads and changes jobs through `tenant_jobs`, which knows whose they are.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.job_row import FILES, UnknownJob, job_of
from offload.depot.outage import outlast
from offload.depot.stages import StageOutcome, begin_stage, end_stage
from offload.depot.tables import JOBS
from offload.depot.webhook_outbox import note_end
from offload.wire.bundle import Manifest, StoredFile
from offload.wire.jobs import Cause, Job, JobState, Stage

_FINAL = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)
_LIVE = (JobState.QUEUED, JobState.RUNNING)


class TakenOver(RuntimeError):
    """The job is another worker's by now: what this one has to say of it counts no more."""


class Ledger:
    """What one worker writes of its jobs. A job that is over, or another worker's, it cannot change.

    Every method waits for a PostgreSQL that is away.
    """

    def __init__(self, engine: sa.Engine, worker: str) -> None:
        self._engine, self._worker = engine, worker

    def get(self, job_id: str) -> Job:
        """Return a job. Raises UnknownJob."""
        return job_of(self.row(job_id))

    def find(self, job_id: str) -> Job | None:
        """Return a job, or None if it was deleted."""
        try:
            return self.get(job_id)
        except UnknownJob:
            return None

    def row(self, job_id: str) -> sa.RowMapping:
        """Return everything the table says of a job. Raises UnknownJob."""

        def read() -> sa.RowMapping | None:
            with self._engine.connect() as connection:
                return connection.execute(sa.select(JOBS).where(JOBS.c.job_id == job_id)).mappings().one_or_none()

        if (row := outlast(self._engine, read)) is None:
            raise UnknownJob(job_id)
        return row

    def tenant_id(self, job_id: str) -> str:
        """Return whose job it is. Raises UnknownJob."""
        return str(self.row(job_id)["tenant_id"])

    def manifest(self, job_id: str) -> Manifest:
        """Return the manifest of a job's bundle. Raises UnknownJob, also for a job that has no bundle."""
        manifest = self.row(job_id)["manifest"]
        if manifest is None:
            raise UnknownJob(job_id)
        return Manifest.model_validate_json(manifest)

    def set_manifest(self, job_id: str, manifest: Manifest) -> None:
        """Give a job that came without a bundle the one made of its photos, which must be in storage."""
        self._update(job_id, manifest=manifest.model_dump_json())

    def begin(self, job_id: str) -> int:
        """Count one more start of the engine and return how many that makes; it survives a kill. Raises TakenOver."""
        self._update(job_id, state=JobState.RUNNING, starts=JOBS.c.starts + 1)
        row = self.row(job_id)
        if row["worker"] != self._worker:
            raise TakenOver(f"{row['worker'] or 'another worker'} has it by now")
        return int(row["starts"])

    def starts_that_count(self, job_id: str) -> int:
        """Return how often the engine was started since the job was last handed out by a person."""
        row = self.row(job_id)
        return int(row["starts"] - row["starts_forgiven"])

    def count_failure(self, job_id: str) -> int:
        """Count one more run that the engine ended in error and return how many that makes."""
        self._update(job_id, StageOutcome.FAILED, failures=JOBS.c.failures + 1)
        return int(self.row(job_id)["failures"])

    def take_back_start(self, job_id: str) -> None:
        """Do not hold a start against the job that a clean shutdown interrupted."""
        self._update(job_id, StageOutcome.INTERRUPTED, starts=JOBS.c.starts - 1)

    def progress(self, job_id: str, stage: Stage, percent: float) -> None:
        """Say where a running job is; `percent` is of the whole job. A stage that is new goes into its history."""
        mine = sa.and_(JOBS.c.job_id == job_id, JOBS.c.state.in_(_LIVE), JOBS.c.worker == self._worker)
        values = {"state": JobState.RUNNING, "stage": stage, "percent": percent, "updated_at": now()}

        def write() -> None:
            with self._engine.begin() as connection:
                if connection.execute(sa.update(JOBS).where(mine).values(values)).rowcount:
                    starts = sa.select(JOBS.c.starts).where(JOBS.c.job_id == job_id)
                    begin_stage(connection, job_id, stage, connection.execute(starts).scalar_one())

        outlast(self._engine, write)

    def keep_words(self, job_id: str, words: str) -> None:
        """Keep the engine's last words for whoever asks what the job is doing."""
        # PostgreSQL takes no zero bytes in a text.
        self._update(job_id, log_tail=words.replace("\0", "\N{REPLACEMENT CHARACTER}"))

    def complete(self, job_id: str, results: Sequence[StoredFile]) -> None:
        """Mark a job completed. Its results must be in place and durable."""
        listed = FILES.dump_json(tuple(results)).decode()
        claimed_at = self.row(job_id)["claimed_at"]
        took_s = (now() - claimed_at).total_seconds() if claimed_at else None
        done = {"state": JobState.COMPLETED, "percent": 100.0, "results": listed, "took_s": took_s}
        self._update(job_id, StageOutcome.DONE, **done)

    def fail(self, job_id: str, error: str, cause: Cause) -> None:
        """Mark a job failed for good: it is a dead letter until somebody has it tried again."""
        self._update(job_id, StageOutcome.FAILED, state=JobState.FAILED, error=error, cause=cause, dead=True)

    def cancelled(self, job_id: str) -> None:
        """Mark a job cancelled: nothing of it runs any more."""
        self._update(job_id, StageOutcome.CANCELLED, state=JobState.CANCELLED)

    def is_mine(self, job_id: str) -> bool:
        """Whether this worker had it last."""
        try:
            return bool(self.row(job_id)["worker"] == self._worker)
        except UnknownJob:
            return False

    def cancel_requested(self, job_id: str) -> bool:
        """Whether somebody wants this job to stop, or another worker has it. Raises UnknownJob."""
        row = self.row(job_id)
        return bool(row["cancel_requested"]) or row["worker"] != self._worker

    def _update(self, job_id: str, stage_ended: StageOutcome | None = None, **values: object) -> None:
        mine = sa.and_(JOBS.c.job_id == job_id, JOBS.c.worker == self._worker)
        live = sa.update(JOBS).where(mine, JOBS.c.state.in_(_LIVE))

        def write() -> None:
            with self._engine.begin() as connection:
                changed = connection.execute(live.values(updated_at=now(), **values))
                if stage_ended is not None and changed.rowcount:
                    end_stage(connection, job_id, stage_ended)
                if values.get("state") in _FINAL and changed.rowcount:
                    note_end(connection, job_id)

        outlast(self._engine, write)
