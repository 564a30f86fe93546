"""The driver of DSLRs on libgphoto2's own virtual camera: `VCAMERADIR=FOLDER python virtual_dslr.py WIDTH HEIGHT`.

Its photos are copies of the folder's. Prints what it came to, as JSON.
"""

import asyncio
import hashlib
import json
import sys

from drivers.options_gphoto2 import Gphoto2Options
from drivers.protocols import CameraSettings
from drivers.registry import camera_driver


async def two_photos(width_px: int, height_px: int) -> dict[str, object]:
    camera = camera_driver("gphoto2")(
        Gphoto2Options(width_px=width_px, height_px=height_px, exposure_us=9_000, aperture="f/8")
    )
    try:
        await camera.open()
        first = await camera.capture()
        locked = await camera.lock(CameraSettings(60_000, 1.0, (2.1, 1.9), None))
        again = await camera.capture()
        glimpse = await camera.glimpse()
    finally:
        await camera.close()
    return {
        "model": camera.description.model,
        "exposures_us": [first.exposure_us, locked.exposure_us, again.exposure_us],
        "sha256": [hashlib.sha256(frame.jpeg).hexdigest() for frame in (first, again)],
        "mean": first.photo.y.mean(),
        "grey": [int(glimpse.picture.y.min()), int(glimpse.picture.y.max())],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(two_photos(int(sys.argv[1]), int(sys.argv[2])))))
