"""The one call of python-prctl that picamera2 makes; the real one compiles against libcap's headers."""

import ctypes
import os

PR_SET_PDEATHSIG = 1


def set_pdeathsig(signal_number: int) -> None:
    """Have the kernel send this process a signal when its parent dies: prctl(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
