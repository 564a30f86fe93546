"""A PostgreSQL that is away for a while: who cannot go on without it waits, and loses nothing."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

Result = TypeVar("Result")
log = logging.getLogger(__name__)

RETRY_S = 1.0


def outlast(engine: sa.Engine, act: Callable[[], Result]) -> Result:
    """Return what `act` returns, done again until the server answers. Blocks its thread; never gives up.

    What was committed without the answer arriving is done twice. SQLite is never away: its errors are raised.
    """
    told = False
    while True:
        try:
            return act()
        except sa.exc.DBAPIError as problem:
            away = problem.connection_invalidated or isinstance(problem, sa.exc.OperationalError)
            if engine.dialect.name != "postgresql" or not away:
                raise
            if not told:
                log.warning("%r does not answer, trying again until it does: %s", engine.url, problem.orig)
                told = True
        time.sleep(RETRY_S)
