"""Whether the service lives, and whether it can do its work: for proxies, compose and Kubernetes, without a key.

deploy/ asks under these names; tests/deploy holds the two together.
"""

import logging
import threading
import time

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from offload.depot.folder import FolderUnusable
from offload.depot.storage import Storage, StorageTrouble

log = logging.getLogger(__name__)

ALIVE_PATH, READY_PATH = "/health", "/readyz"
OLD_ALIVE_PATH = "/healthz"
"""As it was called before there was another; callers may still use it."""
FRESH_S = 2.0
"""However often somebody asks, database and storage are asked once in this time."""


class Readiness:
    """What keeps the service from its work; for threads."""

    def __init__(self, engine: sa.Engine, storage: Storage) -> None:
        self._engine, self._storage = engine, storage
        self._lock = threading.Lock()
        self._looked_at_s = float("-inf")
        self._problems = ["first look"]

    def problems(self) -> list[str]:
        """Return who does not answer, `database` or `storage`; why is in the log, since anybody may ask.

        While one caller looks, which takes seconds where somebody is away, others get what was found before.
        """
        if self._lock.acquire(blocking=False):
            try:
                if time.monotonic() - self._looked_at_s > FRESH_S:
                    self._problems = self._look()
                    self._looked_at_s = time.monotonic()
            finally:
                self._lock.release()
        return self._problems

    def _look(self) -> list[str]:
        found = {}
        try:
            with self._engine.connect() as connection:
                connection.execute(sa.text("SELECT 1"))
        except sa.exc.SQLAlchemyError as problem:
            found["database"] = str(getattr(problem, "orig", problem))
        try:
            self._storage.check()
        except (StorageTrouble, FolderUnusable) as problem:
            found["storage"] = str(problem)
        if list(found) != self._problems:
            for who, why in found.items():
                log.warning("not ready: the %s does not answer: %s", who, why)
            if not found:
                log.info("ready: database and storage answer")
        return list(found)


def add_health_routes(app: FastAPI, engine: sa.Engine, storage: Storage) -> None:
    """Let anybody ask; the answers tell nothing of jobs or tenants."""
    readiness = Readiness(engine, storage)

    @app.get(ALIVE_PATH)
    @app.get(OLD_ALIVE_PATH)
    async def alive() -> dict[str, str]:
        """Answer as long as the process can: others that are away are no reason to restart this one."""
        return {"status": "ok"}

    @app.get(READY_PATH)
    def ready() -> JSONResponse:
        problems = readiness.problems()
        return JSONResponse({"ready": not problems, "waiting_for": problems}, 503 if problems else 200)
