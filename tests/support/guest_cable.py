"""Inside the virtual machine: a turntable with GRBL at the end of a USB cable, which can be pulled."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BOARD = ("idVendor=0x1a86", "idProduct=0x55d4", "iManufacturer=Maker", "iProduct=Board", "iSerialNumber=A50285BI")
"""A CH9102: its driver is the one that the gadget speaks to."""
PORT = Path("/dev/scanner-turntable")
"""As udev names it."""
GADGET = Path("/dev/ttyGS0")
"""The controller's end of the cable."""
TRUTH = Path("/run/platter.jsonl")
PLUGGED_IN_S = 30.0


def plug_in() -> None:
    """Push the plug in; the board has its own supply."""
    for module in (["cdc-acm"], ["dummy_hcd"], ["g_serial", *BOARD]):
        subprocess.run(["modprobe", *module], check=True)


def pull() -> None:
    """Pull the plug, which the kernel notices as it does with a real one."""
    subprocess.run(["rmmod", "g_serial"], check=True)


@contextmanager
def controller() -> Iterator[int]:
    """A board that turns a motor as its line says, whether or not a cable is in; yields its process."""
    TRUTH.unlink(missing_ok=True)
    program = ["drivers.bench.grbl_controller", "--device", str(GADGET), "--truth", str(TRUTH)]
    with subprocess.Popen([sys.executable, "-m", *program]) as running:
        try:
            yield running.pid
        finally:
            running.terminate()


def listens(pid: int) -> bool:
    """Whether the board has its end of the cable open."""
    return any(file.resolve() == GADGET for file in Path(f"/proc/{pid}/fd").iterdir())


def rests_at() -> float | None:
    """Return where the motor came to rest last, in units; None: it never did."""
    lines = TRUTH.read_text().splitlines() if TRUTH.exists() else []
    return float(json.loads(lines[-1])["units"]) if lines else None


def until(holds: Callable[[], bool], what: str, limit_s: float = PLUGGED_IN_S) -> None:
    """Wait; an emulated machine takes its time."""
    deadline_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline_s, f"not in {limit_s:.0f} s: {what}"
        time.sleep(0.05)
