"""Stop when asked: by a signal, or when the process that started this one is gone."""

import ctypes
import signal
import sys
from types import FrameType

from offload.engines.protocol import EngineCancelled

PR_SET_PDEATHSIG = 1


class StopRequest:
    """A Cancellation that SIGTERM and SIGINT raise; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self._asked_by: str | None = None

    def listen(self) -> None:
        """Take the signals from now on; only the main thread may."""
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def raise_if_cancelled(self) -> None:
        """Raise EngineCancelled once a signal came."""
        if self._asked_by is not None:
            raise EngineCancelled(f"stopped by {self._asked_by}; nothing was published")

    def _ask(self, number: int, _: FrameType | None) -> None:
        self._asked_by = signal.Signals(number).name
        signal.signal(signal.SIGINT, signal.default_int_handler)


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends, even by SIGKILL; Linux only, elsewhere nothing."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
