"""Our drivers over the kernel's own interfaces: /dev/gpiochip0 beneath unmodified lgpio, USB beneath udev.

What happened is told by the other side: the kernel's trace of its lines, and udev's links.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from virtual_machine import VirtualMachine

INSIDE = "/srv/project/tests/vm/inside"
ENABLE, STEP = 5, 17
BOARD = "idVendor=0x1a86 idProduct=0x55d4 iManufacturer=Maker iProduct=Board iSerialNumber=A50285BI"
"""A CH9102: its driver is the one that the gadget speaks to."""

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "scannerd.service"
ALLOWED = "MemoryDeny|SystemCall|Restrict|Limit|NoNew|Capability|Ambient|Device|Lock"
FORBIDDEN = re.findall(rf"^(?:{ALLOWED}).*$", UNIT.read_text(), re.MULTILINE)
AS_THE_UNIT = " ".join(f"--property='{line}'" for line in FORBIDDEN)
"""What the daemon may do and what not: the process that plays its pulses must manage with that."""
POLICIES = (
    "import pathlib;"
    "waves = [stat for stat in pathlib.Path('/proc').glob('[0-9]*/stat')"
    " if '-m\\0drivers.lgpio_waves' in (stat.parent / 'cmdline').read_text()];"
    "print([stat.read_text().rpartition(')')[2].split()[38] for stat in waves])"
)
FIFO = "1"
DEVICES = " ".join(f"--property='{line}'" for line in re.findall(r"^Device.*$", UNIT.read_text(), re.MULTILINE))
"""What it may open."""


def told(machine: VirtualMachine, script: str, limit_s: float = 240.0) -> Any:
    return json.loads(machine.output("python3", f"{INSIDE}/{script}", limit_s=limit_s).splitlines()[-1])


@pytest.fixture(scope="module")
def turned(machine: VirtualMachine) -> Any:
    return told(machine, "moves.py")


def test_gpiozero_chose_lgpio_by_itself(turned: Any) -> None:
    assert turned["factory"] == "LGPIOFactory"


def test_as_many_steps_left_the_pin_as_were_commanded(turned: Any) -> None:
    moves = [*turned["moves"], turned["afterwards"], turned["after_emergency"]]
    for move in moves:
        assert move["counted"] == move["commanded"], moves
        assert move["pulses"] == abs(move["commanded"])
    assert sum(move["pulses"] for move in moves) > 500


def test_a_cancelled_move_knows_where_it_stopped(turned: Any) -> None:
    for move in turned["cancelled"]:
        assert move["counted"] == move["commanded"], turned["cancelled"]
        assert 0 < move["pulses"] < 25 / 360 * 9600


def test_an_emergency_stop_lets_no_pulse_through(turned: Any) -> None:
    stopped = turned["emergency"]
    assert stopped["pulses_before"] > 0
    assert (stopped["pulses_after"], stopped["motor_on"]) == (0, False)
    assert (stopped["raised"], stopped["angle"]) == (True, "unknown")


def test_the_motor_is_on_only_while_it_has_to_hold(turned: Any) -> None:
    assert turned["motor_on"]
    assert not turned["motor_on_after_release"]
    assert not turned["motor_on_after_close"]


def test_every_pulse_of_a_wave_comes_and_how_evenly_is_printed(machine: VirtualMachine) -> None:
    found = told(machine, "jitter.py")
    print(json.dumps(found))
    assert found["lgpio"]["pulses"] == found["sleeping"]["pulses"] == 1000


def test_moves_end_while_a_light_is_dimmed(machine: VirtualMachine) -> None:
    # In one thread of lgpio's, one wave in fifty was the last: 150 of them passed in one run of twenty.
    assert told(machine, "dimmed.py") == {"counted": 750, "pulses": 750}


def test_the_button_is_heard_through_the_kernel(machine: VirtualMachine) -> None:
    said = told(machine, "button.py")
    print(json.dumps(said))
    for press in said:
        assert press["heard"] == [press["closed"]], said
        assert press["contact"] is press["closed"]
        assert press["edge_is_in_time"], said


def test_the_motor_is_off_once_the_process_was_told_to_end(machine: VirtualMachine) -> None:
    machine.shell(f"systemd-run --quiet --unit=holds {AS_THE_UNIT} /opt/scannerd/bin/python3 {INSIDE}/hold.py")
    machine.shell(
        "for i in $(seq 200); do test -e /run/holds && exit 0; sleep 0.2; done; journalctl -n 40 -u holds; exit 1"
    )
    assert level(machine, ENABLE) == 0
    deadline_s = time.monotonic() + 60
    while (found := machine.output("python3", "-c", POLICIES)) != f"[{FIFO!r}]":
        assert time.monotonic() < deadline_s, f"policies {found}, {FIFO} was expected"
    machine.output("systemctl", "stop", "holds")
    assert machine.output("python3", "-c", POLICIES) == "[]"
    assert level(machine, ENABLE) == 1
    assert machine.run("systemctl", "is-failed", "holds").returncode != 0


def level(machine: VirtualMachine, line: int) -> int:
    return int(machine.shell(f"cat /sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio{line}/value"))


def test_a_board_that_is_plugged_in_gets_its_name_and_loses_it_when_pulled(machine: VirtualMachine) -> None:
    machine.shell(f"modprobe cdc-acm && modprobe dummy_hcd && modprobe g_serial {BOARD}")
    link = "/dev/scanner-turntable"
    machine.shell(f"for i in $(seq 100); do test -e {link} && exit 0; sleep 0.1; done; dmesg | tail -n 20; exit 1")
    machine.output("udevadm", "settle")
    assert machine.output("readlink", "-f", link) == "/dev/ttyACM0"
    assert machine.output("ls", "/dev/scanner-turntable-by-id") == "Maker_Board_A50285BI"
    assert machine.output("stat", "-L", "-c", "%G %a", link) == "dialout 660"
    machine.shell(f"stty -F {link} raw -echo && stty -F /dev/ttyGS0 raw -echo")
    assert machine.shell(f"timeout 20 head -c 3 {link} & sleep 0.5; printf ok! >/dev/ttyGS0; wait") == "ok!"
    machine.shell("rmmod g_serial")
    machine.shell(f"for i in $(seq 100); do test -e {link} || exit 0; sleep 0.1; done; exit 1")
    assert machine.run("test", "-e", "/dev/ttyACM0").returncode != 0


def test_who_was_there_before_the_first_table_was_plugged_in_may_open_it(machine: VirtualMachine) -> None:
    # Until then the kernel has not loaded the driver of such ports, and does not know their name.
    machine.run("modprobe", "-r", "cdc-acm")
    link = "/dev/scanner-turntable"
    opens = f"until test -e {link} && : 2>/run/refused <>{link}; do sleep 0.2; done; touch /run/opened"
    machine.shell(f'systemd-run --quiet --unit=first {DEVICES} sh -c "{opens}"')
    machine.shell(f"modprobe dummy_hcd && modprobe g_serial {BOARD}")
    machine.shell("for i in $(seq 150); do test -e /run/opened && exit 0; sleep 0.2; done; cat /run/refused; exit 1")
    machine.output("rmmod", "g_serial")


@pytest.fixture(scope="module")
def on_a_cable(machine: VirtualMachine) -> Any:
    return told(machine, "cable.py")


def test_a_cable_that_is_pulled_while_the_platter_turns_costs_its_angle_and_nothing_else(on_a_cable: Any) -> None:
    story = on_a_cable["pulled"]
    print(json.dumps(story))
    assert "check the cable" in story["broken"]
    assert not story["knows"]
    assert "plug the controller in" in story["without_a_cable"]
    assert story["told"] == pytest.approx(story["true"], abs=0.01)
    assert (story["motor"]["enabled"], story["motor"]["units"]) == (False, 160.0)


def test_a_controller_that_takes_no_bytes_does_not_hold_up_who_stops(on_a_cable: Any) -> None:
    # The kernel holds whoever closes the port for 30 s, in the hope that the bytes will be taken yet.
    story = on_a_cable["hung"]
    print(json.dumps(story))
    assert "Write timeout" in story["full"]
    assert story["closed_after_s"] < 5
    assert "takes no bytes" in story["opened_again"]


def test_video_devices_speak_as_our_bench_does(machine: VirtualMachine) -> None:
    seen = told(machine, "video.py")
    print(json.dumps(seen))
    assert "its exposure cannot be set" in seen["camera"]
    assert (seen["name"], seen["usb"], seen["brightness"]) == ("vivid", False, [0, 255, 77])
    assert (seen["rights"], seen["not_jpeg"], seen["broken"]) == ("660", True, True)
    assert seen["size"] == [640, 360, 1280]
    assert (seen["monotonic"], seen["in_order"], seen["gone"]) == (True, True, "ENODEV")
    white, *_, black = seen["bars"]
    assert min(white) > 170
    assert max(black) < 30
