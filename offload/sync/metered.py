"""Whether the connection costs by the byte, as NetworkManager knows it."""

import asyncio
import logging
from dataclasses import dataclass

from jeepney import DBusAddress, Properties
from jeepney.io.asyncio import open_dbus_router
from jeepney.low_level import MessageType

log = logging.getLogger(__name__)

LOOK_S = 30.0
ANSWERS_WITHIN_S = 5.0
NETWORK_MANAGER = DBusAddress(
    "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager", "org.freedesktop.NetworkManager"
)
YES, GUESS_YES = 1, 3
KNOWN = {YES, 2, GUESS_YES, 4}
"""NMMetered; 0 is unknown."""


@dataclass(frozen=True)
class Metered:
    """What is known of the connection."""

    costs: bool | None
    """None: it cannot be known."""
    because: str = ""
    """Why not."""


async def ask_network_manager(bus: str = "SYSTEM") -> Metered:
    """Return what NetworkManager says of the connection that leads out. Never raises for its absence."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S), open_dbus_router(bus) as router:
            reply = await router.send_and_get_reply(Properties(NETWORK_MANAGER).get("Metered"))
    except (OSError, KeyError, ValueError) as problem:
        return Metered(None, f"no D-Bus answers ({problem or type(problem).__name__})")
    if reply.header.message_type is MessageType.error:
        return Metered(None, "no NetworkManager runs here")
    (_, value) = reply.body[0]
    if value not in KNOWN:
        return Metered(None, "NetworkManager does not know")
    return Metered(value in (YES, GUESS_YES))


class MeteredWatch:
    """Asks every so often; what cannot be known is said once and stops nothing."""

    def __init__(self, bus: str = "SYSTEM") -> None:
        self._bus = bus
        self.now = Metered(None, "it was not asked yet")

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Ask once."""
        before, self.now = self.now, await ask_network_manager(self._bus)
        if self.now.costs is None and before != self.now:
            log.warning("whether the connection is metered cannot be known: %s; sync goes on", self.now.because)
