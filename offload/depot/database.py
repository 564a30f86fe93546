"""The one SQLite file of a data folder: our jobs table and DBOS's queue, so that one commit can cover both."""

import fcntl
import logging
from sqlite3 import Connection

import sqlalchemy as sa
from dbos import DBOS
from sqlalchemy import event

from offload.depot.folder import DataFolder
from offload.depot.ledger import JOBS

BUSY_TIMEOUT_MS = 30_000


def open_database(folder: DataFolder) -> sa.Engine:
    """Return an engine whose commits survive a power cut; DBOS is given the same engine.

    WAL lets readers go on while one writes; synchronous=FULL makes every commit fsync, which NORMAL does not under
    WAL. Transactions begin with the write lock, so that two writers wait for each other and never deadlock.
    """
    engine = sa.create_engine(f"sqlite:///{folder.database}", connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Connection, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def prepare_database(folder: DataFolder) -> sa.Engine:
    """Create or migrate both schemas and return the engine. Service and workers may all call this at once."""
    folder.create()
    logging.getLogger("dbos").setLevel(logging.WARNING)
    with (folder.root / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        engine = open_database(folder)
        JOBS.metadata.create_all(engine)
        DBOS.migrate(f"sqlite:///{folder.database}")
    return engine
