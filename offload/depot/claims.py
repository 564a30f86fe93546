"""Which job a free worker takes next: a choice at that moment, so that it can be fair, and priorities may change.

The row is the place in the queue: a job waits while it is queued, and is a worker's from the commit that says so.
Tenants take turns: first whoever has the fewest jobs running, among those whoever had the last one longest ago; so
the first job of one never waits for the five hundred of another. Within a tenant the more urgent goes first, then the
older.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.needs import Abilities
from offload.depot.outage import outlast
from offload.depot.stages import StageOutcome, end_stage
from offload.depot.tables import JOBS, WORKERS
from offload.depot.workflow_names import workflow_id
from offload.wire.jobs import JobState, Priority

RANK = sa.case({Priority.URGENT: 0, Priority.NORMAL: 1}, value=JOBS.c.priority, else_=2)
NEEDS = sa.cast(JOBS.c.needs, sa.Text)
WAITING = JOBS.c.state == JobState.QUEUED


@dataclass(frozen=True)
class Claim:
    """A job that is one worker's."""

    job_id: str
    handed_out: int

    @property
    def workflow_id(self) -> str:
        """DBOS's name of it; another one each time the job is handed out."""
        return workflow_id(self.job_id, self.handed_out)


class JobClaims:
    """What one worker takes, and takes over."""

    def __init__(self, engine: sa.Engine, worker: str) -> None:
        self._engine, self._worker = engine, worker

    def mine(self) -> list[Claim]:
        """Return what this worker had when it ended, the oldest first."""
        held = sa.select(JOBS.c.job_id, JOBS.c.handed_out).where(
            JOBS.c.worker == self._worker, JOBS.c.state == JobState.RUNNING
        )

        def read() -> list[Claim]:
            with self._engine.connect() as connection:
                return [Claim(*row) for row in connection.execute(held.order_by(JOBS.c.claimed_at))]

        return outlast(self._engine, read)

    def take_next(self, abilities: Abilities) -> Claim | None:
        """Make the next job this worker's; None: nothing waits that it could do."""

        def write() -> Claim | None:
            while True:
                with self._engine.begin() as connection:
                    chosen = _next(connection, abilities)
                    if chosen is None:
                        return None
                    taken = sa.update(JOBS).where(JOBS.c.job_id == chosen.job_id, WAITING)
                    values = {"state": JobState.RUNNING, "worker": self._worker, "claimed_at": now()}
                    if connection.execute(taken.values(updated_at=now(), **values)).rowcount:
                        return chosen

        return outlast(self._engine, write)


def _next(connection: sa.Connection, abilities: Abilities) -> Claim | None:
    waiting = connection.execute(sa.select(JOBS.c.tenant_id, NEEDS).where(WAITING).distinct()).all()
    able = {needs for _, needs in waiting if not abilities.lacks(json.loads(needs))}
    tenants = {tenant_id for tenant_id, needs in waiting if needs in able}
    if not tenants:
        return None
    whose = min(_turns(connection, tenants))[-1]
    first = (
        sa.select(JOBS.c.job_id, JOBS.c.handed_out)
        .where(WAITING, JOBS.c.tenant_id == whose, NEEDS.in_(able))
        .order_by(RANK, JOBS.c.created_at, JOBS.c.job_id)
        .limit(1)
    )
    row = connection.execute(first).one_or_none()
    return Claim(*row) if row is not None else None


def _turns(connection: sa.Connection, tenants: set[str]) -> list[tuple[int, float, str]]:
    """Return, for each tenant, what decides whose turn it is; the least is next."""
    running = _by_tenant(connection, sa.func.count(), JOBS.c.state == JobState.RUNNING)
    last = _by_tenant(connection, sa.func.max(JOBS.c.claimed_at), JOBS.c.tenant_id.in_(tenants))
    return [(running.get(one, 0), moment.timestamp() if (moment := last.get(one)) else 0.0, one) for one in tenants]


def _by_tenant(
    connection: sa.Connection, what: sa.ColumnElement[Any], which: sa.ColumnElement[bool]
) -> dict[str, Any]:
    found = connection.execute(sa.select(JOBS.c.tenant_id, what).where(which).group_by(JOBS.c.tenant_id))
    return {row[0]: row[1] for row in found}


def hand_out_again(connection: sa.Connection, job_id: str, **more: object) -> None:
    """Let a job wait again, whoever had it: that worker's word counts no more."""
    again = {"state": JobState.QUEUED, "worker": None, "stage": None, "percent": 0.0, "cancel_requested": False}
    connection.execute(
        sa.update(JOBS)
        .where(JOBS.c.job_id == job_id)
        .values(handed_out=JOBS.c.handed_out + 1, updated_at=now(), **(again | more))
    )
    end_stage(connection, job_id, StageOutcome.INTERRUPTED)


def take_over(engine: sa.Engine, worker: str) -> list[str]:
    """Let all jobs wait again that a worker has which will not come back; return them."""
    with engine.begin() as connection:
        return [job_id for job_id, _tenant_id in hand_out_all_of(connection, worker)]


def hand_out_all_of(connection: sa.Connection, worker: str) -> list[tuple[str, str]]:
    """Let all jobs of a worker wait again; return each job and its tenant."""
    held = sa.select(JOBS.c.job_id, JOBS.c.tenant_id).where(JOBS.c.worker == worker, JOBS.c.state == JobState.RUNNING)
    jobs = [(str(job_id), str(tenant_id)) for job_id, tenant_id in connection.execute(held)]
    for job_id, _tenant_id in jobs:
        hand_out_again(connection, job_id)
    return jobs


def silent_since(engine: sa.Engine, moment: datetime) -> list[str]:
    """Return the workers that have a job and were not seen since this moment."""
    held = sa.select(JOBS.c.worker).where(JOBS.c.state == JobState.RUNNING, JOBS.c.worker.is_not(None))
    seen = sa.select(WORKERS.c.name).where(WORKERS.c.seen_at >= moment)
    query = held.where(JOBS.c.worker.not_in(seen)).distinct()
    with engine.connect() as connection:
        return [str(name) for name in connection.execute(query).scalars()]
