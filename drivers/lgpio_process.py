"""One run of the process that plays lgpio's waves: started without waiting, asked, ended at once."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from drivers.lgpio_link import FAILED, READY, read_word, send_move, send_stop
from drivers.pin_factory import LGPIO_FOLDER
from drivers.protocols import DriverError
from drivers.pulse_chunks import Delays

PROGRAM = "drivers.lgpio_waves"
STARTS_WITHIN_S = 20.0
"""Python and lgpio from a slow card."""
DIES_WITHIN_S = 5.0


class ProcessGone(Exception):
    """It ended; the message says how."""


class LgpioProcess:
    """A process that owns one STEP line, or is about to."""

    def __init__(self, chip: int, pin: int) -> None:
        """Start it and return at once. Raises OSError."""
        self._pin = pin
        self._ready_by_s = time.monotonic() + STARTS_WITHIN_S
        self._ready = False
        # lgpio leaves a pipe in the folder that it is loaded in.
        self._folder = TemporaryDirectory(prefix="scannerd-lgpio-")
        self._link, far_end = socket.socketpair()
        places = (str(Path(place).resolve()) for place in sys.path)
        with far_end, contextlib.ExitStack() as unless_started:
            unless_started.callback(self._link.close)
            unless_started.callback(self._folder.cleanup)
            self._process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM, str(far_end.fileno()), str(chip), str(pin)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(far_end.fileno(),),
                # A Ctrl-C in the terminal is for the daemon, which brakes first.
                start_new_session=True,
                cwd=self._folder.name,
                env={**os.environ, LGPIO_FOLDER: self._folder.name, "PYTHONPATH": os.pathsep.join(places)},
            )
            unless_started.pop_all()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Return once it has its line. Raises DriverError where it cannot be had, ProcessGone."""
        while not self._ready:
            left_s = self._ready_by_s - time.monotonic()
            if left_s <= 0:
                raise ProcessGone(f"is not ready after {STARTS_WITHIN_S:.0f} s")
            kind, _ = self.hear(left_s) or (None, 0)
            self._ready = kind == READY
        self._folder.cleanup()

    def move(self, delays: Delays, ramp_steps: int) -> None:
        """Order a move. Raises ProcessGone."""
        self._say(lambda: send_move(self._link, delays.astype("uint32").tobytes(), ramp_steps))

    def stop(self) -> None:
        """Order the move to slow down and end. Raises ProcessGone."""
        self._say(lambda: send_stop(self._link))

    def hear(self, patience_s: float) -> tuple[bytes, int] | None:
        """Return what it says and of how many steps; None: nothing yet. Raises DriverError, ProcessGone."""
        if not select.select([self._link], [], [], patience_s)[0]:
            return None
        word = read_word(self._link)
        if word is None:
            raise ProcessGone(self._how_it_ended())
        kind, steps, why = word
        if kind == FAILED:
            raise DriverError(f"GPIO{self._pin}: {why}; `gpioinfo` tells which program has it, `id` your groups")
        return kind, steps

    def kill(self) -> None:
        """End it at once, from any thread: nothing comes out any more, and the kernel frees the line."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def bury(self) -> None:
        """End it at once and forget it; safe to call twice. Nobody listens to it meanwhile."""
        self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(DIES_WITHIN_S)
        self._link.close()
        self._folder.cleanup()

    def _say(self, send: Callable[[], None]) -> None:
        try:
            send()
        except OSError as error:
            raise ProcessGone(self._how_it_ended()) from error

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(DIES_WITHIN_S)
        except subprocess.TimeoutExpired:
            return "hung up"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
