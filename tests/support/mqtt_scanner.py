"""A scanner on the bench with its MQTT door open, patient in tenths of seconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from scan_on_bench import bench_config

from drivers.bench.install import Bench
from scannerd.app import Daemon
from scannerd.config import Config, DeviceSection, MqttSection
from scannerd.control.mqtt.connection import Timing
from scannerd.control.mqtt.door import MqttDoor
from scannerd.hardware import build_hardware

BASE = "scannerd/bench"
QUICK = Timing(keepalive_s=3, answer_s=3.0, first_retry_s=0.1, longest_retry_s=0.5, steady_s=1.0, marker_s=3.0)


def mqtt_config(folder: Path, settings: dict[str, Any], views: int = 6, name: str = "bench") -> Config:
    """Return the bench's settings with [mqtt] as given."""
    settings = {key: Path(value) if value and key.endswith("_file") else value for key, value in settings.items()}
    config = bench_config(folder, views)
    web = config.web.model_copy(update={"enabled": False})
    changes = {"device": DeviceSection(name=name), "mqtt": MqttSection(**settings), "web": web}
    return config.model_copy(update=changes)


@asynccontextmanager
async def on_mqtt(config: Config, bench: Bench, timing: Timing = QUICK) -> AsyncIterator[Daemon]:
    """Run a daemon whose only door is the one under test."""

    class Patient(Daemon):
        def _network_doors(self) -> list[Any]:
            return [MqttDoor(self, timing)]

    async with Patient(config, build_hardware(config, bench.clock), network=True) as daemon:
        yield daemon
