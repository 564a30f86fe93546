"""What a tenant may take: bytes of uploads, jobs a day, jobs that wait, requests a minute."""

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from offload.depot.instant import now
from offload.depot.new_job import insert_if_absent
from offload.depot.tables import AUDIT, BLOBS, JOBS, TENANTS
from offload.people.principal import Principal
from offload.wire.bundle import StoredFile
from offload.wire.jobs import JobState

SUBMITTED = "job.submit"
"""As the audit trail calls it; a job that was deleted has been submitted all the same."""
DAY = timedelta(days=1)
LOOK_AGAIN_S = 60
"""Where only the tenant's own jobs, or somebody who deletes, can make room."""
RENEWED_EVERY = timedelta(days=1)


@dataclass(eq=False)
class QuotaExceeded(Exception):
    """The tenant has taken what it may; a person or time must make room."""

    what: str
    observed: int
    allowed: int
    retry_after_s: int

    def __str__(self) -> str:
        return (
            f"{self.what}: {self.observed}, allowed are {self.allowed}; try again in {self.retry_after_s} s, or ask "
            "the operator for more"
        )


def check_jobs(connection: sa.Connection, whose: Principal) -> None:
    """Raise QuotaExceeded if the job that this transaction has just added and noted is one too many."""
    limits = _limits(connection, whose.tenant_id)
    if (allowed := limits["most_jobs_waiting"]) is not None:
        waiting = sa.and_(JOBS.c.tenant_id == whose.tenant_id, JOBS.c.state == JobState.QUEUED)
        found = connection.scalar(sa.select(sa.func.count()).select_from(JOBS).where(waiting)) or 0
        if found > allowed:
            raise QuotaExceeded(f"jobs of {whose.tenant_id} that wait", found - 1, allowed, LOOK_AGAIN_S)
    if (allowed := limits["most_jobs_a_day"]) is not None:
        moments = _submitted_since(connection, whose.tenant_id, now() - DAY)
        if len(moments) > allowed:
            room_at = moments[len(moments) - 1 - allowed] + DAY if allowed else now() + DAY
            wait_s = max(1, math.ceil((room_at - now()).total_seconds()))
            raise QuotaExceeded(f"jobs of {whose.tenant_id} within 24 h", len(moments) - 1, allowed, wait_s)


def _limits(connection: sa.Connection, tenant_id: str) -> sa.RowMapping:
    """Return the tenant's row, locked where it limits anything: of two transactions only one can be the last."""
    query = sa.select(TENANTS).where(TENANTS.c.tenant_id == tenant_id)
    limits = connection.execute(query).mappings().one()
    if all(limits[name] is None for name in ("most_bytes", "most_jobs_a_day", "most_jobs_waiting")):
        return limits
    # The weaker of two locks: new rows that refer to the tenant hold one that the stronger would wait for.
    return connection.execute(query.with_for_update(key_share=True)).mappings().one()


def _submitted_since(connection: sa.Connection, tenant_id: str, since: datetime) -> list[datetime]:
    mine = sa.and_(AUDIT.c.tenant_id == tenant_id, AUDIT.c.action == SUBMITTED, AUDIT.c.at > since)
    return list(connection.scalars(sa.select(AUDIT.c.at).where(mine).order_by(AUDIT.c.at)))


class Claims:
    """What each tenant's uploads take of its bytes: from the first byte announced until nobody wants the file."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def claim(self, tenant_id: str, sha256: str, size_bytes: int) -> None:
        """Count a file that is about to arrive. Raises QuotaExceeded."""
        with self._engine.connect() as connection:
            if connection.scalar(_size_of(tenant_id, sha256)) == size_bytes:
                return
        with self._engine.begin() as connection:
            row = {"tenant_id": tenant_id, "sha256": sha256, "size_bytes": size_bytes, "wanted_at": now()}
            if not insert_if_absent(connection, BLOBS, row):
                changed = sa.update(BLOBS).where(BLOBS.c.tenant_id == tenant_id, BLOBS.c.sha256 == sha256)
                connection.execute(changed.values(size_bytes=size_bytes, wanted_at=now()))
            allowed = _limits(connection, tenant_id)["most_bytes"]
            if allowed is None:
                return
            total = sa.select(sa.func.sum(BLOBS.c.size_bytes)).where(BLOBS.c.tenant_id == tenant_id)
            taken = int(connection.scalar(total) or 0)
            if taken > allowed:
                raise QuotaExceeded(f"bytes of {tenant_id} with this file", taken, allowed, LOOK_AGAIN_S)

    def renew(self, tenant_id: str, files: Iterable[StoredFile]) -> None:
        """Keep files that somebody wants from being swept away; those that nobody counted yet are counted."""
        wanted = {file.sha256: file.size_bytes for file in files}
        mine = sa.and_(BLOBS.c.tenant_id == tenant_id, BLOBS.c.sha256.in_(list(wanted)))
        moment = now()
        with self._engine.connect() as connection:
            fresh = sa.select(BLOBS.c.sha256).where(mine, BLOBS.c.wanted_at > moment - RENEWED_EVERY)
            stale = wanted.keys() - set(connection.scalars(fresh))
        if not stale:
            return
        with self._engine.begin() as connection:
            connection.execute(sa.update(BLOBS).where(mine).values(wanted_at=moment))
            for sha256 in stale:
                row = {"tenant_id": tenant_id, "sha256": sha256, "size_bytes": wanted[sha256], "wanted_at": moment}
                insert_if_absent(connection, BLOBS, row)


def _size_of(tenant_id: str, sha256: str) -> sa.Select[int]:
    return sa.select(BLOBS.c.size_bytes).where(BLOBS.c.tenant_id == tenant_id, BLOBS.c.sha256 == sha256)


class Pace:
    """Requests a minute of each tenant, counted in this process; thread-safe."""

    def __init__(self) -> None:
        self._window: MovingWindowRateLimiter | None = None
        self._lock = threading.Lock()

    def take(self, tenant_id: str, allowed: int) -> None:
        """Count a request. Raises QuotaExceeded."""
        with self._lock:
            self._window = self._window or MovingWindowRateLimiter(MemoryStorage())
        item = RateLimitItemPerMinute(allowed)
        if not self._window.hit(item, tenant_id):
            reset_at_s = self._window.get_window_stats(item, tenant_id).reset_time
            wait_s = max(1, math.ceil(reset_at_s - now().timestamp()))
            raise QuotaExceeded(f"requests of {tenant_id} within a minute", allowed, allowed, wait_s)
