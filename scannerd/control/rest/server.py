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
GOODBYE_S = 0.4
"""Answers under way may take so long when the daemon goes down; it has five seconds for everything."""
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
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
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
                await self.shutdown()
            listening.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nobody new, let answers under way be finished if they are quick, cut off who is still there."""
        for server in self.servers:
            server.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(set(state.tasks), timeout=GOODBYE_S)
        for connection in list(state.connections):
            connection.transport.abort()
        left = set(state.tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
