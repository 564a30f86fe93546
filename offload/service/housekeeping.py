"""Tidies once a day, beside the requests, for as long as the service runs."""

import asyncio
import logging

from offload.depot.storage import StorageTrouble
from offload.people.tidying import Tidying

log = logging.getLogger(__name__)

FIRST_S = 600.0
"""After a start there is other work."""
EVERY_S = 24 * 3600.0


async def keep_tidy(tidying: Tidying) -> None:
    """Tidy until cancelled; a storage or database that is away is tried again the next day."""
    pause_s = FIRST_S
    while True:
        await asyncio.sleep(pause_s)
        pause_s = EVERY_S
        try:
            await asyncio.to_thread(tidying.run)
        except StorageTrouble as trouble:
            log.warning("not tidied today: %s", trouble)
        except Exception:  # The edge of this task: no fault of it may end the service.
            log.exception("not tidied today")
