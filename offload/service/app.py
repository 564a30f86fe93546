"""The routes. What they mean is in `blobs` and `jobs`; here it becomes HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from offload.depot.folder import DataFolder
from offload.depot.keys import Keys
from offload.depot.needs import NotANeed, read_needs
from offload.depot.storage import Storage, StorageTrouble
from offload.people.deletion import Eraser
from offload.people.logins import Logins
from offload.people.principal import Principal
from offload.people.quotas import Claims, QuotaExceeded
from offload.people.tidying import Tidying
from offload.people.token_key import TokenKey
from offload.service.auth import Doorkeeper, Writer
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
from offload.service.body import read_body
from offload.service.deletions import add_deletion_route
from offload.service.events import add_event_route
from offload.service.health import add_health_routes
from offload.service.housekeeping import keep_tidy
from offload.service.job_routes import add_job_routes
from offload.service.jobs import BundleRefused, FilesMissing, Intake, Wishes
from offload.service.login import add_login_routes
from offload.service.metrics import Meters, add_metrics_route
from offload.service.outside import NOBODY_OUTSIDE, Outside
from offload.service.reconstruct import add_greeting_route, add_reconstruct_route
from offload.service.steering import add_steering_routes
from offload.service.webhook_dispatch import Dispatcher
from offload.service.webhook_routes import add_webhook_routes
from offload.service.webhook_signer import WebhookSigner
from offload.service.workers import add_worker_route
from offload.wire.base import Sha256
from offload.wire.bundle import Manifest
from offload.wire.jobs import Priority

log = logging.getLogger(__name__)

LARGEST_MANIFEST_BYTES = 8 << 20
STORAGE_PAUSE_S = 5
DATABASE_PAUSE_S = 5
STORED_AT_ONCE = 8
"""In threads of their own: a storage that hangs holds up nobody but uploads."""
LONGEST_NEEDS = 500
CHUNK_DEADLINE_S = 20.0
"""A sender that stays silent this long has lost its network; its lock must not wait for TCP to notice."""

_STATUS: dict[type[BlobRefused], int] = {BlobTooLarge: 413, BlobBusy: 423, BlobMismatch: 422, DiskFull: 507}


def create_app(
    folder: DataFolder,
    storage: Storage,
    engine: sa.Engine,
    doorkeeper: Doorkeeper,
    logins: Logins | None = None,
    outside: Outside = NOBODY_OUTSIDE,
    token_key: TokenKey | None = None,
) -> FastAPI:
    """Return the service over this data folder and storage; its database must be prepared."""
    intake, eraser = Intake(storage, engine), Eraser(engine, storage, folder)
    signer = WebhookSigner(engine, token_key) if token_key is not None else None
    dispatcher = Dispatcher(engine, storage, outside, signer)
    tidying = Tidying(engine, storage, folder, eraser)
    meters = Meters(engine)
    storing = ThreadPoolExecutor(STORED_AT_ONCE, thread_name_prefix="storing")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tidy = group.create_task(keep_tidy(tidying), name="keep tidy")
            webhooks = group.create_task(dispatcher.run(), name="webhooks")
            yield
            webhooks.cancel()
            tidying.stop.set()
            tidy.cancel()
        eraser.close()
        intake.close()
        storing.shutdown(wait=False, cancel_futures=True)
        engine.dispose()

    app = FastAPI(title="offload", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.doorkeeper = doorkeeper
    router = APIRouter(prefix="/api/v1")
    _add_blob_routes(router, folder, storage, storing, Claims(engine), meters)
    _add_bundle_route(router, intake)
    add_job_routes(router, engine, storage)
    add_event_route(router, engine)
    add_steering_routes(router, engine)
    add_worker_route(router, engine)
    add_deletion_route(router, eraser)
    add_login_routes(router, logins)
    add_webhook_routes(router, engine, signer)
    add_reconstruct_route(router, engine, intake, outside)
    app.include_router(router)
    add_greeting_route(app)
    app.add_exception_handler(StorageTrouble, _tell_of_storage)
    app.add_exception_handler(sa.exc.OperationalError, _tell_of_database)
    app.add_exception_handler(QuotaExceeded, _tell_of_quota)

    add_health_routes(app, engine, storage)
    add_metrics_route(app, meters)
    return app


async def _tell_of_storage(request: Request, trouble: Exception) -> Response:
    """Storage that does not answer is no fault of the request: what has arrived stays, and it may come again."""
    log.warning("%s %s: %s", request.method, request.url.path, trouble)
    detail = "the service's storage does not answer; try again"
    return JSONResponse({"detail": detail}, 503, {"Retry-After": str(STORAGE_PAUSE_S)})


async def _tell_of_database(_request: Request, problem: Exception) -> Response:
    log.error("the database does not answer: %s", getattr(problem, "orig", problem))
    detail = "the service's database does not answer; send this again"
    return JSONResponse({"detail": detail}, 503, {"Retry-After": str(DATABASE_PAUSE_S)})


async def _tell_of_quota(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, QuotaExceeded)
    told = {"detail": str(refusal), **asdict(refusal)}
    return JSONResponse(told, 429, {"Retry-After": str(refusal.retry_after_s)})


def _add_blob_routes(
    router: APIRouter, folder: DataFolder, storage: Storage, storing: Executor, claims: Claims, meters: Meters
) -> None:
    def store_of(whose: Principal) -> BlobStore:
        return BlobStore(folder, storage, Keys.of_tenant(whose.tenant_id))

    @router.head("/blobs/{sha256}")
    def offset(whose: Writer, sha256: Sha256) -> Response:
        status = store_of(whose).status(sha256)
        if status.complete:
            return Response(headers={"Upload-Complete": "?1", "Upload-Length": str(status.offset_bytes)})
        return Response(status_code=204, headers={"Upload-Complete": "?0", "Upload-Offset": str(status.offset_bytes)})

    @router.patch("/blobs/{sha256}")
    async def append(
        whose: Writer,
        sha256: Sha256,
        request: Request,
        upload_offset: Annotated[int, Header(ge=0)],
        upload_length: Annotated[int, Header(ge=1)],
    ) -> Response:
        try:
            writer = await run_in_threadpool(store_of(whose).append, sha256, upload_offset, upload_length)
            if writer is None:
                return Response(headers={"Upload-Complete": "?1"})
            with writer:
                await asyncio.to_thread(claims.claim, whose.tenant_id, sha256, upload_length)
                return await _receive(writer, request, storing, meters)
        except ClientDisconnect:
            return Response(status_code=400)  # Nobody reads this; what arrived stays.
        except WrongOffset as refusal:
            return JSONResponse(
                {"detail": str(refusal)}, 409, {"Upload-Complete": "?0", "Upload-Offset": str(refusal.offset_bytes)}
            )
        except BlobRefused as refusal:
            raise HTTPException(_STATUS[type(refusal)], str(refusal)) from refusal


async def _receive(writer: PartWriter, request: Request, storing: Executor, meters: Meters) -> Response:
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
        meters.uploaded.inc(len(chunk))
    if not writer.arrived:
        return Response(status_code=204, headers={"Upload-Complete": "?0", "Upload-Offset": str(writer.offset_bytes)})
    await asyncio.get_running_loop().run_in_executor(storing, writer.finish)
    return Response(status_code=201, headers={"Upload-Complete": "?1"})


def _add_bundle_route(router: APIRouter, intake: Intake) -> None:
    @router.post("/bundles")
    async def accept(
        whose: Writer,
        request: Request,
        bundle_sha256: Annotated[str | None, Header()] = None,
        job_priority: Annotated[Priority, Header()] = Priority.NORMAL,
        job_needs: Annotated[str, Header(max_length=LONGEST_NEEDS)] = "",
    ) -> Response:
        try:
            manifest = Manifest.model_validate_json(await read_body(request, LARGEST_MANIFEST_BYTES, "a manifest"))
            wishes = Wishes(job_priority, read_needs(job_needs))
            job, is_new = await asyncio.to_thread(intake.accept, whose, manifest, bundle_sha256, wishes)
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"]) or "manifest"
            raise HTTPException(422, f"the manifest is not valid: {where}: {first['msg']}") from problem
        except FilesMissing as problem:
            return Response(problem.missing.model_dump_json(), 409, media_type="application/json")
        except (BundleRefused, NotANeed) as refusal:
            raise HTTPException(422, str(refusal)) from refusal
        return Response(job.model_dump_json(), 201 if is_new else 200, media_type="application/json")
