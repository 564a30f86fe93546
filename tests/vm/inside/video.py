"""Inside: the kernel's own simulated camera (vivid) beneath our code for video devices, unplugged at the end."""

import asyncio
import errno
import json
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from drivers.camera_v4l2 import V4l2Camera
from drivers.options_v4l2 import V4l2Options
from drivers.protocols import CameraUnusable
from drivers.v4l2_device import FilledBuffer, PixelFormat, VideoDevice, video_devices
from drivers.v4l2_picture import MJPEG, YUYV, companion, photo

BRIGHTNESS = 0x00980900
"""V4L2_CID_BRIGHTNESS; the next two are vivid's own: a frame that came broken, a plug that is pulled."""
BROKEN, UNPLUGGED = 0x00F0F042, 0x00F0F041
SIZE_PX = (640, 360)
FRAMES, PATIENCE_S = 12, 5.0


def main() -> None:
    """Print what was seen as JSON."""
    subprocess.run(["modprobe", "vivid", "n_devs=1", "node_types=0x1"], check=True)
    deadline_s = time.monotonic() + 20
    while not video_devices():
        assert time.monotonic() < deadline_s, "no /dev/video*"
        time.sleep(0.1)
    subprocess.run(["udevadm", "settle"], check=True)
    (path,) = video_devices()
    found: dict[str, Any] = {"camera": asyncio.run(_camera(path)), "rights": oct(Path(path).stat().st_mode)[-3:]}
    device = VideoDevice(path)
    found |= {"name": device.name, "usb": device.is_usb, "brightness": _brightness(device)}
    found["not_jpeg"] = device.configure(MJPEG, *SIZE_PX).fourcc != MJPEG
    found |= _streamed(device)
    print(json.dumps(found))


async def _camera(path: str) -> str:
    """Return why it is no camera for a scan."""
    camera = V4l2Camera(V4l2Options(device=path, width_px=SIZE_PX[0], height_px=SIZE_PX[1]))
    try:
        await camera.open()
    except CameraUnusable as error:
        return str(error)
    finally:
        await camera.close()
    return ""


def _brightness(device: VideoDevice) -> list[int]:
    control = device.control(BRIGHTNESS)
    assert control is not None
    device.set(BRIGHTNESS, control.nearest(77))
    return [control.lowest, control.highest, device.value(BRIGHTNESS)]


def _streamed(device: VideoDevice) -> dict[str, Any]:
    pixel_format = device.configure(YUYV, *SIZE_PX)
    device.set(BRIGHTNESS, 128)
    began_s = time.monotonic()
    device.start(4)
    taken = [_taken(device) for _ in range(FRAMES)]
    frames = [buffer for buffer, _ in taken]
    device.set(BROKEN, 1)
    broken = any(_taken(device)[0].is_broken for _ in range(FRAMES))
    device.set(UNPLUGGED, 1)
    gone = 0
    try:
        for _ in range(FRAMES):
            _taken(device)
    except OSError as error:
        gone = error.errno or 0
    device.close()
    return _seen(taken[-1][1], pixel_format) | {
        "size": [pixel_format.width_px, pixel_format.height_px, pixel_format.row_bytes],
        "frame_s": round(median(later.timestamp_s - frame.timestamp_s for frame, later in pairwise(frames)), 4),
        "monotonic": all(frame.is_monotonic for frame in frames),
        "at_start": frames[-1].at_start_of_exposure,
        "in_order": [frame.sequence for frame in frames] == sorted({frame.sequence for frame in frames}),
        "stamped_in_time": began_s <= frames[0].timestamp_s <= frames[-1].timestamp_s <= time.monotonic(),
        "broken": broken,
        "gone": errno.errorcode.get(gone, str(gone)),
    }


def _taken(device: VideoDevice) -> tuple[FilledBuffer, bytes]:
    buffer = device.filled(PATIENCE_S)
    assert buffer is not None, f"no frame in {PATIENCE_S:.0f} s"
    content = device.content(buffer)
    device.queue(buffer.index)
    return buffer, content


def _seen(data: bytes, pixel_format: PixelFormat) -> dict[str, Any]:
    """The colour bars: white, yellow, cyan, green, magenta, red, blue, black."""
    whole, small = photo(data, pixel_format).rgb(), companion(data, pixel_format).rgb()
    row = whole[whole.shape[0] * 3 // 4]
    bars = [row[int((bar + 0.5) * row.shape[0] / 8)].tolist() for bar in range(8)]
    return {"bars": bars, "bytes": len(data), "small": [small.shape[1], small.shape[0]]}


main()
