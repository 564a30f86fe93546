"""`/api/v1/jobs`: how jobs fare, cancelling them, their results."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import BinaryIO

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse, StreamingResponse

from offload.depot.job_row import UnknownJob
from offload.depot.keys import Keys
from offload.depot.results import ResultShelf
from offload.depot.storage import Storage
from offload.depot.tenant_jobs import TenantJobs
from offload.people.audit import note
from offload.people.principal import Principal
from offload.service.auth import Reader, Writer
from offload.wire.jobs import FROM_STORAGE, Job, StageTold

LINK_VALID_S = 300.0
"""To begin a download; long enough for clocks that differ a little, short for a link that is passed on."""
STREAM_BYTES = 1 << 20


def add_job_routes(router: APIRouter, engine: sa.Engine, storage: Storage) -> None:
    """Add the routes."""

    def known(whose: Principal, job_id: str) -> Job:
        try:
            return TenantJobs(engine, whose.tenant_id).get(job_id)
        except UnknownJob as problem:
            raise HTTPException(404, f"there is no job {job_id}") from problem

    @router.get("/jobs")
    def newest(whose: Reader) -> list[Job]:
        return TenantJobs(engine, whose.tenant_id).newest()

    @router.get("/jobs/{job_id}")
    def one(whose: Reader, job_id: str) -> Job:
        return known(whose, job_id)

    @router.get("/jobs/{job_id}/stages")
    def stages(whose: Reader, job_id: str) -> list[StageTold]:
        known(whose, job_id)
        return [StageTold(**asdict(run)) for run in TenantJobs(engine, whose.tenant_id).stages(job_id)]

    @router.get("/jobs/{job_id}/log")
    def words(whose: Reader, job_id: str) -> PlainTextResponse:
        known(whose, job_id)
        return PlainTextResponse(TenantJobs(engine, whose.tenant_id).log_tail(job_id))

    @router.post("/jobs/{job_id}/cancel")
    def cancel(whose: Writer, job_id: str) -> Job:
        known(whose, job_id)
        with engine.begin() as connection:
            note(connection, whose, "job.cancel", job_id)
        return TenantJobs(engine, whose.tenant_id).request_cancel(job_id)

    @router.get("/jobs/{job_id}/results/{name:path}", response_model=None)
    def result(whose: Reader, job_id: str, name: str) -> Response:
        job = known(whose, job_id)
        if name not in {file.name for file in job.results}:
            raise HTTPException(404, f"job {job_id} is {job.state} and has no result {name}")
        key = ResultShelf(storage, Keys.of_tenant(whose.tenant_id)).find(job_id, job.results, name)
        if key is None:
            raise HTTPException(410, f"{name} of job {job_id} is no longer in the service's storage")
        return _hand_out(storage, key)


def _hand_out(storage: Storage, key: str) -> Response:
    if (path := storage.local(key)) is not None:
        return FileResponse(path)
    if (link := storage.link(key, LINK_VALID_S)) is not None:
        return RedirectResponse(link, 307, {"Cache-Control": "no-store", FROM_STORAGE: "?1"})
    stored = storage.stat(key)
    size = {"Content-Length": str(stored.size_bytes)} if stored else {}
    return StreamingResponse(_chunks(storage.open(key)), headers=size, media_type="application/octet-stream")


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while chunk := stream.read(STREAM_BYTES):
            yield chunk
