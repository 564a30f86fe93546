"""Sends what the outbox holds, beside the requests, for as long as the service runs.

Killed between sending and writing that down, it sends again once its claim is over, under the same `webhook-id`.
"""

import asyncio
import logging
from collections import Counter

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.job_row import job_of
from offload.depot.keys import Keys
from offload.depot.results import ResultShelf
from offload.depot.storage import Storage, StorageTrouble
from offload.depot.tables import JOBS
from offload.depot.webhook_outbox import Delivery, DeliveryState, Outbox, Try
from offload.fetch.caller import Caller, CallFailed
from offload.fetch.target import UrlRefused
from offload.logs.fields import about
from offload.service.outside import Outside
from offload.service.webhook_signer import WebhookSigner
from offload.wire.jobs import Job
from offload.wire.reconstruct import JobCompleted, JobFailed

log = logging.getLogger(__name__)

LOOK_S = 0.5
MOST_AT_ONCE, MOST_OF_TENANT = 16, 4
"""One tenant's receivers that hang take no other's turn."""
LARGEST_ANSWER_BYTES = 4096
ANSWER_WORDS = 200
LEASE_SHARE = 1.5
"""Of the time a sending may take, and a little for writing it down."""
RESULT_LINK_VALID_S = 24 * 3600.0
MODEL = "model.glb"


class JobGone(RuntimeError):
    """The job was deleted before its receiver was told."""


class Dispatcher:
    """Sends deliveries, several at once."""

    def __init__(self, engine: sa.Engine, storage: Storage, outside: Outside, signer: WebhookSigner | None) -> None:
        self._engine, self._storage = engine, storage
        self._outside, self._signer = outside, signer
        self._outbox = Outbox(engine)
        self._under_way: Counter[str] = Counter()

    async def run(self) -> None:
        """Send until cancelled. What is under way then is sent again by whoever comes next."""
        async with Caller(self._outside.policy) as caller, asyncio.TaskGroup() as group:
            while True:
                try:
                    for delivery in await self._due():
                        self._under_way[delivery.tenant_id] += 1
                        group.create_task(self._deliver(caller, delivery), name=f"webhook {delivery.delivery_id}")
                except Exception:  # The edge of this task: a database that is away is asked again.
                    log.exception("no webhooks can be sent now")
                await asyncio.sleep(LOOK_S)

    async def _due(self) -> list[Delivery]:
        room = MOST_AT_ONCE - self._under_way.total()
        if room <= 0:
            return []
        busy = [tenant_id for tenant_id, count in self._under_way.items() if count >= MOST_OF_TENANT]
        lease_s = LEASE_SHARE * self._outside.webhook_timeout_s + 1
        return await asyncio.to_thread(self._outbox.claim, min(room, MOST_OF_TENANT), lease_s, busy)

    async def _deliver(self, caller: Caller, delivery: Delivery) -> None:
        try:
            ended = await self._send(caller, delivery)
            state = await asyncio.to_thread(self._outbox.record, delivery, ended)
            self._tell(delivery, ended, state)
        except StorageTrouble as trouble:
            log.warning("webhook %s waits: %s", delivery.delivery_id, trouble, extra=about(job=delivery.job_id))
        except JobGone:
            return
        except Exception:  # The edge of this task; the delivery is due again after its claim.
            log.exception("webhook %s cannot be sent", delivery.delivery_id, extra=about(job=delivery.job_id))
        finally:
            self._under_way[delivery.tenant_id] -= 1

    async def _send(self, caller: Caller, delivery: Delivery) -> Try:
        body, headers = await asyncio.to_thread(self._message, delivery)
        try:
            answer = await caller.post(
                delivery.url,
                body,
                headers,
                timeout_s=self._outside.webhook_timeout_s,
                most_bytes=LARGEST_ANSWER_BYTES,
            )
        except (UrlRefused, CallFailed) as problem:
            return Try(None, str(problem))
        is_taken = 200 <= answer.status < 300
        return Try(answer.status, None if is_taken else answer.words[:ANSWER_WORDS])

    def _message(self, delivery: Delivery) -> tuple[bytes, dict[str, str]]:
        with self._engine.connect() as connection:
            query = sa.select(JOBS).where(JOBS.c.job_id == delivery.job_id)
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise JobGone(delivery.job_id)
        request, moment = row["request"], now()
        told: JobCompleted | JobFailed
        if delivery.status == "completed":
            url = self._result_url(delivery, job_of(row), request.get("service_url", ""))
            told = JobCompleted(job_id=delivery.job_id, result_url=url, metadata=request.get("metadata", {}))
        else:
            error = delivery.error or "failed"
            told = JobFailed(job_id=delivery.job_id, error=error, metadata=request.get("metadata", {}))
        body = told.model_dump_json().encode()
        headers = {"webhook-id": delivery.delivery_id, "webhook-timestamp": str(int(moment.timestamp()))}
        if self._signer is not None:
            headers = self._signer.headers(delivery.tenant_id, delivery.delivery_id, moment, body)
        return body, headers | {"Content-Type": "application/json"}

    def _result_url(self, delivery: Delivery, job: Job, service_url: str) -> str:
        names = [file.name for file in job.results]
        name = MODEL if MODEL in names or not names else names[0]
        key = ResultShelf(self._storage, Keys.of_tenant(delivery.tenant_id)).find(job.job_id, job.results, name)
        link = self._storage.link(key, RESULT_LINK_VALID_S) if key is not None else None
        return link or f"{service_url}/api/v1/jobs/{job.job_id}/results/{name}"

    def _tell(self, delivery: Delivery, ended: Try, state: DeliveryState) -> None:
        extra, what = about(job=delivery.job_id), f"webhook {delivery.delivery_id} to {delivery.url}"
        how = ended.status if ended.status is not None else ended.error
        if state is DeliveryState.DELIVERED:
            log.info("%s delivered at attempt %d", what, delivery.attempts, extra=extra)
        elif state is DeliveryState.SWITCHED_OFF:
            log.warning(
                "%s: its receiver answered 410 and is switched off; a replay switches it on", what, extra=extra
            )
        elif state is DeliveryState.GIVEN_UP:
            log.warning("%s given up after a day: %s", what, how, extra=extra)
        else:
            log.info("%s not taken at attempt %d (%s)", what, delivery.attempts, how, extra=extra)
