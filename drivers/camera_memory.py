"""How many frames a stream may hold at once on this machine.

A buffer is one photo and its companion in YUV 4:2:0. On boards up to the Pi 4 they lie in the kernel's contiguous
memory (CMA), which libcamera also takes its raw frames from; on a Pi 5 anywhere. Either way they are memory that the
daemon does not have: a Pi Zero 2 W has 512 MB for all of it.
"""

from dataclasses import dataclass
from pathlib import Path

from drivers.picture import companion_size_px

MEMINFO = Path("/proc/meminfo")
MOST_BUFFERS, LEAST_BUFFERS = 4, 2
"""One is filled while the other is looked at: with a single one the stream starves."""
RAW_FRAMES = 4
"""What libcamera's pipeline holds for itself between sensor and image processor."""
OWN_RAW_FRAMES = 2
"""What it holds at least where raw frames are asked for, which count among the others."""
RAW_BYTES_PER_PIXEL = 1.5
"""12 bits, packed; the most that these sensors deliver."""
OF_OTHERS_BYTES = 32 << 20
"""Of the contiguous memory: screen, decoder, what libcamera needs besides."""
SHARE_OF_MEMORY = 1 / 8
"""Of all memory: the rest is for the daemon, which holds a photo or two more, and for the system."""


@dataclass(frozen=True)
class Memory:
    """What a machine has."""

    total_bytes: int
    contiguous_bytes: int | None
    """All of it: what is lent to files meanwhile the kernel takes back. None where it keeps none apart."""


def this_memory(meminfo: Path = MEMINFO) -> Memory:
    """Read it from the kernel."""
    fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
    return Memory(_bytes(fields["MemTotal"]), _bytes(fields.get("CmaTotal", "0 kB")) or None)


def _bytes(field: str) -> int:
    return int(field.split()[0]) * 1024


def buffer_bytes(width_px: int, height_px: int) -> int:
    """Return what one photo and its companion take."""
    small_width_px, small_height_px = companion_size_px(width_px, height_px)
    return (width_px * height_px + small_width_px * small_height_px) * 3 // 2


def buffers_that_fit(
    size_px: tuple[int, int], sensor_px: tuple[int, int], memory: Memory, *, keeps_raw: bool = False
) -> int:
    """Return how many frames may be in flight; never fewer than two, which the camera may then refuse.

    With `keeps_raw` each of them has a raw frame, too, of as many pixels as the sensor.
    """
    raw = sensor_px[0] * sensor_px[1] * RAW_BYTES_PER_PIXEL
    for count in range(MOST_BUFFERS, LEAST_BUFFERS, -1):
        in_flight = count * (buffer_bytes(*size_px) + keeps_raw * raw)
        pipeline = max(OWN_RAW_FRAMES, RAW_FRAMES - keeps_raw * count) * raw
        if in_flight <= memory.total_bytes * SHARE_OF_MEMORY and (
            memory.contiguous_bytes is None or in_flight + pipeline + OF_OTHERS_BYTES <= memory.contiguous_bytes
        ):
            return count
    return LEAST_BUFFERS
