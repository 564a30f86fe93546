"""What systemd is told: ready, stopping, reloading, still alive, and in words what the daemon does.

One datagram a message to $NOTIFY_SOCKET, as sd_notify(3) defines. Where nobody asked to be told, nothing is sent.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping
from typing import Self

LOG = logging.getLogger(__name__)

LONGEST_STATUS = 300
"""Of a status in characters: `systemctl status` shows one line."""


class ServiceManager:
    """The one who started this process and wants to hear how it is. Telling never waits and never raises."""

    def __init__(self, address: str | None, watchdog_s: float | None = None) -> None:
        """`address` is a path, or with a leading @ an abstract socket; None: nobody listens."""
        self._address = "\0" + address[1:] if address is not None and address.startswith("@") else address
        self.watchdog_s = watchdog_s
        """Silence longer than this gets the process killed; None: nobody watches."""
        self._socket: socket.socket | None = None
        self._status = ""
        if self._address is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the one that systemd's variables name; a watchdog meant for another process is not ours."""
        watchdog_s = None
        if environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
            period_us = environment.get("WATCHDOG_USEC", "")
            watchdog_s = int(period_us) / 1e6 if period_us.isdigit() and int(period_us) else None
        return cls(environment.get("NOTIFY_SOCKET") or None, watchdog_s)

    def ready(self) -> None:
        """Started, or done with reloading."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """Going down."""
        self._tell("STOPPING=1")

    def reloading(self) -> None:
        """Taking a new configuration; `ready` must follow, whatever comes of it."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now_us}")

    def alive(self) -> None:
        """Pet the watchdog."""
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Say in words what the daemon does; a repetition is not sent."""
        line = " ".join(text.split())[:LONGEST_STATUS]
        if line != self._status:
            self._status = line
            self._tell(f"STATUS={line}")

    def close(self) -> None:
        """Free the socket; safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, *assignments: str) -> None:
        if self._socket is None or self._address is None:
            return
        try:
            self._socket.sendto("\n".join(assignments).encode(), self._address)
        except OSError as error:
            LOG.warning("the service manager was not told %s: %s", assignments[0], error.strerror)
