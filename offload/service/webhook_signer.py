"""Secrets of webhooks and what they sign, as Standard Webhooks says. A tenant without one is told unsigned.

A secret is derived from the service's own, tenant and number, so that it is in no database and no backup of one.
"""

import base64
from datetime import datetime, timedelta

import sqlalchemy as sa
from standardwebhooks import Webhook

from offload.depot.instant import now
from offload.depot.tables import WEBHOOK_SECRETS
from offload.people.token_key import TokenKey

_S = WEBHOOK_SECRETS.c


class WebhookSigner:
    """Makes, rotates and uses the secrets of every tenant."""

    def __init__(self, engine: sa.Engine, key: TokenKey) -> None:
        self._engine, self._key = engine, key

    def secret(self, tenant_id: str, number: int) -> str:
        """Return a secret as receivers are given it."""
        derived = self._key.derive(f"offload webhooks {tenant_id} {number}")
        return f"whsec_{base64.b64encode(derived).decode()}"

    def rotate(self, connection: sa.Connection, tenant_id: str, previous_valid: timedelta) -> str:
        """Return a new secret that signs from now on; those before it sign beside it for a while."""
        self.expire(connection, tenant_id, previous_valid)
        newest = sa.select(sa.func.max(_S.number)).where(_S.tenant_id == tenant_id)
        number = (connection.scalar(newest) or 0) + 1
        row = {"tenant_id": tenant_id, "number": number, "created_at": now()}
        connection.execute(sa.insert(WEBHOOK_SECRETS).values(row))
        return self.secret(tenant_id, number)

    def expire(self, connection: sa.Connection, tenant_id: str, after: timedelta) -> bool:
        """Let no secret sign any more after a while, nor longer than it would have; whether there was one."""
        moment = now() + after
        living = sa.and_(_S.tenant_id == tenant_id, sa.or_(_S.expires_at.is_(None), _S.expires_at > moment))
        return connection.execute(sa.update(WEBHOOK_SECRETS).where(living).values(expires_at=moment)).rowcount > 0

    def headers(self, tenant_id: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """Return the headers of a message; each secret that is valid signs it, the newest first."""
        valid = sa.or_(_S.expires_at.is_(None), _S.expires_at > at)
        query = sa.select(_S.number).where(_S.tenant_id == tenant_id, valid).order_by(_S.number.desc())
        with self._engine.connect() as connection:
            numbers = connection.scalars(query).all()
        told = {"webhook-id": message_id, "webhook-timestamp": str(int(at.timestamp()))}
        if numbers:
            text = body.decode()
            signed = (Webhook(self.secret(tenant_id, number)).sign(message_id, at, text) for number in numbers)
            told["webhook-signature"] = " ".join(signed)
        return told
