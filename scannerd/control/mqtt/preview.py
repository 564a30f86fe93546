"""The camera's picture, small enough for a message."""

import asyncio
import logging
import time

import cv2
import numpy as np

from drivers.protocols import DriverError
from scannerd.control.mqtt.cancellation import heed_cancellation
from scannerd.control.mqtt.outbox import Outbox, Outgoing
from scannerd.control.mqtt.topics import Topics
from scannerd.control.scanner import Scanner
from scannerd.viewfinder import NoPicture

LOG = logging.getLogger(__name__)

LARGEST_PREVIEW_BYTES = 40_000
SOONEST_S = 1.0
"""Between two pictures."""
QUALITIES = (65, 50, 35, 20)


def small_jpeg(jpeg: bytes) -> bytes:
    """Return the picture in at most 40 kB: with less quality, then in half the size. Raises NoPicture."""
    if len(jpeg) <= LARGEST_PREVIEW_BYTES:
        return jpeg
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    while pixels is not None and min(pixels.shape[:2]) >= 16:
        for quality in QUALITIES:
            done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if done and len(data) <= LARGEST_PREVIEW_BYTES:
                return data.tobytes()
        pixels = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    raise NoPicture(f"a picture of {len(jpeg)} bytes could not be made smaller")


class PreviewTeller:
    """Sends what each camera sees when wanted, once a second at most, and now and then while nothing happens."""

    def __init__(self, scanner: Scanner, topics: Topics, outbox: Outbox, idle_s: float | None) -> None:
        """`idle_s` is the time between two pictures while nothing happens; None: then none."""
        self._scanner = scanner
        self._topics = topics
        self._outbox = outbox
        self._idle_s = idle_s
        self._wanted = asyncio.Event()
        self._seq: int | None = None
        self.watched = False
        """Whether a broker is there to take pictures."""

    def want(self) -> None:
        """Have one picture sent soon."""
        self._wanted.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._idle_s):
                    await self._wanted.wait()
            except TimeoutError:
                if self._scanner.running is not None:
                    continue
            self._wanted.clear()
            began_s = time.monotonic()
            if self.watched:
                await self._send()
                heed_cancellation()
            await asyncio.sleep(max(0.0, began_s + SOONEST_S - time.monotonic()))

    async def _send(self) -> None:
        further = self._scanner.config.camera_names[1:]
        topics = [self._topics.preview, *(self._topics.preview_of(name) for name in further)]
        for camera, topic in enumerate(topics):
            await self._send_of(camera, topic)

    async def _send_of(self, camera: int, topic: str) -> None:
        try:
            picture = await self._scanner.viewfinder.picture(camera=camera)
            jpeg = await self._scanner.reading.run(lambda: small_jpeg(picture.jpeg))
        except (NoPicture, DriverError) as fault:
            LOG.debug("no preview: %s", fault)
            return
        self._outbox.put(Outgoing(topic, jpeg, qos=0))
