"""The service's units: one worker a slot, all its processes with it, and enough time to end."""

import shutil
import subprocess

import pytest
from manifests import DEPLOY, REPOSITORY, UNITS, unit_settings

from offload.worker.pipeline import SHUTDOWN_S

API, WORKER = "offload-api.service", "offload-worker@.service"


@pytest.mark.parametrize("name", [API, WORKER])
def test_a_units_processes_end_with_it_and_in_their_own_time(name):
    unit = unit_settings(name)
    assert unit["KillMode"] == ["control-group"]
    assert float(unit["TimeoutStopSec"][0]) > SHUTDOWN_S + 5.0
    assert unit["Restart"] == ["on-failure"]
    assert unit["StartLimitIntervalSec"] == ["0"], "it never gives up"


def test_an_engine_without_memory_does_not_stop_its_worker():
    assert unit_settings(WORKER)["OOMPolicy"] == ["continue"]


def test_a_machine_starts_what_is_enabled_on_it_and_nothing_else():
    """Else a machine that only helps with slot 2 would have an API and a second slot 1."""
    assert "Wants" not in unit_settings("offload.target")
    assert unit_settings(API)["WantedBy"] == unit_settings(WORKER)["WantedBy"] == ["offload.target"]


@pytest.mark.parametrize(
    ("options", "units"),
    [
        ("--only-service", "offload.target offload-api.service offload-worker@1.service"),
        ("--workers 2,3", "offload.target offload-worker@2.service offload-worker@3.service"),
    ],
)
def test_an_installation_has_its_slots_and_no_others(options, units):
    functions = (REPOSITORY / "scripts" / "install").read_text().removesuffix("main\n")
    script = f"{functions}\nunits_of"
    command = ["bash", "-c", script, str(REPOSITORY / "scripts" / "install"), *options.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == units.split(), done.stderr


def test_the_slot_is_the_instances_name():
    assert unit_settings(WORKER)["ExecStart"][0].endswith(" --slot %i")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="NO SYSTEMD HERE: apt install systemd")
def test_systemd_takes_the_drop_in_for_workers_with_a_network(tmp_path):
    program = tmp_path / "offload"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name in (API, WORKER):
        (tmp_path / name).write_text((UNITS / name).read_text().replace("/opt/scannerd/bin/offload", str(program)))
    (tmp_path / "offload.target").write_text((UNITS / "offload.target").read_text())
    drop_in = tmp_path / f"{WORKER}.d" / "network.conf"
    drop_in.parent.mkdir()
    shutil.copy(DEPLOY / "systemd" / "offload-worker-network.conf", drop_in)
    (tmp_path / "offload-worker@1.service").symlink_to(tmp_path / WORKER)

    def verify():
        command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "offload-worker@1.service")]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    done = verify()
    assert (done.returncode, done.stderr) == (0, "")
    drop_in.write_text(drop_in.read_text() + "PrivatNetwork=no\n")
    assert "PrivatNetwork" in verify().stderr, "the drop-in was not read"
