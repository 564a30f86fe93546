"""Why a queued job is not running yet, in words for the people whose job it is."""

import json
from collections.abc import Sequence

import sqlalchemy as sa

from offload.depot.claims import NEEDS, RANK, WAITING
from offload.depot.instant import Instant
from offload.depot.needs import Abilities
from offload.depot.roster import Roster, WorkerSeen
from offload.depot.tables import JOBS
from offload.wire.jobs import JobState, Priority


def why_it_waits(engine: sa.Engine, job: sa.RowMapping) -> str | None:
    """Return the reason of a queued job; None for one that a free worker is about to take, and for all others."""
    if job["state"] != JobState.QUEUED:
        return None
    living = [worker for worker in Roster(engine).everybody() if worker.lives]
    with engine.connect() as connection:
        before = connection.execute(_before(job)).all()
    # What nobody can do holds up nobody.
    ahead = sum(count for needs, count in before if _able(living, json.loads(needs)))
    return _reason(living, _able(living, job["needs"]), job["needs"], ahead)


def _before(job: sa.RowMapping) -> sa.Select[str, int]:
    """Ask how many of its tenant's jobs go first, by what they need: counted there, since there may be thousands."""
    rank = sa.case({Priority.URGENT: 0, Priority.NORMAL: 1}, value=sa.literal(job["priority"]), else_=2)
    mine = sa.tuple_(rank, sa.literal(job["created_at"], Instant), sa.literal(job["job_id"]))
    first = sa.tuple_(RANK, JOBS.c.created_at, JOBS.c.job_id) < mine
    return (
        sa.select(NEEDS, sa.func.count()).where(WAITING, JOBS.c.tenant_id == job["tenant_id"], first).group_by(NEEDS)
    )


def _able(living: Sequence[WorkerSeen], needs: Sequence[str]) -> list[WorkerSeen]:
    return [worker for worker in living if not worker.abilities.lacks(needs)]


def _reason(living: Sequence[WorkerSeen], able: Sequence[WorkerSeen], needs: Sequence[str], ahead: int) -> str | None:
    if not living:
        return "no worker runs"
    if not able:
        lacks = "; ".join(f"{worker.name} lacks {', '.join(worker.abilities.lacks(needs))}" for worker in living)
        return f"no living worker has {' and '.join(_lacked_by_all(living, needs))} ({lacks})"
    if ahead:
        return f"{ahead} of your own jobs {'goes' if ahead == 1 else 'go'} first"
    if all(worker.job_id is not None for worker in able):
        having = (
            "" if len(able) == len(living) else f" that {'has' if len(able) == 1 else 'have'} {' and '.join(needs)}"
        )
        return f"all {len(able)} workers{having} are busy" if len(able) > 1 else f"the only worker{having} is busy"
    return None


def _lacked_by_all(living: Sequence[WorkerSeen], needs: Sequence[str]) -> Sequence[str]:
    """Where each need is somebody's, but nobody has all of them, it is all of them that nobody has."""
    everything = Abilities(
        frozenset(name for worker in living for name in worker.abilities.capabilities),
        max(worker.abilities.memory_gb for worker in living),
    )
    return everything.lacks(needs) or needs
