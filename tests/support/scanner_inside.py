"""What a person at the machine does to the scanner that runs inside, and sees of it."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from machine import Machine

CONFIG = "/etc/scannerd/config.toml"
SCANS = "/var/lib/scannerd/scans"
HAND = "/run/scannerd/hand.sock"
SOCKET = "/run/scannerd/scannerd.sock"
ASK_STATE = """
import socket, sys
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(sys.argv[1])
daemon.sendall(b'GET /api/v1/state HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n')
answer = b''.join(iter(lambda: daemon.recv(65536), b''))
print(answer.partition(b'\\r\\n\\r\\n')[2].decode())
"""
LAST_TRUTH = """
import socket, sys
hand = socket.socket(socket.AF_UNIX)
hand.connect(sys.argv[1])
lines, last = hand.makefile("rw"), ""
try:
    while True:
        print('{"do": "truth"}', file=lines, flush=True)
        answer = lines.readline()
        if not answer:
            break
        last = answer
except OSError:
    pass
print(last)
"""
"""Asks the bench how the world is until the bench is gone; prints the last answer."""


def as_tablet(machine: Machine) -> tuple[str, ...]:
    return ("-h", "127.0.0.1", "-V", "5", "-u", "tablet", "-P", machine.read("/etc/scannerd/tablet.password"))


@contextmanager
def overheard(machine: Machine, topic: str) -> Iterator[Callable[[], list[tuple[str, str]]]]:
    """Listen as the tablet; yields what was heard so far, topic and payload, but no pictures."""
    heard, excluded = "/tmp/heard", ("-T", "scannerd/+/preview")
    command = shlex.join(["mosquitto_sub", *as_tablet(machine), "-t", topic, *excluded, "-F", "%t\t%p"])
    pid = machine.shell(f"{command} >{heard} 2>&1 & echo $!")
    try:
        yield lambda: [(t, p) for t, _, p in (line.partition("\t") for line in machine.read(heard).splitlines())]
    finally:
        machine.output("kill", pid)


def commanded(machine: Machine, **command: str) -> dict[str, str]:
    """Send a command as the tablet and return the daemon's answer."""
    scanner = f"scannerd/{machine.output('hostname').lower()}"
    topics = ("-t", f"{scanner}/command", "-e", f"{scanner}/reply/tablet")
    answer: dict[str, str] = json.loads(
        machine.output("mosquitto_rr", *as_tablet(machine), *topics, "-W", "20", "-m", json.dumps(command))
    )
    return answer


def progress(heard: list[tuple[str, str]], scan: str) -> list[tuple[str, int]]:
    """State and photos done of one scan, as its topic told them one after the other."""
    said = [json.loads(words)["scan"] for topic, words in heard if topic.endswith(f"/scan/{scan}/progress") and words]
    return [(overview["state"], overview["frames_done"]) for overview in said]


def hand(machine: Machine, what: str) -> None:
    machine.output("scannerd", "bench-hand", "--hand", HAND, what)


def status_text(machine: Machine) -> str:
    return machine.shows("scannerd.service", "StatusText")


def restarts(machine: Machine) -> int:
    return int(machine.shows("scannerd.service", "NRestarts"))


def photos(machine: Machine) -> int:
    """Photos of the scan that runs, as `systemctl status` tells them."""
    found = re.match(r"scan \S+: (\d+) of \d+ photos", status_text(machine))
    return int(found[1]) if found else 0


def daemon_said(machine: Machine) -> str:
    return machine.output("journalctl", "--unit=scannerd.service", "--output=cat")


def scans(machine: Machine) -> dict[str, list[str]]:
    """Scans by whether they have their seal, oldest first."""
    found: dict[str, list[str]] = {"sealed": [], "unfinished": []}
    for scan in machine.shell(f"ls {SCANS} || true").splitlines():
        sealed = machine.run("test", "-e", f"{SCANS}/{scan}/manifest.json").returncode == 0
        found["sealed" if sealed else "unfinished"].append(scan)
    return found


def set_keys(machine: Machine, **values: str) -> None:
    text = machine.read(CONFIG)
    for key, value in values.items():
        text, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        assert count == 1, key
    machine.write(CONFIG, text)
