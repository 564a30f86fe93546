"""What Home Assistant is told has the form that its documentation asks for, and works as a dashboard uses it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pytest
from jsonschema import Draft202012Validator
from mosquitto_broker import Broker, Tablet, a_tablet
from mqtt_scanner import BASE, QUICK, mqtt_config, on_mqtt
from scan_on_bench import OverheadCamera

from drivers.bench.install import Bench, install_bench
from drivers.bench.pins import BenchWiring, RingWiring
from drivers.bench.sensor_models import IMX477, SensorMode
from scannerd.config import Config, LightSection, WebSection
from scannerd.control.messages import COMMAND_MESSAGES
from scannerd.control.mqtt.home_assistant import Announcement
from scannerd.control.mqtt.topics import Topics

SCHEMA = json.loads(Path(__file__).with_name("home_assistant_discovery.schema.json").read_text())
TOPIC = "homeassistant/device/scannerd_bench/config"


def faults(announcement: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator(SCHEMA)
    return [f"{list(fault.path)}: {fault.message}" for fault in validator.iter_errors(announcement)]


def shown(component: dict[str, Any], payload: bytes) -> str:
    """Return what Home Assistant makes of a message: it renders the template with the payload's JSON."""
    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(component["value_template"])
    return str(template.render(value_json=json.loads(payload), value=payload.decode()))


async def announced(tablet: Tablet, after: int = 0) -> dict[str, Any]:
    return dict((await tablet.until(lambda heard: heard.topic == TOPIC, "announcement", after)).json)


async def test_the_announcement_has_the_form_that_home_assistant_asks_for(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings())
    async with a_tablet(broker) as tablet, on_mqtt(config, bench):
        device = await announced(tablet)
        assert faults(device) == []
        platforms = {name: component["platform"] for name, component in device["components"].items()}
        for button in ("start", "pause", "resume", "cancel", "home", "background"):
            assert platforms[button] == "button"
        assert {"mood", "progress", "frames", "remaining", "upload", "disk_free", "fault_text"} <= set(platforms)
        assert (platforms["fault"], platforms["camera"], platforms["quality"]) == (
            "binary_sensor",
            "camera",
            "select",
        )
        ids = [component["unique_id"] for component in device["components"].values()]
        assert len(set(ids)) == len(ids)
        assert device["availability_topic"] == f"{BASE}/availability"
        asking = [component for component in device["components"].values() if "command_topic" in component]
        assert all(component["qos"] == 1 for component in asking), "a press must not get lost"
    async with a_tablet(broker) as late:
        kept = await late.until(lambda heard: heard.topic == TOPIC, "announcement")
        assert kept.retained


async def test_every_sensor_says_something_right_before_during_and_after_a_scan(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings(), views=6)
    async with a_tablet(broker) as tablet, on_mqtt(config, bench):
        components = (await announced(tablet))["components"]
        assert (await tablet.on("options")).payload
        await tablet.send("start", "press")
        during = await tablet.until(
            lambda heard: (
                heard.topic == f"{BASE}/state" and heard.json["scan"] and heard.json["scan"]["frames_done"] > 1
            ),
            "two photos",
        )
        await tablet.state(lambda state: state["last_scan"] is not None, "the end")
        for component in components.values():
            topic = component.get("state_topic")
            assert topic in (None, f"{BASE}/state", f"{BASE}/options")
            for heard in (heard for heard in tablet.heard if heard.topic == topic):
                value = shown(component, heard.payload)
                assert len(value) <= 255, "Home Assistant keeps no longer states"
                if "options" in component:
                    assert value in component["options"]
                elif "unit_of_measurement" in component or "min" in component:
                    assert value == "None" or float(value) >= 0
        state = during.payload
        assert shown(components["mood"], state) == "scanning"
        assert float(shown(components["progress"], state)) > 30
        assert shown(components["frames_planned"], state) == "6"
        assert float(shown(components["remaining"], state)) > 0
        assert shown(components["fault"], state) == "OFF"


async def test_home_assistant_that_restarts_is_told_again(bench: Bench, broker: Broker, tmp_path: Path) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings())
    async with a_tablet(broker) as tablet, on_mqtt(config, bench):
        await announced(tablet)
        await tablet.on("preview")
        after = len(tablet.heard)
        await tablet.client.publish("homeassistant/status", b"online", 1)
        await announced(tablet, after)
        await tablet.on("state", after)
        await tablet.on("options", after)
        await tablet.on("preview", after)


async def test_a_dashboard_sees_the_table_also_while_nothing_happens(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings())
    async with a_tablet(broker) as tablet, on_mqtt(config, bench, replace(QUICK, idle_preview_s=0.2)):
        after = 0
        for _ in range(3):
            picture = await tablet.on("preview", after)
            after = tablet.heard.index(picture, after) + 1
            assert picture.payload.startswith(b"\xff\xd8")


async def test_an_announcement_is_taken_back_when_nobody_wants_it_any_more(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    wanted = mqtt_config(tmp_path / "store", broker.settings())
    async with on_mqtt(wanted, bench), a_tablet(broker) as tablet:
        await announced(tablet)
    unwanted = mqtt_config(tmp_path / "store", broker.settings(home_assistant=False))
    async with a_tablet(broker) as tablet, on_mqtt(unwanted, bench):
        await tablet.until(lambda heard: heard.topic == TOPIC and not heard.payload, "taken back")
    async with a_tablet(broker) as late:
        await late.on("availability")
        assert not [heard for heard in late.heard if heard.topic == TOPIC and heard.payload]


class Devices(NamedTuple):
    """What a front door reads of them."""

    light: Any = None
    has_raw: bool = False


class Configured:
    """A scanner of which only the settings matter, and what devices it has."""

    def __init__(self, devices: Devices, **sections: Any) -> None:
        self.hardware = devices
        self.config = Config(**sections)


def announcement(devices: Devices | None = None, **sections: Any) -> dict[str, Any]:
    scanner = Configured(devices or Devices(), **sections)
    return Announcement(scanner, Topics("scannerd", "bench")).device("192.168.7.20")  # type: ignore[arg-type]


class SomeLight(NamedTuple):
    has_colours: bool


def test_a_light_is_announced_where_there_is_one_with_colours_where_it_has_some() -> None:
    assert "light" not in announcement()["components"]
    for has_colours in (False, True):
        device = announcement(Devices(SomeLight(has_colours)))
        assert faults(device) == []
        light = device["components"]["light"]
        assert light["command_topic"] == f"{BASE}/command"
        assert ("red_template" in light) == has_colours
        assert ("red is defined" in light["command_on_template"]) == has_colours


def test_raw_files_can_be_chosen_where_the_camera_delivers_them() -> None:
    assert "raw" not in announcement()["components"]
    device = announcement(Devices(has_raw=True))
    assert faults(device) == []
    assert device["components"]["raw"]["options"] == ["never", "device", "bundle"]


async def tell_light(tablet: Tablet, light: dict[str, Any], template: str, **changed: int) -> None:
    """Do what Home Assistant does: render the template with what was changed, and nothing else."""
    order = jinja2.Template(light[template]).render(**changed)
    assert COMMAND_MESSAGES.validate_json(order)
    await tablet.client.publish(light["command_topic"], order.encode(), 1)


async def test_a_ring_is_switched_dimmed_and_coloured_from_a_dashboard(broker: Broker, tmp_path: Path) -> None:
    ring = LightSection(driver="ws2812", count=8, level=0.5, colour="#ffffff", lit="always")
    config = mqtt_config(tmp_path / "store", broker.settings()).model_copy(update={"light": ring})
    wired = BenchWiring(ring=RingWiring(count=8))
    with install_bench(OverheadCamera(), speed=20, wiring=wired) as bench:
        async with a_tablet(broker) as tablet, on_mqtt(config, bench):
            light = (await announced(tablet))["components"]["light"]
            steps: list[tuple[str, dict[str, int], tuple[float, float, float]]] = [
                ("command_on_template", {"red": 255, "green": 128, "blue": 0}, (0.5, 128 / 255 / 2, 0.0)),
                ("command_on_template", {"brightness": 255}, (1.0, 128 / 255, 0.0)),
                ("command_off_template", {}, (0.0, 0.0, 0.0)),
                ("command_on_template", {}, (0.5, 128 / 255 / 2, 0.0)),
            ]
            for template, changed, levels in steps:
                after = len(tablet.heard)
                await tell_light(tablet, light, template, **changed)
                brightness = str(round(max(levels) * 255))
                told = await tablet.until(
                    lambda heard, wanted=brightness: (
                        heard.topic == f"{BASE}/state" and rendered(light, "brightness", heard.payload) == wanted
                    ),
                    f"brightness {brightness}",
                    after,
                )
                assert bench.world.light.levels == pytest.approx(levels, abs=1 / 255)
                assert rendered(light, "state", told.payload) == ("on" if max(levels) else "off")
                hues = [rendered(light, hue, told.payload) for hue in ("red", "green", "blue")]
                assert hues == ["255", "128", "0"]


def rendered(light: dict[str, Any], what: str, payload: bytes) -> str:
    return shown({"value_template": light[f"{what}_template"]}, payload)


async def test_a_scan_started_from_a_dashboard_keeps_the_raw_files_chosen_there(
    broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings(), views=3)
    small = replace(IMX477, modes=(SensorMode(640, 480, 12, 1 / 40),))
    with install_bench(OverheadCamera(), speed=20, sensor=small) as bench:
        async with a_tablet(broker) as tablet, on_mqtt(config, bench) as daemon:
            components = (await announced(tablet))["components"]
            raw = components["raw"]
            assert shown(raw, (await tablet.on("options")).payload) == "never"
            await tablet.client.publish(raw["command_topic"], b"device", 1)
            await tablet.until(
                lambda heard: heard.topic == raw["state_topic"] and shown(raw, heard.payload) == "device",
                "the choice",
            )
            await tablet.client.publish(components["start"]["command_topic"], b"start", 1)
            ended = await tablet.state(lambda state: state["last_scan"] is not None, "the end")
            assert ended["has_raw"]
            scan_id = ended["last_scan"]["scan_id"]
            assert daemon.catalogue.detail(scan_id).raw_files == 3


@pytest.mark.parametrize(
    ("web", "url"),
    [
        (WebSection(), "http://192.168.7.20:8740/"),
        (WebSection(enabled=False), None),
        (WebSection(address="127.0.0.1"), None),
        (WebSection(port=80), "http://192.168.7.20:80/"),
    ],
)
def test_the_device_page_is_where_somebody_else_can_reach_it(web: WebSection, url: str | None) -> None:
    assert announcement(web=web)["device"].get("configuration_url") == url


@pytest.mark.parametrize(
    "spoil",
    [
        lambda device: device.pop("origin"),
        lambda device: device["device"].pop("identifiers"),
        lambda device: device["components"]["start"].pop("command_topic"),
        lambda device: device["components"]["mood"].pop("options"),
        lambda device: device["components"]["camera"].pop("topic"),
        lambda device: device["components"]["progress"].update(device_class="duration"),
        lambda device: device["components"]["fault"].update(colour="red"),
        lambda device: device["components"]["fault"].pop("unique_id"),
        lambda device: device["components"]["views"].update(platform="fan"),
        lambda device: device["components"]["light"].pop("command_off_template"),
        lambda device: device["components"]["light"].pop("green_template"),
        lambda device: device["components"]["light"].update(brightness=True),
    ],
)
def test_the_schema_notices_what_home_assistant_would_not_take(spoil: Any) -> None:
    device = announcement(Devices(SomeLight(has_colours=True)))
    assert faults(device) == []
    spoil(device)
    assert faults(device)
