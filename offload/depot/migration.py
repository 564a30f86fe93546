"""Brings a database to the newest schema, ours and DBOS's, while others may want the same at the same instant."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from dbos import DBOS

MIGRATIONS = Path(__file__).with_name("migrations")
BEFORE_VERSIONS = "0001"
"""What a database is that has jobs and no version."""
ADVISORY_LOCK = 0x6F66666C6F6164
LOCK_DEADLINE_S = 120.0
LOCK_RETRY_S = 0.1


class MigrationBlocked(RuntimeError):
    """Another process has been migrating for longer than anything may take."""


def migrate(engine: sa.Engine, lock_file: Path) -> None:
    """Run every step that the database lacks: all or, after a kill, none of ours. Raises MigrationBlocked."""
    with _lock_of(engine, lock_file):
        with engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # Else each CREATE would be a commit of its own.
            upgrade(connection)
        DBOS.migrate(engine.url.render_as_string(hide_password=False))


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Run our steps up to a revision, in the caller's transaction."""
    tables = set(sa.inspect(connection).get_table_names())
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if "jobs" in tables and "alembic_version" not in tables:
        command.stamp(config, BEFORE_VERSIONS)
    command.upgrade(config, revision)


@contextmanager
def _lock_of(engine: sa.Engine, lock_file: Path) -> Iterator[None]:
    if engine.dialect.name == "sqlite":
        with lock_file.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    # Asked for again and again, never waited for: DBOS builds indexes concurrently, which waits in turn for every
    # statement that began earlier, also for one that waits for this lock.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        deadline_s = time.monotonic() + LOCK_DEADLINE_S
        while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(ADVISORY_LOCK))):
            if time.monotonic() > deadline_s:
                raise MigrationBlocked(
                    f"another process has been migrating {engine.url} for {LOCK_DEADLINE_S:.0f} s; find it in "
                    "pg_locks (locktype advisory), end it, then start again"
                )
            time.sleep(LOCK_RETRY_S)
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(ADVISORY_LOCK)))
