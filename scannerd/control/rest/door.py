"""The door itself: opens the sockets, serves on them, tries again where one cannot be had."""

import asyncio
import logging
import socket
from pathlib import Path

from scannerd.control.rest.app import RestApp
from scannerd.control.rest.caller import FromThisDevice
from scannerd.control.rest.connection import GuardedConnection
from scannerd.control.rest.gate import Pace
from scannerd.control.rest.listening import CannotListen, listen_on_file, listen_on_network
from scannerd.control.rest.page import BuiltPage
from scannerd.control.rest.server import InnerServer
from scannerd.control.scanner import Scanner
from scannerd.events import Warned
from scannerd.store.durable import StoreFault

LOG = logging.getLogger(__name__)

TRY_AGAIN_S = 5.0
SAVE_EVERY_S = 60.0


class RestDoor:
    """`Door`: page and REST on the network, the same for this device's own users on a socket file."""

    def __init__(
        self,
        scanner: Scanner,
        *,
        connection: type[GuardedConnection] = GuardedConnection,
        try_again_s: float = TRY_AGAIN_S,
        page: BuiltPage | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Listen from now on, where that can be had; callers wait until `run` serves them."""
        self._scanner = scanner
        self._connection = connection
        self._try_again_s = try_again_s
        self._file: Path | None = scanner.config.web.socket
        self.app = RestApp(scanner, page, pace)
        scanner.new_pairing_code = self.app.codes.new_code
        self._network_socket = self._try_network()
        self._file_socket = self._try_file()

    @property
    def name(self) -> str:
        """For logs."""
        return "rest"

    async def run(self) -> None:
        """Serve until cancelled; nobody is connected then, and no socket file is left."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._serve_network(), name="rest on the network")
                group.create_task(self._serve_file(), name="rest on the socket")
                group.create_task(self._keep_books(), name="rest books")
        finally:
            self.close()

    def close(self) -> None:
        """Free the sockets; safe to call twice."""
        self.app.close()
        for listening in (self._network_socket, self._file_socket):
            if listening is not None:
                listening.close()
        if self._file_socket is not None and self._file is not None:
            self._file.unlink(missing_ok=True)
        self._network_socket = self._file_socket = None

    async def _serve_network(self) -> None:
        while self._network_socket is None:
            await asyncio.sleep(self._try_again_s)
            self._network_socket = self._try_network(again=True)
        LOG.info("rest: http on %s", self._network_socket.getsockname()[:2])
        await self._serve(InnerServer(self.app.asgi, self._connection), self._network_socket)

    async def _serve_file(self) -> None:
        if self._file_socket is not None:
            await self._serve(InnerServer(FromThisDevice(self.app.asgi), self._connection), self._file_socket)

    async def _serve(self, server: InnerServer, listening: socket.socket) -> None:
        try:
            await server.serve_on(listening)
        except asyncio.CancelledError:
            self.app.close()
            raise

    async def _keep_books(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            await self._save()

    async def _save(self) -> None:
        try:
            await self._scanner.reading.run(self.app.tokens.save)
        except StoreFault as fault:
            LOG.warning("when devices were last used is not written down: %s", fault)

    def _try_network(self, again: bool = False) -> socket.socket | None:
        web = self._scanner.config.web
        try:
            listening = listen_on_network(web.address, web.port)
        except CannotListen as fault:
            if not again:
                message = f"{fault}; trying again every {self._try_again_s:.0f} s"
                LOG.warning("%s", message)
                self._scanner.events.publish(Warned(message))
            return None
        self.app.port = listening.getsockname()[1]
        self._scanner.page_url = f"http://{_seen_from_here(web.address)}:{self.app.port}/"
        return listening

    def _try_file(self) -> socket.socket | None:
        if self._file is None:
            return None
        try:
            return listen_on_file(self._file)
        except CannotListen as fault:
            LOG.warning("%s", fault)
            return None


def _seen_from_here(address: str) -> str:
    """Return the host to type into a browser on this machine."""
    if address in ("", "0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{address}]" if ":" in address else address
