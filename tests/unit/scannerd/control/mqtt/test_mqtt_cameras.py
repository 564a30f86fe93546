"""The pictures of several cameras: each on a topic of its own, and for Home Assistant an entity each."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mosquitto_broker import Broker, a_tablet
from mqtt_scanner import mqtt_config, on_mqtt
from two_cameras import two_camera_bench, two_camera_config

from scannerd.config import Config

ANNOUNCED = "homeassistant/device/scannerd_bench/config"


def with_two_cameras(folder: Path, settings: dict[str, Any]) -> Config:
    other = two_camera_config(folder).cameras[0].model_copy(update={"width_px": 360})
    return mqtt_config(folder, settings).model_copy(update={"cameras": (other,)})


def size_of(jpeg: bytes) -> tuple[int, int]:
    height_px, width_px = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    return width_px, height_px


async def test_each_camera_has_its_picture_on_a_topic_of_its_own(broker: Broker, tmp_path: Path) -> None:
    config = with_two_cameras(tmp_path / "store", broker.settings())
    with two_camera_bench() as bench:
        async with a_tablet(broker) as tablet, on_mqtt(config, bench):
            device = (await tablet.until(lambda heard: heard.topic == ANNOUNCED, "announcement")).json
            entity = device["components"]["camera_side"]
            assert (entity["platform"], entity["name"]) == ("camera", "Preview side")
            first, side = await tablet.on("preview"), await tablet.on("camera/side/preview")
            assert entity["topic"] == side.topic
            (first_width, first_height), (side_width, side_height) = size_of(first.payload), size_of(side.payload)
            assert first_width > first_height, "the first one's photos are 4:3"
            assert side_width == side_height, "the side's are square"
            after = len(tablet.heard)
            await tablet.send(b"", "preview/get")
            await tablet.on("preview", after)
            await tablet.on("camera/side/preview", after)
            after = len(tablet.heard)
            await tablet.ask({"command": "start", "scan_id": "cup", "views": 3, "command_id": "s"})
            await tablet.event("frame_stored")
            shown = await tablet.on("camera/side/preview", after)
            assert len(set(size_of(shown.payload))) == 1
