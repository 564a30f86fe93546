"""Inside the virtual machine, as root: a person beside an installed scanner, who presses, pulls plugs, and listens.

Everything that waits is in here, not outside: this machine's time stands still whenever the computer beneath it is
busy with something else, and jumps over what nobody waits for. Standard library only.
"""

import base64
import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import guest_cable
import guest_pins
import guest_world

PYTHON = "/opt/scannerd/bin/python3"
TESTS = Path(__file__).resolve().parents[1]
VIEWS = 4
BUTTON, ENABLE = 23, 5
SCANS = Path("/var/lib/scannerd/scans")
UNIT = "scannerd.service"
TOPICS = "scannerd/workshop"
HEARD = Path("/run/heard")
PATIENCE_S = 120.0
"""Of this machine's own time, in which nothing takes longer on a busy computer."""
PRESS_S = 0.2
SETTINGS = f"""
[device]
name = "workshop"
[store]
reserve_mb = 16
[turntable]
driver = "{{table}}"
microsteps = 8
max_speed_deg_s = 60
acceleration_deg_s2 = 180
[camera]
metering = "configured"
width_px = 640
height_px = 480
[scan]
views = {VIEWS}
settle_s = 0.5
propose = false
resume_on_start = true
[quality]
max_cut_off_fraction = 1.0
[mat]
columns = 7
rows = 7
[web]
address = "127.0.0.1"
[mqtt]
enabled = true
username = "scannerd"
password_file = "/etc/scannerd/mqtt.password"
"""
DROP_IN = f"""[Service]
ExecStart=
ExecStart={PYTHON} {TESTS}/vm/inside/scanner.py /etc/scannerd/config.toml
# What makes it a Raspberry Pi is laid over /proc, of which the unit has one of its own.
BindReadOnlyPaths=/run/cpuinfo:/proc/cpuinfo
"""


def run(*command: str) -> str:
    """Run what must succeed; return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(command)}: {done.returncode} {done.stdout}{done.stderr}\n{everything()}"
    return done.stdout.strip()


def set_up() -> None:
    """Begin the world, the broker, and an ear at the broker; the scanner stays off."""
    drop_in = Path(f"/etc/systemd/system/{UNIT}.d/vm.conf")
    drop_in.parent.mkdir(exist_ok=True)
    drop_in.write_text(DROP_IN)
    guest_cable.TRUTH.unlink(missing_ok=True)
    configure("stepper_gpio")
    run("systemctl", "unmask", "--runtime", UNIT)
    run("systemctl", "daemon-reload")
    run("systemd-run", "--quiet", "--unit=world", PYTHON, str(TESTS / "support" / "guest_world.py"))
    until("the world follows", guest_world.STATE.exists)
    run("systemctl", "start", "mosquitto.service")
    ear = f"exec mosquitto_sub {' '.join(_as_tablet())} -t '{TOPICS}/availability' -F '%p' >{HEARD} 2>&1"
    run("systemd-run", "--quiet", "--unit=listener", "sh", "-c", ear)


def configure(table: str) -> None:
    """Write config.toml, for a table of this kind."""
    Path("/etc/scannerd/config.toml").write_text(SETTINGS.format(table=table))


def start() -> None:
    """Start the scanner, or start it anew; returns once it is READY."""
    run("systemctl", "restart", UNIT)


def shows(what: str) -> str:
    """Return one property of the unit."""
    return run("systemctl", "show", "--property", what, "--value", UNIT)


def journal(lines: int = 10_000) -> str:
    """Return what the unit and systemd said about it."""
    return subprocess.run(
        ["journalctl", f"--unit={UNIT}", f"--lines={lines}", "--no-pager", "--output=short-monotonic"],
        capture_output=True,
        text=True,
    ).stdout


def retained(topic: str) -> str:
    """Return what a newcomer hears of the broker at once; empty: nothing."""
    command = ["mosquitto_sub", *_as_tablet(), "-t", f"{TOPICS}/{topic}", "--retained-only", "-C", "1", "-W", "5"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def state() -> dict[str, Any]:
    """Return the state that the broker retains."""
    told: dict[str, Any] = json.loads(retained("state") or '{"mood": "nothing is retained"}')
    return told


def heard() -> list[str]:
    """Return what was heard about availability since the beginning."""
    return HEARD.read_text().split()


def press() -> None:
    """Push the button and let it go."""
    guest_pins.pull(BUTTON, up=False)
    time.sleep(PRESS_S)
    guest_pins.pull(BUTTON, up=True)


def taken() -> int:
    """Photos of the scan that runs, as `systemctl status` tells them."""
    found = re.match(r"scan \S+: (\d+) of \d+ photos", shows("StatusText"))
    return int(found[1]) if found else 0


def scan_number(count: int) -> str:
    """Wait until so many scans are complete; return the last one, packed."""
    until(f"{count} scans are complete", lambda: len(list(SCANS.glob("*/manifest.json"))) >= count)
    last = max(SCANS.glob("*/manifest.json")).parent.name
    packed = subprocess.run(["tar", "-c", "-C", str(SCANS), last], capture_output=True, check=True).stdout
    return f"{last} {base64.b64encode(packed).decode()}"


def lamp_changes(latest: int = 20) -> list[tuple[float, bool]]:
    """Return when the lamp was lit or went dark last."""
    return [json.loads(line) for line in guest_world.LAMP_LOG.read_text().splitlines()[-latest:]]


def begin_controller() -> None:
    """A board with GRBL that has its own supply; its cable is another thing."""
    program = (
        "drivers.bench.grbl_controller",
        "--device",
        str(guest_cable.GADGET),
        "--truth",
        str(guest_cable.TRUTH),
    )
    run("systemd-run", "--quiet", "--unit=controller", PYTHON, "-m", *program)


def tidy_up() -> None:
    """Leave the pins and the port to others."""
    run("systemctl", "stop", UNIT, "controller.service", "world.service", "listener.service", "mosquitto.service")
    guest_cable.pull()
    run("systemctl", "mask", "--runtime", UNIT)


def until(what: str, holds: Callable[[], object]) -> None:
    """Wait; what never comes is told with what came instead."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, f"not in {PATIENCE_S:.0f} s: {what}\n{everything()}"
        time.sleep(0.5)


def everything() -> str:
    """Return what there is to know when something went wrong."""
    seen = guest_world.seen() if guest_world.STATE.exists() else "no world"
    return f"world: {seen}\nheard: {heard() if HEARD.exists() else None}\nretained: {state()}\n{journal(80)}"


def _as_tablet() -> list[str]:
    return [
        "-h",
        "127.0.0.1",
        "-V",
        "5",
        "-u",
        "tablet",
        "-P",
        Path("/etc/scannerd/tablet.password").read_text().strip(),
    ]
