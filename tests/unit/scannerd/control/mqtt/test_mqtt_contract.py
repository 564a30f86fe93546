"""docs/asyncapi.yaml is current, has AsyncAPI 3's structure, and describes every message that a scan really sends."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from mosquitto_broker import Broker, Heard, a_tablet
from mqtt_scanner import BASE, mqtt_config, on_mqtt

from drivers.bench.install import Bench
from scannerd.control.mqtt.contract import document

FILE = Path(__file__).resolve().parents[5] / "docs" / "asyncapi.yaml"
CHANNEL_KEYS = {"address", "description", "messages", "parameters"}
MESSAGE_KEYS = {"name", "summary", "contentType", "payload", "headers", "correlationId"}
OPERATION_KEYS = {"action", "channel", "summary", "messages", "bindings", "reply"}


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text()))


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def at(document: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/")
    part: Any = document
    for step in reference[2:].split("/"):
        part = part[step]
    return part


def validator(contract: dict[str, Any], channel: str) -> Draft202012Validator:
    """Return what checks a message of a channel, as a reader of the document would build it."""
    payload = contract["components"]["messages"][channel]["payload"]
    return Draft202012Validator(payload | {"components": contract["components"]}, format_checker=FormatChecker())


def channel_of(contract: dict[str, Any], topic: str) -> str | None:
    for name, channel in contract["channels"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(channel["address"]))
        if name == "reply":
            pattern = pattern.removesuffix("[^/]+") + ".+"
        if re.fullmatch(pattern, topic):
            return str(name)
    return None


def test_the_file_is_what_the_code_says(contract: dict[str, Any]) -> None:
    assert contract == document(), "run scripts/docs"


def test_the_file_has_the_structure_of_asyncapi_3(contract: dict[str, Any]) -> None:
    """The rules of https://www.asyncapi.com/docs/reference/specification/v3.0.0 for what is used of it."""
    assert contract["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(contract["info"])
    for server in contract["servers"].values():
        assert {"host", "protocol"} <= set(server)
        assert set(re.findall(r"\{(\w+)\}", server["host"])) == set(server["variables"])
    for name, channel in contract["channels"].items():
        assert set(channel) == CHANNEL_KEYS, name
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"]), name
        assert all(re.fullmatch(r"[A-Za-z0-9_\-]+", parameter) for parameter in channel["parameters"])
    for name, operation in contract["operations"].items():
        assert set(operation) <= OPERATION_KEYS, name
        assert operation["action"] in ("send", "receive")
        channel_ref = operation["channel"]["$ref"]
        assert channel_ref.startswith("#/channels/")
        assert all(message["$ref"].startswith(f"{channel_ref}/messages/") for message in operation["messages"])
        assert set(operation["bindings"]["mqtt"]) <= {"qos", "retain", "messageExpiryInterval", "bindingVersion"}
    for name, message in contract["components"]["messages"].items():
        assert set(message) <= MESSAGE_KEYS, name
        if "correlationId" in message:
            assert re.fullmatch(r"\$message\.(header|payload)#/.+", message["correlationId"]["location"])
    for reference in references(contract):
        assert at(contract, reference) is not None, reference
    for schema in contract["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


async def test_every_message_of_a_scan_is_as_described(
    bench: Bench, broker: Broker, tmp_path: Path, contract: dict[str, Any]
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings(), views=3)
    async with a_tablet(broker) as tablet:
        async with on_mqtt(config, bench):
            await tablet.on("marker")
            start = {"command": "start", "scan_id": "cup", "command_id": "s"}
            await tablet.ask(start, response_topic=f"{BASE}/reply/tablet/7")
            await tablet.ask({"command": "pause", "command_id": "p"})
            await tablet.ask({"command": "retake", "index": 0, "command_id": "r"})
            await tablet.ask({"command": "resume", "command_id": "g"})
            await tablet.event("scan_ended")
            await tablet.send(b"{")
            await tablet.send("12", "option/views")
            await tablet.send("home", "press")
            await tablet.send(b"", "preview/get")
            for command in ("background", "home", "stop"):
                await tablet.ask({"command": command, "command_id": command})
            await tablet.ask({"command": "jog", "delta_deg": -5.5, "command_id": "j"})
            await tablet.ask({"command": "delete", "scan_id": "cup", "command_id": "d"})
            await tablet.ask({"command": "restore", "scan_id": "cup", "command_id": "u"})
        await tablet.until(lambda heard: heard.payload == b"offline", "offline")
        seen = assert_described(contract, tablet.heard)
    assert seen == set(contract["channels"]) - {"previewOfCamera"}, "there is one camera"
    kinds = {heard.json["type"] for heard in tablet.heard if heard.topic == f"{BASE}/event"}
    assert {"scan_started", "frame_judged", "frame_stored", "scan_sealed", "command_rejected"} <= kinds


def assert_described(contract: dict[str, Any], heard: list[Heard]) -> set[str]:
    """Hold that the document describes every message; return the channels that were used."""
    seen = set()
    for message in heard:
        if message.topic.startswith("homeassistant/"):
            continue
        channel = channel_of(contract, message.topic)
        assert channel is not None, message.topic
        seen.add(channel)
        if channel == "command" and message.payload == b"{":
            continue
        if not message.payload and channel in ("progress", "previewWanted"):
            continue  # taken away; anything
        kind = contract["components"]["messages"][channel]["contentType"]
        if kind == "image/jpeg":
            assert message.payload.startswith(b"\xff\xd8")
            continue
        value = message.json if kind == "application/json" else message.payload.decode()
        faults = [fault.message for fault in validator(contract, channel).iter_errors(value)]
        assert not faults, (message.topic, value, faults)
    return seen


def test_the_document_refuses_what_the_door_refuses(contract: dict[str, Any]) -> None:
    command = validator(contract, "command")
    assert command.is_valid({"command": "jog", "delta_deg": 90})
    for wrong in (
        {"command": "fly"},
        {"command": "jog", "delta_deg": 999},
        {"command": "home", "speed": 1},
        [],
        "home",
    ):
        assert not command.is_valid(wrong), wrong
