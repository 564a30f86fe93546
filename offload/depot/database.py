"""The one database of a service: our tables and DBOS's queue, so that one commit can cover both.

SQLite in the data folder unless the environment names a PostgreSQL.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from sqlite3 import Connection

import sqlalchemy as sa
from sqlalchemy import event

from offload.depot.folder import DataFolder
from offload.depot.migration import MigrationBlocked, migrate
from offload.private_file import OpenToOthers, read_private

URL_VARIABLE = "OFFLOAD_DATABASE_URL"
URL_FILE_VARIABLE = "OFFLOAD_DATABASE_URL_FILE"
BUSY_TIMEOUT_MS = 30_000
CONNECT_TIMEOUT_S = 10
POOLED = 10


class DatabaseUnusable(RuntimeError):
    """The database cannot be used as it is configured; the message says what to do."""


def read_database_url(environment: Mapping[str, str]) -> str | None:
    """Return the PostgreSQL that the environment names; None: SQLite. Raises DatabaseUnusable."""
    if url := environment.get(URL_VARIABLE):
        return _checked(url, URL_VARIABLE)
    if name := environment.get(URL_FILE_VARIABLE):
        try:
            return _checked(read_private(Path(name)), name)
        except OpenToOthers as problem:
            raise DatabaseUnusable(str(problem)) from problem
        except OSError as problem:
            raise DatabaseUnusable(
                f"{name}: {problem.strerror}; {URL_FILE_VARIABLE} must name the file of the address"
            ) from problem
    return None


def _checked(text: str, source: str) -> str:
    expected = "expected postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME"
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError as problem:
        raise DatabaseUnusable(f"{source} is no address of a database; {expected}") from problem
    if url.drivername not in ("postgresql", "postgresql+psycopg") or not url.database:
        raise DatabaseUnusable(f"{source} is {url!r}; {expected}; without {URL_VARIABLE} it is SQLite")
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def open_database(folder: DataFolder, url: str | None = None) -> sa.Engine:
    """Return an engine whose commits survive a power cut; DBOS is given the same engine. Connects to nothing yet."""
    return _sqlite(folder.database) if url is None else _postgresql(url)


def _sqlite(path: Path) -> sa.Engine:
    """WAL lets readers go on while one writes; synchronous=FULL makes every commit fsync, which NORMAL does not.

    Transactions begin with the write lock, so that two writers wait for each other and never deadlock.
    """
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Connection, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def _postgresql(url: str) -> sa.Engine:
    """A connection that the server dropped, as in a restart, is noticed before it is used."""
    return sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=POOLED,
        max_overflow=POOLED,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "offload"},
    )


def prepare_database(folder: DataFolder, url: str | None = None) -> sa.Engine:
    """Create or migrate both schemas and return the engine. Service and workers may all call this at once.

    Raises DatabaseUnusable.
    """
    folder.create()
    for chatty in ("dbos", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    engine = open_database(folder, url)
    try:
        migrate(engine, folder.root / "prepare.lock")
    except (sa.exc.OperationalError, MigrationBlocked) as problem:
        first = str(getattr(problem, "orig", problem)).strip().splitlines()[0]
        raise DatabaseUnusable(
            f"the database {engine.url!r} cannot be used: {first}; start it, or correct {URL_VARIABLE}"
        ) from problem
    return engine
