"""Why a queued job is not running yet, in words for the people whose job it is."""

from collections.abc import Sequence

import sqlalchemy as sa

from offload.depot.claims import RANK, WAITING
from offload.depot.needs import Abilities
from offload.depot.roster import Roster, WorkerSeen
from offload.depot.tables import JOBS


def why_they_wait(engine: sa.Engine, tenant_id: str) -> dict[str, str]:
    """Return the reason of each of a tenant's queued jobs; one that a free worker is about to take has none."""
    living = [worker for worker in Roster(engine).everybody() if worker.lives]
    waiting = (
        sa.select(JOBS.c.job_id, JOBS.c.needs)
        .where(WAITING, JOBS.c.tenant_id == tenant_id)
        .order_by(RANK, JOBS.c.created_at, JOBS.c.job_id)
    )
    with engine.connect() as connection:
        rows = connection.execute(waiting).all()
    reasons, ahead = {}, 0
    for job_id, needs in rows:
        able = [worker for worker in living if not worker.abilities.lacks(needs)]
        if reason := _reason(living, able, needs, ahead):
            reasons[job_id] = reason
        ahead += bool(able)  # What nobody can do holds up nobody.
    return reasons


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
