"""A whole scan through a real broker, followed by a tablet."""

import subprocess
import sys
from pathlib import Path

import pytest
from mosquitto_broker import Broker, a_tablet
from mqtt_scanner import BASE, mqtt_config, on_mqtt

from drivers.bench.install import Bench
from scannerd.app import Daemon
from scannerd.hardware import build_hardware


async def test_a_whole_scan_is_started_and_followed_from_a_tablet(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings())
    async with a_tablet(broker) as tablet:
        async with on_mqtt(config, bench):
            assert (await tablet.on("availability")).payload == b"online"
            start = {"command": "start", "scan_id": "cup", "command_id": "press-1"}
            answer = await tablet.ask(start, response_topic=f"{BASE}/reply/tablet", correlation_data=b"\x00one")
            assert answer == {
                "command_id": "press-1",
                "status": "accepted",
                "scan_id": "cup",
                "reason": None,
                "repeated": False,
            }
            asked = await tablet.on("reply/tablet")
            assert (asked.json, asked.correlation_data) == (answer, b"\x00one")
            ended = await tablet.event("scan_ended")
            assert ended["data"]["outcome"] == "completed"
            state = await tablet.state(lambda state: state["last_scan"] is not None, "the scan is over")
            assert state["scan"] is None
            assert bench.world.pulses > 0
        assert tablet.heard[-1].payload == b"offline"


async def test_the_daemon_opens_this_door_when_the_settings_say_so(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings())
    async with a_tablet(broker) as tablet:
        async with Daemon(config, build_hardware(config, bench.clock), network=True):
            assert (await tablet.on("availability")).payload == b"online"
            assert (await tablet.state(lambda state: True, "any"))["device"] == "bench"
        await tablet.until(lambda heard: heard.payload == b"offline", "offline")


def test_a_device_that_has_it_off_loads_nothing_of_it() -> None:
    program = "import sys, scannerd.__main__, scannerd.app; print(sorted(m for m in sys.modules if 'mqtt' in m))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


async def test_a_door_that_is_not_installed_is_a_warning_and_no_fault(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "aiomqtt", None)
    for module in [name for name in sys.modules if name.startswith("scannerd.control.mqtt")]:
        monkeypatch.delitem(sys.modules, module)
    config = mqtt_config(tmp_path / "store", {"enabled": True})
    async with Daemon(config, build_hardware(config, bench.clock), network=True) as daemon:
        (remark,) = daemon.board.state().warnings
        assert remark.message == "[mqtt] enabled: aiomqtt is missing; pip install 'scannerd[edge]'"
