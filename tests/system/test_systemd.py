"""The whole system on a Debian 12 with a real systemd: installed by the script, run by the units, removed.

One machine for all steps, in the order of this file. The first run makes its root, which takes a minute more.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from debian_root import REPOSITORY, debian_root, project_wheel, wheels
from machine import Machine, booted, refusal, why_not
from scanner_inside import (
    ASK_STATE,
    CONFIG,
    HAND,
    LAST_TRUTH,
    SCANS,
    SOCKET,
    as_tablet,
    commanded,
    daemon_said,
    hand,
    overheard,
    photos,
    progress,
    restarts,
    scans,
    set_keys,
    status_text,
)

pytestmark = [
    pytest.mark.system,
    pytest.mark.slow,
    pytest.mark.skipif(why_not() is not None, reason=f"THE SYSTEM TEST DOES NOT RUN HERE: {why_not()}"),
]

PROJECT, WHEELS = "/srv/project", "/srv/wheels"
INSTALL = (f"{PROJECT}/scripts/install", "--wheels", WHEELS, "--with-service", "--with-bench")
INSTALL_LIMIT_S = 240
DEVICE_UNITS = ("scannerd.target", "scannerd.service", "scannerd-sync.service", "scannerd-sync.path")
SERVICE_UNITS = ("offload.target", "offload-api.service", "offload-worker@1.service")

VIEWS = 8
SCAN_LIMIT_S = 400
"""The renderer shares the machine with whatever else runs there, and takes what is left."""
WATCHDOG_S = 8
QUICK = {
    "views": str(VIEWS), "width_px": "800", "height_px": "600", "voxel_mm": "2.0", "resume_on_start": "true",
    "ask_a_person": "false",
}  # fmt: skip
"""A small scan that nobody stands beside."""
DROP_INS = "/etc/systemd/system/scannerd.service.d"
ON_THE_BENCH = f"""[Service]
# The bench's pins end with its daemon; `scannerd park` would find none.
ExecStopPost=
ExecStart=
ExecStart=/opt/scannerd/bin/scannerd bench --config {CONFIG} --hand {HAND}
# The bench starts processes of its own by setpriv.
SystemCallFilter=capset
WatchdogSec={WATCHDOG_S}
"""


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
    assert f"scannerd {machine.output('scannerd', 'version')} is installed" in installed
    assert machine.output("id", "-Gn", "scannerd").split() == ["scannerd", "dialout", "video", "gpio", "spi"]
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
    machine.output("scannerd", "check-config", CONFIG)
    # The bench's stand-in for libcamera is never where the daemon on a device would find it.
    assert "No module named 'libcamera'" in machine.run("/opt/scannerd/bin/python", "-c", "import libcamera").stderr


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
    message = ("mosquitto_pub", "-h", "127.0.0.1", "-t", "scannerd/x/command", "-m", "1")
    anonymous = machine.run(*message)
    guessed = machine.run(*message, "-u", "tablet", "-P", "tablet")
    for refused in (anonymous, guessed):
        assert refused.returncode != 0
        assert "not authorised" in refused.stderr.lower()
    may = ("scannerd/x/command", "scannerd/x/press", "scannerd/x/option/views", "homeassistant/status")
    may_not = ("scannerd/x/state", "scannerd/x/availability", "homeassistant/button/x/config", "heating/command")
    for topic in (*may, *may_not):
        machine.run("mosquitto_pub", *as_tablet(machine), "-q", "1", "--retain", "-t", topic, "-m", "hello")
        heard = machine.run("mosquitto_sub", *as_tablet(machine), "-C", "1", "-W", "1", "-t", topic).stdout
        machine.run("mosquitto_pub", *as_tablet(machine), "-q", "1", "--retain", "-t", topic, "-n")
        assert (heard == "hello\n") is (topic in may), topic


def test_the_service_runs_and_the_upload_follows_the_settings(machine: Machine, installed: str) -> None:
    machine.output("systemctl", "start", "offload.target", "scannerd-sync.path", "scannerd-sync.service")
    for unit in ("offload-api.service", "offload-worker@1.service", "scannerd-sync.service"):
        machine.until(f"{unit} runs", lambda unit=unit: machine.shows(unit, "SubState") == "running", 90)
    machine.until("it carries", lambda: "offload sync" in sync_command_line(machine), 90)
    with_service = machine.read(CONFIG)
    machine.write(CONFIG, re.sub(r'^url = ".*"$', 'url = ""', with_service, flags=re.MULTILINE))
    # It is inactive for a moment between its end and its new beginning, too.
    said = "scans stay on this device"
    machine.until("it says why", lambda: said in machine.output("journalctl", "-u", "scannerd-sync.service"), 90)
    machine.until("it ends", lambda: machine.shows("scannerd-sync.service", "ActiveState") == "inactive", 90)
    assert machine.shows("scannerd-sync.service", "Result") == "success"
    machine.write(CONFIG, with_service.replace("[offload]", "[offlode]"))
    machine.until("it is told", lambda: "offlode" in machine.output("journalctl", "-u", "scannerd-sync-anew"), 90)
    machine.until("it has judged", lambda: machine.shows("scannerd-sync-anew.service", "SubState") == "dead", 90)
    machine.write(CONFIG, with_service)
    machine.until("it runs again", lambda: machine.shows("scannerd-sync.service", "SubState") == "running", 90)


def sync_command_line(machine: Machine) -> str:
    pid = machine.shows("scannerd-sync.service", "MainPID")
    return machine.run("sh", "-c", rf"tr '\0' ' ' </proc/{pid}/cmdline").stdout


def test_the_daemon_starts_on_the_bench_and_says_what_it_does(machine: Machine, installed: str) -> None:
    machine.write(f"{DROP_INS}/bench.conf", ON_THE_BENCH)
    machine.output("systemctl", "daemon-reload")
    set_keys(machine, **QUICK)
    began_s = time.monotonic()
    machine.output("systemctl", "start", "scannerd.service", limit_s=100)
    print(
        f"ready after {time.monotonic() - began_s:.1f} s, the scene's building and a photo of the empty table with it"
    )
    assert machine.shows("scannerd.service", "ActiveState") == "active"
    assert status_text(machine) == "idle"


def test_the_devices_own_users_need_no_token_and_others_do_not_get_near(machine: Machine, installed: str) -> None:
    machine.output("useradd", "--groups", "scannerd", "worker")
    machine.output("useradd", "visitor")
    ask = 'cd / && exec setpriv --reuid {0} --regid {0} --init-groups python3 -c "$1" {1}'
    of_its_own, other = (
        machine.run("sh", "-c", ask.format(user, SOCKET), "sh", ASK_STATE) for user in ("worker", "visitor")
    )
    assert json.loads(of_its_own.stdout)["mood"] == "idle", of_its_own.stderr
    assert "PermissionError" in other.stderr


def test_a_press_becomes_a_scan_that_broker_and_journal_tell(machine: Machine, installed: str) -> None:
    with overheard(machine, "scannerd/#") as heard:
        hand(machine, "press")
        machine.until("it scans", lambda: re.match(r"scan \S+: \d of 8 photos", status_text(machine)), 90)
        machine.until("it is sealed", lambda: scans(machine)["sealed"], SCAN_LIMIT_S)
        scan = scans(machine)["sealed"][0]
        machine.until("the broker knows", lambda: progress(heard(), scan)[-1:] == [("sealed", VIEWS)], 90)
        done = [frames_done for _, frames_done in progress(heard(), scan)]
        assert done == sorted(done)
        # A busy device tells two photos at once: each message says how far the scan is, none is about one photo.
        assert {VIEWS} < set(done), "told while it scans"
        assert "offline" not in {words for topic, words in heard() if topic.endswith("/availability")}

    told = machine.output("journalctl", "--output=json", f"SCAN={scan}")
    lines = [json.loads(line) for line in told.splitlines()]
    by_daemon = [line for line in lines if line["SYSLOG_IDENTIFIER"] == "scannerd"]
    # On a busy machine a platter may still swing under a photo: it is taken again, after the one that was in hand.
    stored = [int(line["FRAME"]) for line in by_daemon if line["MESSAGE"].startswith("photo ")]
    assert sorted(stored) == list(range(VIEWS)), "each photo once"
    assert by_daemon[-1]["MESSAGE"] == f"completed with {VIEWS} of {VIEWS} photos"
    one_photo = machine.output("journalctl", "--output=cat", f"SCAN={scan}", "FRAME=3")
    assert re.search(r"photo \d of 8 at 135\.00°", one_photo)


def test_a_killed_daemon_and_a_hanging_one_come_back_and_finish_the_scan(machine: Machine, installed: str) -> None:
    hand(machine, "press")
    machine.until("two photos are taken", lambda: photos(machine) >= 2, SCAN_LIMIT_S)
    machine.output("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "scannerd.service")
    machine.until("systemd has noticed", lambda: restarts(machine) == 1, 90)
    machine.until("the scan goes on", lambda: photos(machine) >= 4, SCAN_LIMIT_S)

    machine.output("kill", "-STOP", machine.shows("scannerd.service", "MainPID"))
    took_s = machine.until("the watchdog bites", lambda: restarts(machine) == 2, WATCHDOG_S + 60)
    print(
        f"a stopped daemon was found dead and started again after {took_s:.1f} s, with a watchdog of {WATCHDOG_S} s"
    )
    told = machine.output("journalctl", "--unit=scannerd.service", "--output=cat")
    assert "Failed with result 'watchdog'" in told
    machine.until("the scan is complete", lambda: len(scans(machine)["sealed"]) == 2, SCAN_LIMIT_S)
    journal = machine.read(f"{SCANS}/{scans(machine)['sealed'][1]}/journal.jsonl")
    frames = [line["frame"]["index"] for line in map(json.loads, journal.splitlines()) if line["type"] == "frame"]
    assert sorted(frames) == list(range(VIEWS)), "each photo once: what was taken is not taken again"


def test_the_model_comes_back_from_the_service(machine: Machine, installed: str) -> None:
    first = scans(machine)["sealed"][0]
    results = f"{SCANS}/{first}/results"
    machine.until(
        "the model is there", lambda: machine.run("test", "-e", f"{results}/model.glb").returncode == 0, SCAN_LIMIT_S
    )
    report = json.loads(machine.read(f"{results}/report.json"))
    assert report["photos_used"] == VIEWS
    told = machine.output("journalctl", "--output=json", f"SCAN={first}")
    who = {json.loads(line)["SYSLOG_IDENTIFIER"] for line in told.splitlines()}
    assert who == {"scannerd", "offload-sync", "offload-api", "offload-worker"}


def test_reload_takes_good_settings_and_refuses_bad_ones_by_name(machine: Machine, installed: str) -> None:
    pid = machine.shows("scannerd.service", "MainPID")
    set_keys(machine, views="7")
    machine.output("systemctl", "reload", "scannerd.service")
    machine.until("it is told", lambda: "new settings: [scan] views" in daemon_said(machine), 90)
    set_keys(machine, views="2")
    bad = machine.run("systemctl", "reload", "scannerd.service")
    assert bad.returncode != 0
    assert "[scan] views = 2: use a whole number, 3 to 720" in daemon_said(machine)
    assert machine.shows("scannerd.service", "MainPID") == pid
    assert machine.shows("scannerd.service", "ActiveState") == "active"
    set_keys(machine, views="7")
    assert commanded(machine, command="start", command_id="tablet-1")["status"] == "accepted"
    machine.until("the good ones count", lambda: re.match(r"scan \S+: \d of 7 photos", status_text(machine)), 90)
    set_keys(machine, exposure_us="15000")
    busy = machine.run("systemctl", "reload", "scannerd.service")
    assert busy.returncode != 0, "a running scan keeps its camera"
    assert "[camera] exposure_us" in daemon_said(machine)
    set_keys(machine, exposure_us="20000")


def test_stop_in_the_middle_of_a_scan_parks_the_motor_and_leaves_a_whole_journal(
    machine: Machine, installed: str
) -> None:
    machine.until("a photo is taken", lambda: photos(machine) >= 1, SCAN_LIMIT_S)
    watching = machine.start("/usr/bin/python3", "-c", LAST_TRUTH, HAND)
    began_s = time.monotonic()
    machine.output("systemctl", "stop", "scannerd.service")
    took_s = time.monotonic() - began_s
    truth = json.loads(watching.communicate(timeout=60)[0])
    print(f"stopped in the middle of a scan in {took_s:.1f} s")
    assert truth["motor_enabled"] is False
    # Its own limit of 5 s held: systemd would have killed it after 8. On too busy a machine it leaves by force,
    # and says so; parked and whole it is all the same.
    assert machine.shows("scannerd.service", "Result") == "success" or "ended by force" in daemon_said(machine)
    scan = scans(machine)["unfinished"][0]
    journal = machine.read(f"{SCANS}/{scan}/journal.jsonl")
    lines = [json.loads(line) for line in journal.splitlines()]
    assert [line["seq"] for line in lines] == list(range(len(lines)))


def test_a_daemon_that_cannot_start_is_tried_again_for_ever(machine: Machine, installed: str) -> None:
    set_keys(machine, views=str(VIEWS))
    broken = f"{DROP_INS}/broken.conf"
    machine.write(broken, "[Service]\nExecStart=\nExecStart=/bin/false\nRestartSec=100ms\n")
    machine.write("/etc/systemd/system/scannerd-again.timer.d/soon.conf", "[Timer]\nOnActiveSec=\nOnActiveSec=15\n")
    machine.output("systemctl", "daemon-reload")
    # A stop that had to be forced wound it up, too.
    machine.output("systemctl", "stop", "scannerd-again.timer")
    assert machine.run("systemctl", "start", "scannerd.service").returncode != 0
    machine.until("it has failed", lambda: machine.shows("scannerd.service", "ActiveState") == "failed", 90)
    assert machine.shows("scannerd-again.timer", "ActiveState") == "active"
    machine.output("rm", broken)
    machine.output("systemctl", "daemon-reload")
    machine.until("it is up by itself", lambda: machine.shows("scannerd.service", "ActiveState") == "active", 120)
    machine.until("it has taken up the scan", lambda: len(scans(machine)["sealed"]) == 3, SCAN_LIMIT_S)


def test_uninstall_leaves_the_scans_and_says_where(machine: Machine, installed: str) -> None:
    machine.shell("install -d -o scannerd /var/lib/scannerd/scans/cup && touch /var/lib/scannerd/scans/cup/plan.json")
    said = machine.output(f"{PROJECT}/scripts/uninstall")
    assert re.search(r"kept: /var/lib/scannerd \(.*, owned by scannerd\)", said)
    assert machine.shell("ls -d /opt/scannerd /usr/local/bin/* 2>/dev/null || true") == ""
    assert machine.read("/var/lib/scannerd/scans/cup/plan.json") == ""
    assert machine.run("systemctl", "cat", "scannerd.service").returncode != 0
    assert machine.output("systemctl", "is-active", "mosquitto.service") == "active"
    machine.read(CONFIG)
    machine.output(f"{PROJECT}/scripts/uninstall", "--purge-settings")
    assert machine.run("test", "-e", "/etc/scannerd").returncode == 1
    assert machine.shell("ls -d /etc/systemd/system/*scannerd* /etc/systemd/system/*offload* || true") == ""
    assert machine.shell("ls /etc/udev/rules.d /etc/mosquitto | grep scanner || true") == ""
    assert machine.run("test", "-e", "/var/lib/scannerd/scans/cup/plan.json").returncode == 0
