"""The whole system on a Debian 12 with a real systemd: installed by the script, run by the units, removed.

One machine for all steps, in the order of this file. The first run makes its root, which takes a minute more.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from debian_root import REPOSITORY, debian_root, project_wheel, wheels
from machine import Machine, booted, refusal, why_not

pytestmark = [
    pytest.mark.system,
    pytest.mark.slow,
    pytest.mark.skipif(why_not() is not None, reason=f"THE SYSTEM TEST DOES NOT RUN HERE: {why_not()}"),
]

PROJECT, WHEELS = "/srv/project", "/srv/wheels"
CONFIG = "/etc/scannerd/config.toml"
INSTALL = (f"{PROJECT}/scripts/install", "--wheels", WHEELS, "--with-service", "--with-bench")
INSTALL_LIMIT_S = 240
DEVICE_UNITS = ("scannerd.target", "scannerd.service", "scannerd-sync.service", "scannerd-sync.path")
SERVICE_UNITS = ("offload.target", "offload-api.service", "offload-worker@1.service")


@pytest.fixture(autouse=True)
def nothing_left_over() -> Iterator[None]:
    """Instead of the one for all tests: what runs inside the machine is the machine's own; nothing else may stay."""

    def children() -> set[int]:
        return {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}

    before = children()
    yield
    assert children() <= before


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    root = debian_root()
    if (said := refusal(root)) is not None:
        pytest.skip(f"THE SYSTEM TEST DOES NOT RUN HERE: systemd-nspawn is not allowed: {said}")
    folder = tmp_path_factory.mktemp("wheels")
    for wheel in (*wheels().iterdir(), project_wheel(tmp_path_factory.mktemp("dist"))):
        _link_or_copy(wheel, folder / wheel.name)
    shared = {REPOSITORY: PROJECT, folder: WHEELS}
    with booted(root, shared, tmp_path_factory.mktemp("log") / "console.txt") as running:
        yield running


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


@pytest.fixture(scope="module")
def installed(machine: Machine) -> str:
    """What scripts/install said."""
    return machine.output(*INSTALL, "--no-start", limit_s=INSTALL_LIMIT_S)


def test_install_leaves_what_the_documentation_says(machine: Machine, installed: str) -> None:
    assert "installed and not started" in installed
    assert machine.output("/opt/scannerd/bin/scannerd", "version") in installed
    assert machine.output("id", "-Gn", "scannerd").split() == ["scannerd", "dialout", "video", "gpio"]
    for unit in (*DEVICE_UNITS, *SERVICE_UNITS):
        assert machine.output("systemctl", "is-enabled", unit) == "enabled"
    modes = machine.shell(
        "stat -c '%n %a %U' /etc/scannerd/* /etc/offload/* /var/lib/scannerd /etc/mosquitto/scannerd.*"
    )
    assert dict(line.split(" ", 1) for line in modes.splitlines()) == {
        "/etc/scannerd/config.toml": "640 scannerd",
        "/etc/scannerd/mqtt.password": "600 scannerd",
        "/etc/scannerd/tablet.password": "600 root",
        "/etc/scannerd/offload.key": "600 scannerd",
        "/etc/offload/api.key": "600 offload",
        "/var/lib/scannerd": "750 scannerd",
        "/etc/mosquitto/scannerd.acl": "644 root",
        "/etc/mosquitto/scannerd.passwd": "640 root",
    }
    machine.output("/opt/scannerd/bin/scannerd", "check-config", CONFIG)


def test_systemd_takes_the_units_as_they_are_installed(machine: Machine, installed: str) -> None:
    checked = machine.run("systemd-analyze", "verify", "--man=no", *DEVICE_UNITS, *SERVICE_UNITS)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_udev_takes_the_rules_as_they_are_installed(machine: Machine, installed: str) -> None:
    checked = machine.run("udevadm", "test", "/sys/class/mem/null")
    assert "/etc/udev/rules.d/60-scanner.rules" in checked.stderr
    assert not re.search(r"60-scanner\.rules:\d+", checked.stderr), checked.stderr


def test_a_second_install_keeps_settings_and_passwords(machine: Machine, installed: str) -> None:
    kept = ("/etc/scannerd/config.toml", "/etc/scannerd/tablet.password", "/etc/offload/api.key")
    machine.write(CONFIG, machine.read(CONFIG).replace("views = 36", "views = 8  # of our own"))
    before = [machine.read(path) for path in kept]
    again = machine.output(*INSTALL, "--no-start", limit_s=INSTALL_LIMIT_S)
    assert "settings: /etc/scannerd/config.toml is kept" in again
    assert [machine.read(path) for path in kept] == before
    assert machine.output("stat", "-c", "%a %U", CONFIG) == "640 scannerd"


def test_the_broker_lets_nobody_in_without_the_password_and_the_tablet_only_where_it_belongs(
    machine: Machine, installed: str
) -> None:
    machine.output("systemctl", "restart", "mosquitto.service")
    tablet = ("-h", "127.0.0.1", "-u", "tablet", "-P", machine.read("/etc/scannerd/tablet.password"))
    message = ("mosquitto_pub", "-h", "127.0.0.1", "-t", "scannerd/x", "-m", "1")
    anonymous = machine.run(*message)
    guessed = machine.run(*message, "-u", "tablet", "-P", "tablet")
    for refused in (anonymous, guessed):
        assert refused.returncode != 0
        assert "not authorised" in refused.stderr.lower()
    for topic, arrives in (("scannerd/x", True), ("homeassistant/x", True), ("heating/x", False)):
        machine.run("mosquitto_pub", *tablet, "-q", "1", "--retain", "-t", topic, "-m", "hello")
        got = machine.run("mosquitto_sub", *tablet, "-C", "1", "-W", "1", "-t", topic).stdout
        assert (got == "hello\n") is arrives, topic
        machine.run("mosquitto_pub", *tablet, "-q", "1", "--retain", "-t", topic, "-n")


def test_the_service_runs_and_the_upload_follows_the_settings(machine: Machine, installed: str) -> None:
    machine.output("systemctl", "start", "offload.target", "scannerd-sync.path", "scannerd-sync.service")
    for unit in ("offload-api.service", "offload-worker@1.service", "scannerd-sync.service"):
        machine.until(f"{unit} runs", lambda unit=unit: machine.shows(unit, "SubState") == "running", 30)
    machine.until("it carries", lambda: "offload sync" in sync_command_line(machine), 20)
    with_service = machine.read(CONFIG)
    machine.write(CONFIG, re.sub(r'^url = ".*"$', 'url = ""', with_service, flags=re.MULTILINE))
    machine.until("it ends", lambda: machine.shows("scannerd-sync.service", "ActiveState") == "inactive", 20)
    assert machine.shows("scannerd-sync.service", "Result") == "success"
    assert "scans stay on this device" in machine.output("journalctl", "-u", "scannerd-sync.service")
    machine.write(CONFIG, with_service.replace("[offload]", "[offlode]"))
    machine.until("it is told", lambda: "offlode" in machine.output("journalctl", "-u", "scannerd-sync-anew"), 20)
    machine.until("it has judged", lambda: machine.shows("scannerd-sync-anew.service", "SubState") == "dead", 20)
    machine.write(CONFIG, with_service)
    machine.until("it runs again", lambda: machine.shows("scannerd-sync.service", "SubState") == "running", 20)


def sync_command_line(machine: Machine) -> str:
    pid = machine.shows("scannerd-sync.service", "MainPID")
    return machine.run("sh", "-c", rf"tr '\0' ' ' </proc/{pid}/cmdline").stdout


def test_uninstall_leaves_the_scans_and_says_where(machine: Machine, installed: str) -> None:
    machine.shell("install -d -o scannerd /var/lib/scannerd/scans/cup && touch /var/lib/scannerd/scans/cup/plan.json")
    said = machine.output(f"{PROJECT}/scripts/uninstall")
    assert re.search(r"kept: /var/lib/scannerd \(.*, owned by scannerd\)", said)
    assert machine.run("test", "-e", "/opt/scannerd").returncode == 1
    assert machine.read("/var/lib/scannerd/scans/cup/plan.json") == ""
    assert machine.run("systemctl", "cat", "scannerd.service").returncode != 0
    left = machine.shell(
        "ls -d /etc/systemd/system/*scannerd* /etc/systemd/system/*offload* /etc/udev/rules.d/* || true"
    )
    assert left == ""
    assert machine.output("systemctl", "is-active", "mosquitto.service") == "active"
    machine.read(CONFIG)
    machine.output(f"{PROJECT}/scripts/uninstall", "--purge-settings")
    assert machine.run("test", "-e", "/etc/scannerd").returncode == 1
    assert machine.run("test", "-e", "/var/lib/scannerd/scans/cup/plan.json").returncode == 0
