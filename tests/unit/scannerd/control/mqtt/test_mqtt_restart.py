"""The daemon is killed, and the broker delivers again what was not acknowledged: nothing is done twice."""

from pathlib import Path

import pytest
from mosquitto_broker import Broker, a_tablet
from mqtt_process import daemon, pulses_at_end


@pytest.mark.slow
async def test_a_command_that_comes_again_after_kill_9_is_not_carried_out_again(
    broker: Broker, tmp_path: Path
) -> None:
    settings = broker.settings(home_assistant=False)
    turn = {"command": "jog", "delta_deg": 360, "command_id": "turn"}
    home = {"command": "home", "command_id": "home"}
    async with a_tablet(broker) as tablet:
        with daemon(tmp_path / "store", settings) as child:
            await tablet.on("marker")
            assert (await tablet.ask(home))["status"] == "accepted"
            await tablet.send(turn)
            await tablet.state(lambda state: state["phase"] == "jogging", "turning")
            child.kill()
            child.wait(60)
        gone = await tablet.until(lambda heard: heard.payload == b"offline", "the last will")
        after = tablet.heard.index(gone)
        with daemon(tmp_path / "store", settings) as child:
            redelivered = (await tablet.on("reply/turn", after)).json
            assert (redelivered["status"], redelivered["repeated"]) == ("failed", True)
            assert "before the daemon's last start, which swallowed its answer" in redelivered["reason"]
            again = await tablet.ask(home)
            assert (again["status"], again["repeated"]) == ("accepted", True)
            assert pulses_at_end(child) == 0, "neither turned the table again"


@pytest.mark.slow
async def test_a_scan_goes_on_by_hand_after_kill_9_and_never_by_the_old_command(
    broker: Broker, tmp_path: Path
) -> None:
    settings = broker.settings(home_assistant=False)
    start = {"command": "start", "scan_id": "cup", "views": 12, "command_id": "start-1"}
    async with a_tablet(broker) as tablet:
        with daemon(tmp_path / "store", settings, speed=10) as child:
            await tablet.on("marker")
            assert (await tablet.ask(start))["status"] == "accepted"
            await tablet.event("frame_stored")
            child.kill()
            child.wait(60)
        await tablet.until(lambda heard: heard.payload == b"offline", "the last will")
        after = len(tablet.heard)
        with daemon(tmp_path / "store", settings, speed=10):
            progress = await tablet.until(
                lambda heard: heard.topic.endswith("cup/progress") and b'"unfinished"' in heard.payload,
                "what the broker kept is put right",
                after,
            )
            assert progress.json["run"] is None
            again = await tablet.ask(start)
            assert (again["status"], again["repeated"]) == ("accepted", True)
            state = await tablet.state(lambda state: state["unfinished"] == ["cup"], "offered", after)
            assert state["phase"] == "idle"
            await tablet.ask({"command": "resume_scan", "scan_id": "cup", "command_id": "go-on"})
            ended = await tablet.event("scan_ended", after)
            assert (ended["data"]["outcome"], ended["data"]["frames_done"]) == ("completed", 12)
