"""What a job went through: each stage of each attempt, when it began and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.tables import JOB_STAGES


class StageOutcome(StrEnum):
    """How a stage ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """Its worker or engine died, or was stopped."""


@dataclass(frozen=True)
class StageRun:
    """One stage of one attempt; it runs while it has no end."""

    stage: str
    attempt: int
    started_at: datetime
    ended_at: datetime | None
    outcome: StageOutcome | None


def begin_stage(connection: sa.Connection, job_id: str, stage: str, attempt: int) -> None:
    """Note that a stage has begun, unless it runs already; what ran before it is done, or died with its attempt."""
    running = connection.execute(
        sa.select(JOB_STAGES.c.stage, JOB_STAGES.c.attempt).where(
            JOB_STAGES.c.job_id == job_id, JOB_STAGES.c.ended_at.is_(None)
        )
    ).one_or_none()
    if running is not None:
        if (running.stage, running.attempt) == (stage, attempt):
            return
        died = running.attempt not in (0, attempt)  # 0: before the engine was first started.
        end_stage(connection, job_id, StageOutcome.INTERRUPTED if died else StageOutcome.DONE)
    row = {"job_id": job_id, "stage": stage, "attempt": attempt, "started_at": now()}
    connection.execute(sa.insert(JOB_STAGES).values(row))


def end_stage(connection: sa.Connection, job_id: str, outcome: StageOutcome) -> None:
    """Note how the running stage ended; nothing if none runs."""
    running = sa.and_(JOB_STAGES.c.job_id == job_id, JOB_STAGES.c.ended_at.is_(None))
    connection.execute(sa.update(JOB_STAGES).where(running).values(ended_at=now(), outcome=outcome))


def stage_history(connection: sa.Connection, job_id: str) -> list[StageRun]:
    """Return every stage that a job began, in that order."""
    query = sa.select(JOB_STAGES).where(JOB_STAGES.c.job_id == job_id).order_by(JOB_STAGES.c.number)
    return [
        StageRun(
            row["stage"],
            row["attempt"],
            row["started_at"],
            row["ended_at"],
            StageOutcome(row["outcome"]) if row["outcome"] else None,
        )
        for row in connection.execute(query).mappings()
    ]
