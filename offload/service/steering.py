"""Which job goes first, which is tried again, and the dead letters: routes that change what waits."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException

from offload.depot.job_row import UnknownJob
from offload.depot.steering import Steering, WrongState
from offload.depot.tenant_jobs import TenantJobs
from offload.people.audit import note
from offload.people.principal import Principal
from offload.people.quotas import check_jobs
from offload.service.auth import Reader, Writer
from offload.wire.jobs import Cause, DeadLetters, Job, NewPriority, Requeue, Requeued


def add_steering_routes(router: APIRouter, engine: sa.Engine) -> None:
    """Add the routes. Deed and audit trail are one transaction; one job too many waits, and all is as before."""

    @router.post("/jobs/{job_id}/priority")
    def set_priority(whose: Writer, job_id: str, wanted: NewPriority) -> Job:
        with _steering(engine, whose) as (connection, steering):
            steering.set_priority(job_id, wanted.priority)
            note(connection, whose, "job.priority", job_id, priority=wanted.priority)
        return TenantJobs(engine, whose.tenant_id).get(job_id)

    @router.post("/jobs/{job_id}/retry")
    def retry(whose: Writer, job_id: str) -> Job:
        with _steering(engine, whose) as (connection, steering):
            steering.retry(job_id)
            note(connection, whose, "job.retry", job_id)
            check_jobs(connection, whose)
        return TenantJobs(engine, whose.tenant_id).get(job_id)

    @router.get("/dead-letters")
    def dead_letters(whose: Reader) -> list[DeadLetters]:
        with engine.connect() as connection:
            return _by_cause(Steering(connection, whose.tenant_id).dead())

    @router.post("/dead-letters/requeue")
    def requeue(whose: Writer, wanted: Requeue) -> Requeued:
        with _steering(engine, whose) as (connection, steering):
            job_ids = steering.requeue(wanted.job_ids, wanted.cause)
            for job_id in job_ids:
                note(connection, whose, "job.retry", job_id, dead_letter=True)
            if job_ids:
                check_jobs(connection, whose)
        return Requeued(job_ids=tuple(job_ids))


@contextmanager
def _steering(engine: sa.Engine, whose: Principal) -> Iterator[tuple[sa.Connection, Steering]]:
    """Yield a transaction; what may not be in it becomes an answer, and nothing of it has happened."""
    try:
        with engine.begin() as connection:
            yield connection, Steering(connection, whose.tenant_id)
    except UnknownJob as problem:
        raise HTTPException(404, f"there is no job {problem.args[0]}") from problem
    except WrongState as problem:
        raise HTTPException(409, str(problem)) from problem


def _by_cause(jobs: list[Job]) -> list[DeadLetters]:
    """The cause with the most jobs first."""
    sorted_out: dict[Cause | None, list[Job]] = {}
    for job in jobs:
        sorted_out.setdefault(job.cause, []).append(job)
    letters = [DeadLetters(cause=cause, jobs=tuple(these)) for cause, these in sorted_out.items()]
    return sorted(letters, key=lambda one: -len(one.jobs))
