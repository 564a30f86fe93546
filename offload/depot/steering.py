"""What a tenant's people change about their jobs: which goes first, and which is tried again.

Everything happens in the caller's transaction.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from offload.depot.claims import hand_out_again
from offload.depot.instant import now
from offload.depot.job_row import UnknownJob, job_of
from offload.depot.tables import JOBS
from offload.wire.jobs import Cause, Job, JobState, Priority

DEAD = sa.and_(JOBS.c.state == JobState.FAILED, JOBS.c.dead)


class WrongState(RuntimeError):
    """A job is past what was asked for, or not there yet; the message says which and what to do."""


class Steering:
    """The jobs of one tenant, in a transaction. Every call raises UnknownJob for others'."""

    def __init__(self, connection: sa.Connection, tenant_id: str) -> None:
        self._connection, self._tenant_id = connection, tenant_id

    def set_priority(self, job_id: str, priority: Priority) -> None:
        """Let a queued job go earlier or later among its tenant's. Raises WrongState."""
        state = self._locked(job_id).state
        if state is not JobState.QUEUED:
            raise WrongState(f"job {job_id} is {state}; only the priority of a queued job can be changed")
        changed = sa.update(JOBS).where(JOBS.c.job_id == job_id)
        self._connection.execute(changed.values(priority=priority, updated_at=now()))

    def retry(self, job_id: str) -> None:
        """Let a failed or cancelled job wait again, as if it had never been tried. Raises WrongState."""
        state = self._locked(job_id).state
        if state not in (JobState.FAILED, JobState.CANCELLED):
            raise WrongState(f"job {job_id} is {state}; only a failed or cancelled job can be tried again")
        afresh = {"failures": 0, "starts_forgiven": JOBS.c.starts, "dead": False, "error": None, "cause": None}
        hand_out_again(self._connection, job_id, **afresh)

    def dead(self) -> list[Job]:
        """Return the jobs that failed for good, the newest first."""
        return self._read(self._dead().order_by(JOBS.c.updated_at.desc(), JOBS.c.job_id))

    def requeue(self, job_ids: Sequence[str] | None = None, cause: Cause | None = None) -> list[str]:
        """Let jobs that failed for good wait again: these, or all of a cause, or all. Raises WrongState.

        Of named ones either all are handed out again, or none.
        """
        if job_ids is None:
            dead = self._dead() if cause is None else self._dead().where(JOBS.c.cause == cause)
            job_ids = [job.job_id for job in self._read(dead.with_for_update())]
        unique = sorted(set(job_ids))
        for job_id in unique:
            self._require_dead(job_id)
            self.retry(job_id)
        return unique

    def _dead(self) -> sa.Select[tuple[object, ...]]:
        return sa.select(JOBS).where(JOBS.c.tenant_id == self._tenant_id, DEAD)

    def _read(self, query: sa.Select[tuple[object, ...]]) -> list[Job]:
        return [job_of(row) for row in self._connection.execute(query).mappings()]

    def _require_dead(self, job_id: str) -> None:
        job = self._locked(job_id)
        if not job.dead:
            raise WrongState(f"job {job_id} is {job.state} and no dead letter; /jobs/{job_id}/retry may be meant")

    def _locked(self, job_id: str) -> Job:
        """Return a job that nobody else changes until the transaction ends."""
        mine = sa.and_(JOBS.c.job_id == job_id, JOBS.c.tenant_id == self._tenant_id)
        row = self._connection.execute(sa.select(JOBS).where(mine).with_for_update()).mappings().one_or_none()
        if row is None:
            raise UnknownJob(job_id)
        return job_of(row)
