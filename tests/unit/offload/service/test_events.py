"""The telling of a job's way ends: with the job, when it is deleted, and when nobody listens any more."""

import asyncio
import json
from datetime import UTC, datetime

from offload.service.events import Streams
from offload.wire.jobs import Job, JobState, Stage

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(job_id="j", scan_id="s", state=JobState.QUEUED, created_at=MOMENT, updated_at=MOMENT)


async def test_what_changes_is_told_once_until_the_job_is_over():
    running = JOB.model_copy(update={"state": JobState.RUNNING, "stage": Stage.SWEEP, "percent": 47.0})
    way = iter([JOB, running, running, running.model_copy(update={"state": JobState.FAILED})])
    streams = Streams()
    told = [json.loads(event.removeprefix("data: ")) async for event in streams.tell(JOB, lambda: next(way))]
    assert [one["state"] for one in told] == ["queued", "running", "failed"]
    assert told[1] == {"state": "running", "stage": "sweep", "percent": 47.0}
    assert streams.open == 0


async def test_a_job_that_is_deleted_is_told_of_no_more():
    assert len([event async for event in Streams().tell(JOB, lambda: None)]) == 1


async def test_who_hangs_up_ends_it():
    streams, told = Streams(), asyncio.Event()

    async def listen():
        async for _event in streams.tell(JOB, lambda: JOB):
            told.set()

    listening = asyncio.create_task(listen())
    await told.wait()
    assert streams.open == 1
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert streams.open == 0
