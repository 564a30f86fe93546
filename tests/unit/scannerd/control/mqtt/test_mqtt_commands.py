"""Commands through a real broker: each is carried out once, in time, and answered; nothing else is carried out."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mosquitto_broker import Broker, Tablet, a_tablet
from mqtt_scanner import BASE, mqtt_config, on_mqtt

from drivers.bench.install import Bench
from scannerd.config import Config


def in_s(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def config(tmp_path: Path, broker: Broker) -> Config:
    return mqtt_config(tmp_path / "store", broker.settings(home_assistant=False))


def nothing_started(bench: Bench, config: Config) -> bool:
    scans = config.store.folder / "scans"
    return bench.world.pulses == 0 and not (scans.is_dir() and any(scans.iterdir()))


async def test_the_same_id_is_carried_out_once(bench: Bench, broker: Broker, config: Config) -> None:
    async with a_tablet(broker) as tablet, on_mqtt(config, bench):
        await tablet.on("availability")
        jog = {"command": "jog", "delta_deg": 10, "command_id": "j1"}
        first = await tablet.ask(jog)
        pulses = bench.world.pulses
        again = await tablet.ask(jog)
        assert (first["status"], first["repeated"]) == ("accepted", False)
        assert (again["status"], again["repeated"]) == ("accepted", True)
        assert bench.world.pulses == pulses
        other = await tablet.ask(jog | {"delta_deg": 20})
        assert other["status"] == "refused"
        assert "give each command its own id" in other["reason"]
        assert bench.world.pulses == pulses


async def test_a_retained_start_never_starts_a_scan(bench: Bench, broker: Broker, config: Config) -> None:
    async with a_tablet(broker) as tablet:
        start = {"command": "start", "scan_id": "late", "command_id": "old", "expires_at": in_s(3600)}
        await tablet.send(start, retain=True)
        async with on_mqtt(config, bench):
            answer = (await tablet.on("reply/old")).json
            assert answer["status"] == "refused"
            assert "retained" in answer["reason"]
            await tablet.send(b"", retain=True)
            assert (await tablet.ask({"command": "pause", "command_id": "p"}))["status"] == "refused"
        assert nothing_started(bench, config)


async def test_what_waited_for_the_scanner_is_obeyed_only_if_it_says_how_long_it_is_good(
    bench: Bench, broker: Broker, config: Config
) -> None:
    async with a_tablet(broker) as tablet:
        async with on_mqtt(config, bench):
            await tablet.on("marker")
        await tablet.send({"command": "start", "scan_id": "no-expiry", "command_id": "w1"})
        await tablet.send("start", "press")
        await tablet.send({"command": "start", "scan_id": "over", "command_id": "w2", "expires_at": in_s(-1)})
        await tablet.send({"command": "cancel", "command_id": "w3"})
        await tablet.send({"command": "cancel", "scan_id": "cup", "command_id": "w4"})
        await tablet.send({"command": "start", "scan_id": "short", "command_id": "w5"}, expiry_s=1)
        await tablet.send({"command": "jog", "delta_deg": 90, "command_id": "w6", "expires_at": in_s(600)})
        await tablet.send({"command": "jog", "delta_deg": 90, "command_id": "w7"}, expiry_s=600)
        await asyncio.sleep(2.1)  # the broker's own clock: w5 is good for 1 s, and counted in whole seconds
        after = len(tablet.heard)
        async with on_mqtt(config, bench):
            answers = {
                name: (await tablet.on(f"reply/{name}", after)).json for name in ("w1", "w2", "w3", "w4", "w6")
            }
            w7 = (await tablet.on("reply/w7", after)).json
            pressed = await tablet.event("command_rejected", after)
            fresh = await tablet.ask({"command": "jog", "delta_deg": 1, "command_id": "w8"})
        assert "may have waited while the scanner was away" in answers["w1"]["reason"]
        assert "may have waited while the scanner was away" in pressed["data"]["reason"]
        assert "after it expired" in answers["w2"]["reason"]
        assert "may have waited" in answers["w3"]["reason"]
        assert answers["w4"]["status"] == "failed", "no such scan, but it was handed in"
        assert [answers["w6"]["status"], fresh["status"]] == ["accepted", "accepted"]
        assert w7["status"] in ("accepted", "refused"), "two jogs at a time are one too many"
        assert not any(heard.topic.endswith("reply/w5") for heard in tablet.heard)
        assert not list((config.store.folder / "scans").glob("*"))


async def test_an_answer_goes_only_where_the_scanner_may_speak(bench: Bench, broker: Broker, config: Config) -> None:
    async with a_tablet(broker) as tablet, on_mqtt(config, bench):
        await tablet.on("marker")
        bad = (f"{BASE}/command", "homeassistant/device/x/config", f"{BASE}/reply/", f"{BASE}/reply/../x y")
        for number, topic in enumerate(bad):
            home = {"command": "home", "command_id": f"bad-{number}"}
            answer = await tablet.ask(home, response_topic=topic)
            assert answer["status"] == "refused"
            assert "is not allowed; use one below scannerd/bench/reply/" in answer["reason"]
        assert not [heard for heard in tablet.heard if heard.topic in bad and b"refused" in heard.payload]
        for number, topic in enumerate((f"{BASE}/reply/+", f"{BASE}/reply/#")):
            home = {"command": "home", "command_id": f"wild-{number}"}
            assert "has a wildcard; name one topic" in (await tablet.ask(home, response_topic=topic))["reason"]
        good = {"command": "pause", "command_id": "good"}
        await tablet.ask(good, response_topic=f"{BASE}/reply/tablet/7", correlation_data=b"7")
        assert (await tablet.on("reply/tablet/7")).correlation_data == b"7"


WRONG = [
    (b"{", "EOF"),
    (b"\xff\xfe\x00", "JSON"),
    (b"[" * 5000, "recursion"),
    (b"null", "should be an object"),
    (b'"start"', "should be an object"),
    (b"{}", "discriminator 'command'"),
    (b'{"command": "fly"}', "'fly' found using 'command' does not match"),
    (b'{"command": "jog", "delta_deg": "far"}', "delta_deg: Input should be a valid number"),
    (b'{"command": "jog", "delta_deg": NaN}', "finite number"),
    (b'{"command": "jog", "delta_deg": 1e9}', "less than or equal to 360"),
    (b'{"command": "start", "views": true, "rings": []}', "rings: Input should be a valid integer"),
    (b'{"command": "start", "scan_id": "../../etc/passwd"}', "scan_id: String should match pattern"),
    (b'{"command": "start", "command_id": "a/b"}', "command_id: String should match pattern"),
    (b'{"command": "start", "command_id": {"a": 1}}', "command_id"),
    (b'{"command": "start", "expires_at": "2026-01-01T00:00:00"}', "expires_at: Input should have timezone info"),
    (b'{"command": "start", "speed": 9}', "speed: Extra inputs are not permitted"),
]


async def test_what_is_no_command_is_refused_with_the_reason(bench: Bench, broker: Broker, config: Config) -> None:
    async with a_tablet(broker) as tablet, on_mqtt(config, bench):
        await tablet.on("marker")
        for payload, reason in WRONG:
            after = len(tablet.heard)
            await tablet.send(payload)
            told = await tablet.event("command_rejected", after)
            assert reason in told["data"]["reason"], payload
            assert told["data"]["topic"] == f"{BASE}/command"
        bad = {"command": "jog", "delta_deg": 999, "command_id": "readable"}
        assert "less than or equal to 360" in (await tablet.ask(bad))["reason"]
        after = len(tablet.heard)
        await tablet.send(b"{", response_topic=f"{BASE}/reply/t", correlation_data=b"c")
        answer = await tablet.on("reply/t", after)
        assert (answer.json["command_id"], answer.json["status"], answer.correlation_data) == ("", "refused", b"c")
    assert nothing_started(bench, config)


@pytest.mark.parametrize(
    "topic", ["command/x", "press/start", "option", "option/a/b", "scan/x/y/progress", "x/+", "x/#"]
)
async def test_other_topics_are_not_listened_to(bench: Bench, broker: Broker, config: Config, topic: str) -> None:
    async with a_tablet(broker) as tablet, on_mqtt(config, bench):
        await tablet.on("marker")
        if "+" in topic or "#" in topic:
            with pytest.raises(ValueError, match=r"[Ww]ildcard"):
                await tablet.send({"command": "home", "command_id": "x"}, topic)
        else:
            await tablet.send({"command": "home", "command_id": "x"}, topic)
        assert (await tablet.ask({"command": "pause", "command_id": "p"}))["status"] == "refused"
        assert not any(heard.topic.endswith("reply/x") for heard in tablet.heard)


async def pressed(tablet: Tablet, word: str, **how: Any) -> dict[str, Any]:
    """Press a dashboard's button and return what is said about it: an answer, or a rejection."""
    after = len(tablet.heard)
    await tablet.send(word, "press", **how)

    def is_it(heard: Any) -> bool:
        rejected = heard.topic == f"{BASE}/event" and heard.json["type"] == "command_rejected"
        return rejected or heard.topic.startswith(f"{BASE}/reply/")

    told = (await tablet.until(is_it, f"press {word}", after)).json
    return dict(told.get("data", told))


async def test_a_dashboard_presses_without_ids(bench: Bench, broker: Broker, config: Config) -> None:
    async with a_tablet(broker) as tablet, on_mqtt(config, bench):
        await tablet.on("marker")
        await tablet.send("4", "option/views")
        await tablet.send("2.0", "option/rings")
        await tablet.send("3", "option/repeats")
        await tablet.send("draft", "option/quality")
        shown = await tablet.until(
            lambda heard: heard.topic == f"{BASE}/options" and heard.json["quality"] == "draft", "options"
        )
        assert shown.json.items() >= {"views": 4, "rings": 2, "quality": "draft", "repeats": 3}.items()
        for name, value in (("views", "2"), ("views", "many"), ("quality", "best"), ("speed", "9"), ("rings", "1.5")):
            after = len(tablet.heard)
            await tablet.send(value, f"option/{name}")
            assert f"option {name}" in (await tablet.event("command_rejected", after))["data"]["reason"].replace(
                "'", ""
            )
        assert "does not match" in (await pressed(tablet, "fly"))["reason"]
        assert "retained" in (await pressed(tablet, "home", retain=True))["reason"]
        assert (await pressed(tablet, "home"))["status"] == "accepted"
        assert (await pressed(tablet, "start"))["status"] == "accepted"
        assert "count as one" in (await pressed(tablet, "start"))["reason"]
        started = await tablet.event("scan_started")
        assert started["data"]["frames_planned"] == 24
        assert (await pressed(tablet, "cancel"))["status"] == "accepted"


async def test_the_last_words_of_a_scan_are_right_when_the_daemon_stops_in_it(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings(home_assistant=False), views=36)
    async with a_tablet(broker) as tablet:
        async with on_mqtt(config, bench):
            await tablet.on("marker")
            await tablet.ask({"command": "start", "scan_id": "cup", "command_id": "s"})
            await tablet.on("scan/cup/progress")
        assert tablet.heard[-1].payload == b"offline"
    async with a_tablet(broker) as late:
        progress = await late.on("scan/cup/progress")
        assert progress.retained
        assert (progress.json["scan"]["state"], progress.json["run"]) == ("unfinished", None)
        state = await late.state(lambda state: True, "any")
        assert (state["phase"], state["interrupted"]) == ("idle", "cup")
        assert (await late.on("availability")).payload == b"offline"


async def test_progress_of_scans_that_are_gone_does_not_stay_with_the_broker(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings(home_assistant=False), views=3)
    async with a_tablet(broker) as tablet:
        for number in range(300):
            await tablet.send(b'{"old": true}', f"scan/old-{number:03}/progress", retain=True)
        await tablet.send(b"{}", "scan/../progress", retain=True)
        await tablet.send(b"{}", "scan/cup/progress", retain=True)
        async with on_mqtt(config, bench):
            await tablet.on("marker")
            await tablet.ask({"command": "start", "scan_id": "cup", "command_id": "s"})
            await tablet.event("scan_ended")
            await tablet.until(
                lambda heard: heard.topic.endswith("cup/progress") and b'"sealed"' in heard.payload, "sealed"
            )
            for topic in (*(f"scan/old-{number:03}/progress" for number in range(300)), "scan/../progress"):
                wanted = f"{BASE}/{topic}"
                await tablet.until(lambda heard, wanted=wanted: heard.topic == wanted and not heard.payload, topic)
        async with a_tablet(broker) as late:
            await late.on("scan/cup/progress")
            assert {heard.topic for heard in late.heard if "/scan/" in heard.topic} == {f"{BASE}/scan/cup/progress"}
        async with on_mqtt(config, bench):
            await tablet.ask({"command": "delete", "scan_id": "cup", "command_id": "d"})
            await tablet.until(lambda heard: heard.topic.endswith("cup/progress") and not heard.payload, "emptied")
        async with a_tablet(broker) as late:
            await late.on("availability")
            assert not [heard for heard in late.heard if "/scan/" in heard.topic]


async def test_a_picture_comes_when_it_is_wanted(bench: Bench, broker: Broker, config: Config) -> None:
    async with a_tablet(broker) as tablet, on_mqtt(config, bench):
        first = await tablet.on("preview")
        assert first.payload.startswith(b"\xff\xd8")
        assert len(first.payload) <= 40_000
        after = len(tablet.heard)
        await tablet.send(b"", "preview/get")
        assert (await tablet.on("preview", after)).payload.startswith(b"\xff\xd8")
