"""The delivery log, replays, and the secret that signs."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from offload.depot.webhook_outbox import replay, tenants_deliveries
from offload.people.audit import note
from offload.service.auth import Admin, Reader, Writer
from offload.service.webhook_signer import WebhookSigner

LONGEST_OVERLAP_S = 30 * 86_400


class DeliveryTold(BaseModel):
    """One line of the delivery log."""

    delivery_id: str
    """The `webhook-id` that the receiver sees."""
    job_id: str
    url: str
    status: str
    state: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    ended_at: datetime | None
    tries: list[dict[str, Any]]
    """The latest, each with its moment, the answer's status, and what went wrong."""


class Rotation(BaseModel):
    """For how long the secrets before the new one still sign beside it."""

    previous_valid_s: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP_S)]


class NewSecret(BaseModel):
    """What receivers verify with; it is told this once."""

    secret: str


def add_webhook_routes(router: APIRouter, engine: sa.Engine, signer: WebhookSigner | None) -> None:
    """Add the routes below `/webhooks`."""

    @router.get("/webhooks/deliveries")
    def deliveries(whose: Reader, job_id: str | None = None) -> list[DeliveryTold]:
        with engine.connect() as connection:
            rows = tenants_deliveries(connection, whose.tenant_id, job_id)
        return [_told(row) for row in rows]

    @router.post("/webhooks/deliveries/{delivery_id}/replay")
    def send_again(whose: Writer, delivery_id: str) -> dict[str, str]:
        with engine.begin() as connection:
            if not replay(connection, whose.tenant_id, delivery_id):
                raise HTTPException(404, f"there is no delivery {delivery_id}")
            note(connection, whose, "webhook.replay", delivery_id)
        return {"delivery_id": delivery_id, "state": "waiting"}

    @router.post("/webhooks/secret")
    def rotate(whose: Admin, wanted: Rotation) -> NewSecret:
        if signer is None:
            raise HTTPException(409, "this service has no key to derive secrets from")
        with engine.begin() as connection:
            secret = signer.rotate(connection, whose.tenant_id, timedelta(seconds=wanted.previous_valid_s))
            note(connection, whose, "webhook.secret", previous_valid_s=wanted.previous_valid_s)
        return NewSecret(secret=secret)

    @router.delete("/webhooks/secret")
    def unsigned(whose: Admin) -> dict[str, str]:
        if signer is not None:
            with engine.begin() as connection:
                if signer.expire(connection, whose.tenant_id, timedelta()):
                    note(connection, whose, "webhook.unsigned")
        return {"signed": "no"}


def _told(row: sa.RowMapping) -> DeliveryTold:
    told = {name: row[name] for name in DeliveryTold.model_fields}
    return DeliveryTold(**told | {"next_attempt_at": None if row["ended_at"] else row["next_attempt_at"]})
