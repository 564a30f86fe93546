"""`GET /api/v1/jobs/{job_id}/events`: a job's way, told as it goes on (server-sent events)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import StreamingResponse

from offload.depot.tenant_jobs import TenantJobs
from offload.service.auth import Reader
from offload.wire.jobs import Job, JobEvent

LOOK_S = 0.5
KEEP_ALIVE_S = 15.0
"""Shorter than any proxy's patience with a silent connection."""
LONGEST_S = 900.0
"""A client that wants more asks again, with a key that is looked at again."""
MOST_STREAMS = 200
FULL_PAUSE_S = 30


class Streams:
    """How many are told of a job's way at the moment, in this process."""

    def __init__(self) -> None:
        self._open = 0

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        return self._open >= MOST_STREAMS

    async def tell(self, first: Job, look: Callable[[], Job | None]) -> AsyncIterator[str]:
        """Yield what changes until the job is over or deleted, or LONGEST_S have passed."""
        self._open += 1
        try:
            async for event in _changes(first, look):
                yield event
        finally:
            self._open -= 1


async def _changes(first: Job, look: Callable[[], Job | None]) -> AsyncIterator[str]:
    told, job = None, first
    end_s = time.monotonic() + LONGEST_S
    spoke_s = time.monotonic()
    while True:
        event = JobEvent(state=job.state, stage=job.stage, percent=job.percent)
        if event != told:
            yield f"data: {event.model_dump_json()}\n\n"
            told, spoke_s = event, time.monotonic()
        elif time.monotonic() - spoke_s > KEEP_ALIVE_S:
            yield ": still there\n\n"
            spoke_s = time.monotonic()
        if job.state.final or time.monotonic() > end_s:
            return
        await asyncio.sleep(LOOK_S)
        found = await asyncio.to_thread(look)
        if found is None:
            return
        job = found


def add_event_route(router: APIRouter, engine: sa.Engine) -> None:
    """Add the route."""
    streams = Streams()

    @router.get("/jobs/{job_id}/events", response_model=None)
    async def events(whose: Reader, job_id: str) -> Response:
        jobs = TenantJobs(engine, whose.tenant_id)
        job = await asyncio.to_thread(jobs.find, job_id)
        if job is None:
            raise HTTPException(404, f"there is no job {job_id}")
        if streams.full:
            raise HTTPException(
                503,
                f"{MOST_STREAMS} jobs are being watched; try again in {FULL_PAUSE_S} s, or ask for /jobs/{job_id}",
                {"Retry-After": str(FULL_PAUSE_S)},
            )
        stream = streams.tell(job, lambda: jobs.find(job_id))
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
