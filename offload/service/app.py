"""The routes. What they mean is in `blobs` and `jobs`; here it becomes HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from offload.depot.folder import DataFolder
from offload.depot.ledger import Ledger, UnknownJob
from offload.service.auth import KeyCheck
from offload.service.blobs import (
    BlobBusy,
    BlobMismatch,
    BlobRefused,
    BlobStore,
    BlobTooLarge,
    DiskFull,
    PartWriter,
    WrongOffset,
)
from offload.service.jobs import BundleRefused, FilesMissing, Intake
from offload.wire.base import Sha256
from offload.wire.bundle import Manifest
from offload.wire.jobs import Job

LARGEST_MANIFEST_BYTES = 8 << 20
CHUNK_DEADLINE_S = 20.0
"""A sender that stays silent this long has lost its network; its lock must not wait for TCP to notice."""

_STATUS: dict[type[BlobRefused], int] = {BlobTooLarge: 413, BlobBusy: 423, BlobMismatch: 422, DiskFull: 507}


def create_app(folder: DataFolder, engine: sa.Engine, key: str | None) -> FastAPI:
    """Return the service over this data folder; its database must be prepared."""
    intake = Intake(folder, engine)
    ledger = Ledger(engine)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        intake.close()
        engine.dispose()

    app = FastAPI(title="offload", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    guarded = APIRouter(prefix="/api/v1", dependencies=[Depends(KeyCheck(key))])
    _add_blob_routes(guarded, BlobStore(folder))
    _add_bundle_route(guarded, intake)
    _add_job_routes(guarded, ledger, folder)
    app.include_router(guarded)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _add_blob_routes(router: APIRouter, store: BlobStore) -> None:
    @router.head("/blobs/{sha256}")
    def offset(sha256: Sha256) -> Response:
        status = store.status(sha256)
        if status.complete:
            return Response(headers={"Upload-Complete": "?1", "Upload-Length": str(status.offset_bytes)})
        return Response(status_code=204, headers={"Upload-Complete": "?0", "Upload-Offset": str(status.offset_bytes)})

    @router.patch("/blobs/{sha256}")
    async def append(
        sha256: Sha256,
        request: Request,
        upload_offset: Annotated[int, Header(ge=0)],
        upload_length: Annotated[int, Header(ge=1)],
    ) -> Response:
        try:
            writer = store.append(sha256, upload_offset, upload_length)
            if writer is None:
                return Response(headers={"Upload-Complete": "?1"})
            with writer:
                return await _receive(writer, request)
        except ClientDisconnect:
            return Response(status_code=400)  # Nobody reads this; what arrived stays.
        except WrongOffset as refusal:
            return JSONResponse(
                {"detail": str(refusal)}, 409, {"Upload-Complete": "?0", "Upload-Offset": str(refusal.offset_bytes)}
            )
        except BlobRefused as refusal:
            raise HTTPException(_STATUS[type(refusal)], str(refusal)) from refusal


async def _receive(writer: PartWriter, request: Request) -> Response:
    chunks = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(CHUNK_DEADLINE_S):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            break
        except TimeoutError as silence:
            raise HTTPException(408, f"no byte came for {CHUNK_DEADLINE_S:.0f} s; go on at the offset") from silence
        writer.write(chunk)
    if not writer.arrived:
        return Response(status_code=204, headers={"Upload-Complete": "?0", "Upload-Offset": str(writer.offset_bytes)})
    await asyncio.to_thread(writer.finish)
    return Response(status_code=201, headers={"Upload-Complete": "?1"})


def _add_bundle_route(router: APIRouter, intake: Intake) -> None:
    @router.post("/bundles")
    async def accept(request: Request, bundle_sha256: Annotated[str | None, Header()] = None) -> Response:
        try:
            manifest = Manifest.model_validate_json(await _body(request))
            job, is_new = await asyncio.to_thread(intake.accept, manifest, bundle_sha256)
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"]) or "manifest"
            raise HTTPException(422, f"the manifest is not valid: {where}: {first['msg']}") from problem
        except FilesMissing as problem:
            return Response(problem.missing.model_dump_json(), 409, media_type="application/json")
        except BundleRefused as refusal:
            raise HTTPException(422, str(refusal)) from refusal
        return Response(job.model_dump_json(), 201 if is_new else 200, media_type="application/json")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_MANIFEST_BYTES:
            raise HTTPException(413, f"a manifest has at most {LARGEST_MANIFEST_BYTES} bytes")
    return bytes(body)


def _add_job_routes(router: APIRouter, ledger: Ledger, folder: DataFolder) -> None:
    def known(job_id: str) -> Job:
        try:
            return ledger.get(job_id)
        except UnknownJob as problem:
            raise HTTPException(404, f"there is no job {job_id}") from problem

    @router.get("/jobs")
    def newest() -> list[Job]:
        return ledger.newest()

    @router.get("/jobs/{job_id}")
    def one(job_id: str) -> Job:
        return known(job_id)

    @router.post("/jobs/{job_id}/cancel")
    def cancel(job_id: str) -> Job:
        known(job_id)
        return ledger.request_cancel(job_id)

    @router.get("/jobs/{job_id}/results/{name:path}")
    def result(job_id: str, name: str) -> FileResponse:
        job = known(job_id)
        if name not in {file.name for file in job.results}:
            raise HTTPException(404, f"job {job_id} is {job.state} and has no result {name}")
        return FileResponse(folder.results(job_id) / name)
