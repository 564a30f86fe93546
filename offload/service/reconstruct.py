"""The routes that the clients of such services know: photos by URL, a job, a callback at its end."""

import asyncio
import uuid
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, FastAPI, Header, HTTPException, Request, Response
from pydantic import ValidationError

from offload.depot.new_job import JobKind, NewJob
from offload.depot.tenant_jobs import TenantJobs
from offload.people.principal import Principal
from offload.service.auth import Writer
from offload.service.body import read_body
from offload.service.jobs import Intake
from offload.service.outside import Outside
from offload.service.preflight import RequestRefused, check_request
from offload.wire.jobs import Job, JobState, Priority
from offload.wire.reconstruct import ReconstructAnswer, ReconstructRequest

LARGEST_REQUEST_BYTES = 2 << 20


def add_reconstruct_route(router: APIRouter, engine: sa.Engine, intake: Intake, outside: Outside) -> None:
    """Add `POST /reconstruct`."""

    @router.post("/reconstruct")
    async def reconstruct(
        whose: Writer,
        request: Request,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> Response:
        try:
            asked = ReconstructRequest.model_validate_json(
                await read_body(request, LARGEST_REQUEST_BYTES, "a request")
            )
            await check_request(asked, outside.policy)
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(step) for step in first["loc"]) or "the body"
            raise HTTPException(422, f"{where}: {first['msg']}") from problem
        except RequestRefused as refusal:
            raise HTTPException(422, str(refusal)) from refusal
        wanted = _wanted(whose, asked, idempotency_key, outside.public_url or str(request.base_url).rstrip("/"))
        job, is_new = await asyncio.to_thread(intake.enqueue, whose, wanted)
        if not is_new and await asyncio.to_thread(_digest_of, engine, job, whose) != asked.digest():
            raise HTTPException(
                422, "this Idempotency-Key was sent with another request before; send each request under its own"
            )
        return Response(_answer(job, is_new).model_dump_json(), media_type="application/json")


def _wanted(whose: Principal, asked: ReconstructRequest, idempotency_key: str | None, service_url: str) -> NewJob:
    job_id = uuid.uuid4().hex
    return NewJob(
        job_id=job_id,
        scan_id=job_id,
        tenant_id=whose.tenant_id,
        project_id=whose.project_id,
        submitted_by=whose.actor,
        kind=JobKind.IMAGES,
        priority=Priority(asked.priority),
        request=asked.model_dump(mode="json") | {"digest": asked.digest(), "service_url": service_url},
        idempotency_key=idempotency_key,
    )


def _digest_of(engine: sa.Engine, job: Job, whose: Principal) -> object:
    """Return the digest of the request that made a job."""
    return TenantJobs(engine, whose.tenant_id).request(job.job_id).get("digest")


def _answer(job: Job, is_new: bool) -> ReconstructAnswer:
    # To a repetition, too, what the first request was answered: clients of such services know no other word for it.
    status = JobState.QUEUED.value
    if is_new:
        return ReconstructAnswer(job_id=job.job_id, status=status, message="the job waits for a worker")
    return ReconstructAnswer(job_id=job.job_id, status=status, message=f"made before; it is {job.state.value} now")


def add_greeting_route(app: FastAPI) -> None:
    """Add `GET /`, which anybody may ask and which tells nothing of anybody."""

    @app.get("/")
    def greeting() -> dict[str, str]:
        return {"service": "offload", "api": "/api/v1"}
