"""What receivers are to be told of jobs that ended: written with the end, sent until they have it, kept as a log."""

import random
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.new_job import insert_if_absent
from offload.depot.tables import JOBS, WEBHOOK_DELIVERIES, WEBHOOKS_OFF
from offload.wire.jobs import JobState

TRIED_FOR = timedelta(days=1)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 3 * 3600.0
KEPT_TRIES = 20
GONE = 410
_D = WEBHOOK_DELIVERIES.c


class DeliveryState(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given up"
    """Nobody took it for a day."""
    SWITCHED_OFF = "switched off"
    """The receiver answered 410, now or to an earlier one."""


@dataclass(frozen=True)
class Delivery:
    """One message to one receiver. Its id stays the same however often it is sent."""

    delivery_id: str
    tenant_id: str
    job_id: str
    url: str
    status: str
    error: str | None
    attempts: int
    """With the one that was just claimed."""


@dataclass(frozen=True)
class Try:
    """How one sending ended."""

    status: int | None
    """Of HTTP; None where nobody answered."""
    error: str | None = None


def note_end(connection: sa.Connection, job_id: str) -> None:
    """Put what a job's callback is to be told into the outbox, in the commit that ends the job."""
    query = sa.select(JOBS.c.tenant_id, JOBS.c.state, JOBS.c.error, JOBS.c.request).where(JOBS.c.job_id == job_id)
    job = connection.execute(query).one()
    if not (url := job.request.get("callback_url")):
        return
    is_done, moment = job.state == JobState.COMPLETED, now()
    off = sa.select(WEBHOOKS_OFF.c.url).where(WEBHOOKS_OFF.c.tenant_id == job.tenant_id, WEBHOOKS_OFF.c.url == url)
    is_off = connection.execute(off).first() is not None
    row = {
        "delivery_id": f"msg_{uuid.uuid4().hex}",
        "tenant_id": job.tenant_id,
        "job_id": job_id,
        "url": url,
        "status": "completed" if is_done else "failed",
        "error": None if is_done else job.error or "the job was cancelled",
        "state": DeliveryState.SWITCHED_OFF if is_off else DeliveryState.WAITING,
        "next_attempt_at": moment,
        "give_up_at": moment + TRIED_FOR,
        "created_at": moment,
        "ended_at": moment if is_off else None,
    }
    connection.execute(sa.insert(WEBHOOK_DELIVERIES).values(row))


class Outbox:
    """The deliveries of all tenants, for whoever sends them. Several processes may send at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def claim(self, most: int, lease_s: float, busy_tenants: Collection[str] = ()) -> list[Delivery]:
        """Return deliveries that are due. Nobody else gets them for `lease_s`; who dies meanwhile loses nothing."""
        moment = now()
        due = sa.and_(_D.state == DeliveryState.WAITING, _D.next_attempt_at <= moment)
        query = sa.select(WEBHOOK_DELIVERIES).where(due, _D.tenant_id.not_in(list(busy_tenants)))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_D.next_attempt_at).limit(most)).mappings().all()
        return [delivery for row in rows if (delivery := self._taken(row, moment, lease_s)) is not None]

    def _taken(self, row: sa.RowMapping, moment: datetime, lease_s: float) -> Delivery | None:
        mine = sa.and_(
            _D.delivery_id == row["delivery_id"],
            _D.state == DeliveryState.WAITING,
            _D.attempts == row["attempts"],
        )
        claimed = {"attempts": row["attempts"] + 1, "next_attempt_at": moment + timedelta(seconds=lease_s)}
        with self._engine.begin() as connection:
            if connection.execute(sa.update(WEBHOOK_DELIVERIES).where(mine).values(claimed)).rowcount == 0:
                return None
        told = {name: row[name] for name in ("delivery_id", "tenant_id", "job_id", "url", "status", "error")}
        return Delivery(**told, attempts=claimed["attempts"])

    def record(self, delivery: Delivery, ended: Try) -> DeliveryState:
        """Write down how a sending ended, and when the next is due; return what became of the delivery."""
        mine, moment = _D.delivery_id == delivery.delivery_id, now()
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(WEBHOOK_DELIVERIES).where(mine)).mappings().one_or_none()
            if row is None or row["attempts"] != delivery.attempts:
                return DeliveryState.WAITING  # Its job was deleted, or somebody else sends it by now.
            pause_s = min(FIRST_PAUSE_S * 2 ** (delivery.attempts - 1), LONGEST_PAUSE_S) * random.uniform(0.5, 1.0)
            state = _state_after(ended, row["give_up_at"] <= moment + timedelta(seconds=pause_s))
            note = {"at": moment.isoformat(timespec="milliseconds"), "status": ended.status, "error": ended.error}
            values: dict[str, Any] = {"state": state, "tries": [*row["tries"], note][-KEPT_TRIES:]}
            values["ended_at"] = None if state is DeliveryState.WAITING else moment
            values["next_attempt_at"] = moment + timedelta(seconds=pause_s)
            connection.execute(sa.update(WEBHOOK_DELIVERIES).where(mine).values(values))
            if state is DeliveryState.SWITCHED_OFF:
                off = {"tenant_id": delivery.tenant_id, "url": delivery.url, "since": moment}
                insert_if_absent(connection, WEBHOOKS_OFF, off)
        return state


def _state_after(ended: Try, is_last: bool) -> DeliveryState:
    if ended.status is not None and 200 <= ended.status < 300:
        return DeliveryState.DELIVERED
    if ended.status == GONE:
        return DeliveryState.SWITCHED_OFF
    return DeliveryState.GIVEN_UP if is_last else DeliveryState.WAITING


def tenants_deliveries(
    connection: sa.Connection, tenant_id: str, job_id: str | None = None, limit: int = 200
) -> Sequence[sa.RowMapping]:
    """Return a tenant's deliveries, the newest first."""
    query = sa.select(WEBHOOK_DELIVERIES).where(_D.tenant_id == tenant_id)
    if job_id is not None:
        query = query.where(_D.job_id == job_id)
    return connection.execute(query.order_by(_D.created_at.desc(), _D.delivery_id).limit(limit)).mappings().all()


def replay(connection: sa.Connection, tenant_id: str, delivery_id: str) -> bool:
    """Send a delivery again, for another day, though its receiver was switched off; False if the tenant has none."""
    mine, moment = sa.and_(_D.tenant_id == tenant_id, _D.delivery_id == delivery_id), now()
    url = connection.scalar(sa.select(_D.url).where(mine))
    if url is None:
        return False
    off = sa.and_(WEBHOOKS_OFF.c.tenant_id == tenant_id, WEBHOOKS_OFF.c.url == url)
    connection.execute(sa.delete(WEBHOOKS_OFF).where(off))
    # One attempt more, so that a sending that is under way does not end this one.
    values = {"state": DeliveryState.WAITING, "next_attempt_at": moment, "give_up_at": moment + TRIED_FOR}
    again = sa.update(WEBHOOK_DELIVERIES).where(mine)
    connection.execute(again.values(**values, ended_at=None, attempts=_D.attempts + 1))
    return True
