"""uvicorn inside the daemon's loop: without signal handlers of its own, and gone at once when the daemon goes."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from scannerd.control.rest.connection import GuardedConnection
from scannerd.control.rest.gate import App

LOG = logging.getLogger(__name__)

KEEP_ALIVE_S = 20
GOODBYE_S = 1
"""Answers under way may take so long when the daemon goes down."""
LARGEST_HEAD_BYTES = 16 * 1024


class InnerServer(uvicorn.Server):
    """Serves one listening socket, as a task of the daemon's."""

    def __init__(self, app: App, connection: type[GuardedConnection] = GuardedConnection) -> None:
        config = uvicorn.Config(
            app,
            http=connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GOODBYE_S,
            h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the daemon's own business."""
        yield

    async def serve_on(self, listening: socket.socket) -> None:
        """Serve until cancelled; then no connection and no task of it is left."""
        try:
            await self.serve(sockets=[listening])
        finally:
            if self.started:
                await self.shutdown(sockets=[listening])
            listening.close()
            await self._sweep()

    async def _sweep(self) -> None:
        """Cut off who is still there; requests of theirs end with them."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = set(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
