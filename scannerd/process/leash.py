"""Ends this process in time whatever hangs: a camera, a disk, the event loop itself."""

import faulthandler
import logging
import os
import threading
import time
from collections.abc import Callable

LOG = logging.getLogger(__name__)

STOP_S = 4.3
"""From the signal to the forced end; five seconds are promised."""
HURRY_S = 0.7
"""After a second signal."""
BACKSTOP_S = 0.5
"""Later than that the interpreter itself hangs, and its C part ends the process with everybody's traceback."""
CUT_OFF = 1
"""The exit code of a process that was ended by its leash: for systemd a failure, so that somebody looks."""


class Abandoned(RuntimeError):
    """Something did not end, and nothing in this process can make it. The message says what; the process must end."""


class Leash:
    """A thread that waits for the deadline. `start` when a stop is asked for, `release` at a clean end."""

    def __init__(self, what_hangs: Callable[[], str], let_go: Callable[[], None]) -> None:
        """`let_go` switches the motor's current off at once; both are called in the leash's thread."""
        self._what_hangs = what_hangs
        self._let_go = let_go
        self._changed = threading.Condition()
        self._deadline_s: float | None = None
        self._released = False
        self._thread: threading.Thread | None = None

    def start(self, limit_s: float) -> None:
        """End the process after so long; again: only sooner. May be called in a signal handler."""
        with self._changed:
            deadline_s = time.monotonic() + limit_s
            if self._deadline_s is not None and deadline_s >= self._deadline_s:
                return
            self._deadline_s = deadline_s
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._wait, name="leash", daemon=True)
                self._thread.start()
        faulthandler.dump_traceback_later(limit_s + BACKSTOP_S, exit=True)

    def release(self) -> None:
        """The process ends by itself; safe to call twice."""
        with self._changed:
            self._released = True
            self._changed.notify()
        if self._thread is not None:
            faulthandler.cancel_dump_traceback_later()
            self._thread.join()

    def cut(self, reason: str) -> None:
        """End the process now: motor off, the reason in the log. Does not return."""
        try:
            self._let_go()
            LOG.critical("ended by force: %s", reason)
            logging.shutdown()
        finally:
            os._exit(CUT_OFF)

    def _wait(self) -> None:
        with self._changed:
            while not self._released and (left_s := (self._deadline_s or 0.0) - time.monotonic()) > 0:
                self._changed.wait(left_s)
            if self._released:
                return
        # Where everything stands, for whoever looks for the reason.
        faulthandler.dump_traceback()
        self.cut(self._what_hangs())
