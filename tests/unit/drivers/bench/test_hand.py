"""The hand, over its real socket."""

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from gpiozero import Button

from drivers.bench.grey_card import GreyCard
from drivers.bench.hand import Hand
from drivers.bench.install import Bench, install_bench
from drivers.bench.reach import HandOutOfReach, reach
from drivers.bench.supply import SimulatedSupply
from drivers.bench.world import Shot
from scannerd.process.vitals import Throttling, read_throttling

DEADLINE_S = 60.0


@pytest.fixture
def bench() -> Iterator[Bench]:
    with install_bench(GreyCard(), speed=20) as installed:
        yield installed


@pytest.fixture
def hand(bench: Bench, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "hand.sock"
    with Hand(bench, path):
        yield path
    assert not path.exists()


def said(path: Path, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as near_end:
        near_end.settimeout(DEADLINE_S)
        near_end.connect(str(path))
        near_end.sendall(line)
        near_end.shutdown(socket.SHUT_WR)
        with near_end.makefile("rb") as answers:
            return answers.read()


def test_only_its_owner_may_reach_in(hand: Path) -> None:
    assert stat.S_IMODE(hand.stat().st_mode) == 0o600


def test_a_press_arrives_at_the_pin_and_ends(hand: Path) -> None:
    button = Button(23)
    pressed, released = threading.Event(), threading.Event()
    button.when_pressed, button.when_released = pressed.set, released.set
    answer = reach(hand, "press", duration_s=0.05)
    assert pressed.is_set()
    assert released.is_set()
    assert answer["button_down"] is False
    button.close()


def test_a_button_that_sticks_is_down_for_whoever_claims_the_pin_later(hand: Path) -> None:
    assert reach(hand, "down")["button_down"] is True
    button = Button(23)
    assert button.is_pressed
    reach(hand, "up")
    assert not button.is_pressed
    button.close()


def test_it_puts_things_on_the_table_and_takes_them_away(bench: Bench, hand: Path) -> None:
    assert reach(hand, "remove")["object_present"] is False
    assert not bench.world.object_present
    assert reach(hand, "place")["object_present"] is True


def test_it_lays_the_object_on_its_head_and_back(bench: Bench, hand: Path) -> None:
    assert reach(hand, "turn_over")["object_upside_down"] is True
    assert bench.world.sight(Shot(0.0, 1000.0, 1.0, (1.0, 1.0)), 32, 24).upside_down
    assert reach(hand, "turn_over")["object_upside_down"] is False


def test_a_jammed_platter_hears_pulses_and_stands_still(bench: Bench, hand: Path) -> None:
    reach(hand, "jam")
    bench.board.hear_enable(False)
    for level in (True, False) * 10:
        bench.board.hear_step(level)
    truth = reach(hand, "jam", on=False)
    assert (truth["pulses"], truth["motor_steps"], truth["motor_enabled"]) == (10, 0, True)
    bench.board.hear_step(True)
    assert reach(hand, "truth")["motor_steps"] == -1


def test_a_stuck_camera_is_mended_by_starting_it_again(bench: Bench, hand: Path) -> None:
    assert reach(hand, "camera_stuck")["camera_hangs"] is True
    bench.world.camera_started()
    assert reach(hand, "truth")["camera_hangs"] is False


def pulses(bench: Bench, count: int) -> None:
    for level in (True, False) * count:
        bench.board.hear_step(level)


def test_lost_steps_are_lost_once(bench: Bench, hand: Path) -> None:
    bench.board.hear_enable(False)
    reach(hand, "lose_steps", steps=3)
    pulses(bench, 10)
    truth = reach(hand, "truth")
    assert (truth["pulses"], truth["motor_steps"], truth["pulses_lost"]) == (10, -7, 3)


def test_a_weak_motor_misses_what_comes_too_fast(bench: Bench, hand: Path) -> None:
    bench.board.hear_enable(False)
    reach(hand, "weak_motor", from_deg_s=0.001)
    pulses(bench, 10)
    assert reach(hand, "weak_motor", on=False)["motor_steps"] == -1, "the first came after a rest"
    pulses(bench, 10)
    assert reach(hand, "truth")["motor_steps"] == -11


def test_a_weak_supply_is_reported_as_the_firmware_does(bench: Bench, tmp_path: Path) -> None:
    supply = SimulatedSupply(tmp_path / "sys")
    path = tmp_path / "hand.sock"
    with Hand(bench, path, supply):
        reach(path, "low_voltage")
        sagging = read_throttling(supply.sysfs)
        reach(path, "low_voltage", on=False)
        recovered = read_throttling(supply.sysfs)
    assert sagging == Throttling(under_voltage=True, slowed=False, under_voltage_before=True)
    assert recovered == Throttling(under_voltage=False, slowed=False, under_voltage_before=True)


def test_a_bench_without_a_supply_says_so(hand: Path) -> None:
    with pytest.raises(HandOutOfReach, match="no power supply of its own"):
        reach(hand, "low_voltage")


def test_only_a_free_platter_is_turned_by_hand(bench: Bench, hand: Path) -> None:
    bench.board.hear_enable(False)
    with pytest.raises(HandOutOfReach, match="the motor holds the platter"):
        reach(hand, "turn_platter", by_deg=20)
    bench.board.hear_enable(True)
    assert reach(hand, "turn_platter", by_deg=20)["settled_angle_deg"] == pytest.approx(20)
    assert bench.world.platter.motor_steps == 0


def test_a_turned_mat_is_seen_turned_though_the_platter_was_not(bench: Bench, hand: Path) -> None:
    assert reach(hand, "turn_mat", by_deg=-4)["settled_angle_deg"] == 0
    shot = Shot(bench.clock.now_s(), 1000.0, 1.0, (2.0, 2.0))
    assert bench.world.expose(shot, 160, 120).platter_angles_deg == (pytest.approx(-4),)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"no json\n", "Expecting value"),
        (b"[]\n", "a request is a JSON object"),
        (b'{"do": "dance"}\n', "do = 'dance': use one of press, down, up, place"),
        (b'{"do": "press", "duration_s": -1}\n', "duration_s = -1: use 0 to 300 s"),
        (b'{"do": "press", "duration_s": NaN}\n', "duration_s = nan: use 0 to 300 s"),
        (b'{"do": "jam", "on": 3}\n', "on = 3: use true or false"),
        (b'{"do": "lose_steps", "steps": 1.5}\n', "steps = 1.5: use a whole number, 0 to 1000000"),
        (b'{"do": "turn_mat", "by_deg": 999}\n', "by_deg = 999: use -360 to 360 °"),
        (b'{"do": "weak_motor", "from_deg_s": 5, "share": 2}\n', "share = 2: use 0 to 1 of the pulses"),
        (b'{"do": "late_frame"}\n', "late_s = None: use 0 to 60 s"),
        (b"\xff\xfe\n", "decode"),
    ],
)
def test_what_it_cannot_do_is_refused_and_changes_nothing(bench: Bench, hand: Path, line: bytes, says: str) -> None:
    answer = json.loads(said(hand, line))
    assert answer["ok"] is False
    assert says in answer["error"]
    assert not bench.finger.is_down


def test_a_line_without_an_end_is_not_obeyed(bench: Bench, hand: Path) -> None:
    assert said(hand, b'{"do": "down"}') == b""
    with suppress(ConnectionError):
        assert said(hand, b"x" * 100_000) == b""
    assert not bench.finger.is_down


def test_a_refusal_and_an_absent_bench_are_told_to_the_caller(hand: Path, tmp_path: Path) -> None:
    with pytest.raises(HandOutOfReach, match=r"press: duration_s = 1000\.0: use 0 to 300 s"):
        reach(hand, "press", duration_s=1000.0)
    with pytest.raises(HandOutOfReach, match="no hand there: No such file or directory"):
        reach(tmp_path / "absent.sock", "truth")


def test_closing_lets_go_of_the_button_and_hangs_up(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "short.sock"
    hand = Hand(bench, path)
    idle = socket.socket(socket.AF_UNIX)
    idle.connect(str(path))

    def press_for_long() -> None:
        # Answered or not, depending on who is faster: what counts is that it ends.
        with suppress(HandOutOfReach):
            reach(path, "press", duration_s=200.0)

    pressing = threading.Thread(target=press_for_long)
    pressing.start()
    while not bench.finger.is_down:
        os.sched_yield()
    hand.close()
    hand.close()
    pressing.join(DEADLINE_S)
    assert not pressing.is_alive()
    assert not bench.finger.is_down
    assert idle.recv(1) == b""
    idle.close()


def test_a_socket_that_a_dead_bench_left_is_taken_over(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "hand.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with Hand(bench, path):
        assert reach(path, "truth")["pulses"] == 0
