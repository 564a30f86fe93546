"""A scanner on the bench with its MQTT door open, as a process: `python mqtt_daemon.py STORE SETTINGS SPEED`.

SETTINGS is [mqtt] as JSON. It prints one line when it is up, and the pulses that the motor was given when it ends.
"""

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

from mqtt_scanner import mqtt_config, on_mqtt
from scan_on_bench import OverheadCamera

from drivers.bench.install import install_bench


async def serve(store: Path, settings: dict[str, object], speed: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    with install_bench(OverheadCamera(), speed=speed) as bench:
        async with on_mqtt(mqtt_config(store, settings), bench):
            print("up", flush=True)
            await stop.wait()
        print(f"pulses {bench.world.pulses}", flush=True)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(serve(Path(sys.argv[1]), json.loads(sys.argv[2]), float(sys.argv[3])))
