"""The audit trail: who did what, when, from where. It is only ever written to; the database refuses all else."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.tables import AUDIT
from offload.people.principal import Principal


@dataclass(frozen=True)
class Deed:
    """One line of the trail."""

    at: datetime
    tenant_id: str | None
    actor: str
    address: str | None
    action: str
    thing: str | None
    detail: dict[str, Any]


def note(
    connection: sa.Connection, whose: Principal, action: str, thing: str | None = None, **detail: object
) -> None:
    """Write down what somebody does, in the transaction that does it: never one without the other."""
    row = {
        "at": now(),
        "tenant_id": whose.tenant_id,
        "actor": whose.actor,
        "address": whose.address,
        "action": action,
        "thing": thing,
        "detail": detail,
    }
    connection.execute(sa.insert(AUDIT).values(row))


def trail(connection: sa.Connection, tenant_id: str | None = None, limit: int = 200) -> Iterator[Deed]:
    """Go through what was done, the newest first; of one tenant or of all."""
    query = sa.select(AUDIT).order_by(AUDIT.c.number.desc()).limit(limit)
    if tenant_id is not None:
        query = query.where(AUDIT.c.tenant_id == tenant_id)
    for row in connection.execute(query).mappings():
        yield Deed(**{name: row[name] for name in Deed.__dataclass_fields__})
