"""The jobs of one tenant: what the service may read and change on somebody's behalf. Others' do not exist here."""

from typing import Any

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.job_row import UnknownJob, job_of
from offload.depot.stages import StageRun, stage_history
from offload.depot.tables import JOBS
from offload.depot.waiting import why_it_waits
from offload.depot.webhook_outbox import note_end
from offload.wire.jobs import Job, JobState


class TenantJobs:
    """Jobs as their tenant sees them. A job of another tenant is as unknown as one that never was."""

    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def find(self, job_id: str) -> Job | None:
        """Return a job, or None."""
        row = self._row(job_id)
        return job_of(row, why_it_waits(self._engine, row)) if row is not None else None

    def get(self, job_id: str) -> Job:
        """Return a job. Raises UnknownJob."""
        if (job := self.find(job_id)) is None:
            raise UnknownJob(job_id)
        return job

    def with_idempotency_key(self, key: str) -> Job | None:
        """Return the job that was made under this key, or None."""
        with self._engine.connect() as connection:
            row = connection.execute(self._mine().where(JOBS.c.idempotency_key == key)).mappings().one_or_none()
        return job_of(row, why_it_waits(self._engine, row)) if row is not None else None

    def request(self, job_id: str) -> dict[str, Any]:
        """Return what else came with a job. Raises UnknownJob."""
        if (row := self._row(job_id)) is None:
            raise UnknownJob(job_id)
        return dict(row["request"])

    def newest(self, limit: int = 200) -> list[Job]:
        """Return jobs, the newest first, without why they wait."""
        query = self._mine().order_by(JOBS.c.created_at.desc(), JOBS.c.job_id).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [job_of(row) for row in rows]

    def stages(self, job_id: str) -> list[StageRun]:
        """Return what a job went through. Raises UnknownJob."""
        self.get(job_id)
        with self._engine.connect() as connection:
            return stage_history(connection, job_id)

    def log_tail(self, job_id: str) -> str:
        """Return the last words of a job's engine. Raises UnknownJob."""
        if (row := self._row(job_id)) is None:
            raise UnknownJob(job_id)
        return row["log_tail"] or ""

    def request_cancel(self, job_id: str) -> Job:
        """Cancel a queued job at once, and ask a running one's worker to stop. Raises UnknownJob."""
        self.get(job_id)
        mine = sa.and_(JOBS.c.tenant_id == self._tenant_id, JOBS.c.job_id == job_id)
        live = JOBS.c.state.in_((JobState.QUEUED, JobState.RUNNING))
        with self._engine.begin() as connection:
            connection.execute(sa.update(JOBS).where(mine, live).values(cancel_requested=True, updated_at=now()))
            waiting = sa.update(JOBS).where(mine, JOBS.c.state == JobState.QUEUED)
            if connection.execute(waiting.values(state=JobState.CANCELLED)).rowcount:
                note_end(connection, job_id)
        return self.get(job_id)

    def _mine(self) -> sa.Select[tuple[object, ...]]:
        return sa.select(JOBS).where(JOBS.c.tenant_id == self._tenant_id)

    def _row(self, job_id: str) -> sa.RowMapping | None:
        with self._engine.connect() as connection:
            return connection.execute(self._mine().where(JOBS.c.job_id == job_id)).mappings().one_or_none()
