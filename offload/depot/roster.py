"""Who works: one row a worker slot, renewed while it lives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.needs import Abilities
from offload.depot.new_job import insert_if_absent
from offload.depot.outage import outlast
from offload.depot.tables import WORKERS

BEAT_S = 5.0
SILENT_S = 60.0
"""A worker that was seen within this time is taken to live."""


class NameTaken(RuntimeError):
    """A worker of this name lives on another machine."""


@dataclass(frozen=True)
class WorkerSeen:
    """A worker as the database knows it."""

    name: str
    host: str
    abilities: Abilities
    job_id: str | None
    started_at: datetime
    seen_at: datetime

    @property
    def lives(self) -> bool:
        """Whether it was seen lately."""
        return now() - self.seen_at < timedelta(seconds=SILENT_S)


class Roster:
    """The workers of a database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def enlist(self, name: str, host: str, abilities: Abilities) -> None:
        """Say that a worker begins. Raises NameTaken while one of that name lives on another host.

        On one host the slot's lock has settled that already.
        """
        moment = now()
        row = {
            "name": name,
            "host": host,
            "capabilities": sorted(abilities.capabilities),
            "memory_gb": abilities.memory_gb,
            "job_id": None,
            "started_at": moment,
            "seen_at": moment,
        }

        def write() -> None:
            with self._engine.begin() as connection:
                if insert_if_absent(connection, WORKERS, row):
                    return
                known = connection.execute(sa.select(WORKERS).where(WORKERS.c.name == name)).mappings().one()
                if known["host"] != host and _seen(known).lives:
                    raise NameTaken(
                        f"{name} runs on {known['host']}, seen {(moment - known['seen_at']).total_seconds():.0f} s "
                        f"ago; give this worker another --slot, or wait {SILENT_S:.0f} s after that one has ended"
                    )
                connection.execute(sa.update(WORKERS).where(WORKERS.c.name == name).values(row))

        outlast(self._engine, write)

    def beat(self, name: str, job_id: str | None) -> None:
        """Say that a worker lives, and which job it has."""

        def write() -> None:
            with self._engine.begin() as connection:
                mine = sa.update(WORKERS).where(WORKERS.c.name == name)
                connection.execute(mine.values(seen_at=now(), job_id=job_id))

        outlast(self._engine, write)

    def everybody(self) -> list[WorkerSeen]:
        """Return all workers, by name, those included that have not been seen for long."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(WORKERS).order_by(WORKERS.c.name)).mappings()
            return [_seen(row) for row in rows]

    def forget(self, name: str) -> None:
        """Take a worker off the list that will not come back."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(WORKERS).where(WORKERS.c.name == name))


def _seen(row: Mapping[Any, Any]) -> WorkerSeen:
    abilities = Abilities(frozenset(row["capabilities"]), row["memory_gb"])
    return WorkerSeen(row["name"], row["host"], abilities, row["job_id"], row["started_at"], row["seen_at"])
