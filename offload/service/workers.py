"""`GET /api/v1/workers`, for whoever runs the service."""

from datetime import datetime

import sqlalchemy as sa
from fastapi import APIRouter

from offload.depot.roster import Roster
from offload.service.auth import Operator
from offload.wire.base import Wire


class WorkerTold(Wire):
    """A worker slot as it was last seen."""

    name: str
    host: str
    capabilities: tuple[str, ...]
    memory_gb: float
    job_id: str | None
    started_at: datetime
    seen_at: datetime
    lives: bool


def add_worker_route(router: APIRouter, engine: sa.Engine) -> None:
    """Add the route."""

    @router.get("/workers")
    def workers(_whose: Operator) -> list[WorkerTold]:
        return [
            WorkerTold(
                name=one.name,
                host=one.host,
                capabilities=tuple(sorted(one.abilities.capabilities)),
                memory_gb=one.abilities.memory_gb,
                job_id=one.job_id,
                started_at=one.started_at,
                seen_at=one.seen_at,
                lives=one.lives,
            )
            for one in Roster(engine).everybody()
        ]
