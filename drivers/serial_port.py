"""A serial port that may be pulled out at any time. Whatever goes wrong with it is `LinkBroken`."""

import termios
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import serial

from drivers.protocols import LinkBroken

NAP_S = 0.02
"""How soon a reader looks up to see whether it should stop."""
WRITE_S = 2.0
LOOK_AGAIN_S = 0.1
DTR_LOW_S = 0.1
"""A closed port's DTR line is low for so long at least, which is what resets a board that is opened again."""
READ_BYTES = 4096
LETS_GO_S = 1.0
"""Closing takes no longer, unless the kernel still has bytes that a hung controller does not take: then 30 s."""


class PortGone(LinkBroken):
    """The port itself is away: the controller has probably lost its supply with it, and everything it knew."""


class SerialPort:
    """Opened, and owned alone. Reads come from one thread; `write` may come from any."""

    _closing: ClassVar[dict[str, threading.Thread]] = {}
    """By path, those that the kernel has not let go of: opening them would wait, too."""

    def __init__(self, name: str, path: str, baud: int, appears_within_s: float) -> None:
        """Open it, waiting so long for a cable to be plugged in. Raises PortGone."""
        self.name, self.path = name, path
        self._writing = threading.Lock()
        self._closer: threading.Thread | None = None
        if (closing := self._closing.get(path)) is not None and closing.is_alive():
            raise PortGone(
                f"{name}: {path} takes no bytes; pull its cable, switch the controller off and on, then Resume"
            )
        until_s = time.monotonic() + appears_within_s
        while not Path(path).exists():
            if time.monotonic() >= until_s:
                raise PortGone(f"{name}: there is no {path}; plug the controller in, or set [{name}] port")
            time.sleep(LOOK_AGAIN_S)
        try:
            self._port = serial.Serial(path, baud, timeout=NAP_S, write_timeout=WRITE_S, exclusive=True)
        except (OSError, ValueError, termios.error) as error:
            raise PortGone(f"{name}: {path} cannot be opened: {error}; check rights and who else uses it") from error

    @property
    def baud(self) -> int:
        """Bits per second."""
        return int(self._port.baudrate)

    def set_baud(self, baud: int) -> None:
        """Go on at another speed; the controller is not reset by it. Raises PortGone."""
        try:
            self._port.baudrate = baud
            self._port.reset_input_buffer()
        except (OSError, ValueError, termios.error) as error:
            raise self._broken(error) from error

    def read(self) -> bytes:
        """Return what has come, after a short wait at most; nothing is an answer, too. Raises PortGone."""
        try:
            return bytes(self._port.read(min(READ_BYTES, max(1, self._port.in_waiting))))
        except (OSError, TypeError, termios.error) as error:  # TypeError: closed by another thread
            raise self._broken(error) from error

    def write(self, data: bytes) -> None:
        """Send it. Raises PortGone."""
        try:
            with self._writing:
                self._port.write(data)
        except (OSError, TypeError, termios.error) as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """Let go of it; safe to call twice, and when it is gone. A hung controller's is let go of by a thread."""
        if self._closer is None:
            self._closer = threading.Thread(target=self._close, name=f"closing {self.path}", daemon=True)
            self._closing[self.path] = self._closer
            self._closer.start()
        self._closer.join(LETS_GO_S)
        if not self._closer.is_alive():
            time.sleep(DTR_LOW_S)

    def _close(self) -> None:
        with suppress(OSError, termios.error):  # It is gone, which is what was wanted.
            self._port.close()

    def _broken(self, error: Exception) -> PortGone:
        return PortGone(
            f"{self.name}: {self.path} does not answer any more: {error}; check the cable, it goes on when plugged in"
        )
