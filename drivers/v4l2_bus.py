"""Which USB bus a video device hangs on, by what the kernel shows of it.

/sys/class/video4linux/videoN/device leads to …/0000:00:14.0/usb1/1-2/1-2:1.0: the bus is the nearest usbN above. A
controller has two, one for USB 2 and one for USB 3, and each hands out its own room.
"""

import re
from pathlib import Path

VIDEO_NODES = Path("/sys/class/video4linux")
BUS = re.compile(r"usb\d+")
UNTOLD = "a bus that the kernel does not name"
"""All such count as one."""


def bus_of(path: str) -> str:
    """Return the bus of a device such as /dev/video0, or of a link to one."""
    device = (VIDEO_NODES / Path(path).resolve().name / "device").resolve()
    return next((folder.name for folder in (device, *device.parents) if BUS.fullmatch(folder.name)), UNTOLD)
