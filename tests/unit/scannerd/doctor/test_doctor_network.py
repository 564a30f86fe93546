"""The doctor asks what is on the network: a real broker, a real service, a real daemon; each dead, shut or well."""

import asyncio
import dataclasses
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mosquitto_broker import Broker
from rest_on_bench import serving

from drivers.bench.install import Bench
from scannerd.config import Config, MqttSection, OffloadSection
from scannerd.doctor.checks import broker as broker_check
from scannerd.doctor.checks import camera, daemon, pins
from scannerd.doctor.checks import service as service_check
from scannerd.doctor.finding import Finding, Verdict
from scannerd.doctor.patient import Machine, Patient, running_daemon
from scannerd.settings.file import parse_config
from scannerd.settings.text import toml_value

KEY = "k" * 43


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.kill()


def with_mqtt(broker: Broker, **changes: object) -> Patient:
    lines = [f"{name} = {toml_value(value)}" for name, value in broker.settings(**changes).items()]
    return Patient(parse_config("\n".join(["[mqtt]", *lines])))


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_a_broker_that_lets_the_scanner_in(mosquitto: Broker) -> None:
    row = only(broker_check.look(with_mqtt(mosquitto)))
    assert row.verdict is Verdict.WELL, row
    assert "scannerd-doctor" in mosquitto.log(), "under a name of its own: a daemon stays connected"


def test_a_wrong_password_and_a_file_that_others_may_read(mosquitto: Broker, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not it\n")
    wrong.chmod(0o600)
    row = only(broker_check.look(with_mqtt(mosquitto, password_file=str(wrong))))
    assert (row.verdict, row.todo) == (Verdict.ACT, "check [mqtt] username and password_file")
    wrong.chmod(0o644)
    row = only(broker_check.look(with_mqtt(mosquitto, password_file=str(wrong))))
    assert row.verdict is Verdict.ACT
    assert "chmod 600" in row.seen + row.todo


def test_a_dead_broker(mosquitto: Broker) -> None:
    mosquitto.kill()
    row = only(broker_check.look(with_mqtt(mosquitto)))
    assert row.verdict is Verdict.ACT
    assert "mosquitto" in row.todo


def test_no_broker_wanted() -> None:
    assert only(broker_check.look(Patient(Config(mqtt=MqttSection())))).verdict is Verdict.NOT_CHECKED


@pytest.fixture
def service_url(tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "offload.service", "--port", "0", "--data", str(tmp_path / "data")]
    environment = {**os.environ, "OFFLOAD_API_KEY": KEY}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as service:
        assert service.stdout is not None
        line = next(line for line in service.stdout if "listening on " in line)
        yield line.split("listening on ")[1].strip()
        service.send_signal(signal.SIGTERM)
        service.stdout.read()


def with_service(url: str | None, key: str, folder: Path) -> Patient:
    file = folder / "offload.key"
    file.write_text(key)
    file.chmod(0o600)
    return Patient(Config(offload=OffloadSection(url=url, key_file=file)))


def test_the_service_is_reached_and_takes_its_key_and_no_other(service_url: str, tmp_path: Path) -> None:
    assert only(service_check.look(with_service(service_url, KEY, tmp_path))).verdict is Verdict.WELL
    other = only(service_check.look(with_service(service_url, "x" * 43, tmp_path)))
    assert (other.verdict, other.seen) == (Verdict.ACT, f"{service_url} refuses the key")
    short = only(service_check.look(with_service(service_url, "x", tmp_path)))
    assert short.verdict is Verdict.ACT


def test_a_service_that_nobody_runs_and_what_is_no_address(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    dead = only(service_check.look(with_service(f"http://127.0.0.1:{port}", KEY, tmp_path)))
    assert dead.verdict is Verdict.ACT
    assert only(service_check.look(with_service("ftp://there", KEY, tmp_path))).seen == "ftp://there is no address"
    assert only(service_check.look(with_service(None, KEY, tmp_path))).verdict is Verdict.NOT_CHECKED


async def test_a_daemon_that_runs_keeps_its_camera_and_shows_the_mat(bench: Bench, tmp_path: Path) -> None:
    async with serving(bench, tmp_path / "store", tmp_path / "web.sock")() as served:
        config = served.daemon.config
        running = await asyncio.to_thread(running_daemon, config)
        assert running is not None
        assert running.process == os.getpid()
        machine = Machine(dev=tmp_path, simulated=True)
        patient = Patient(config, running=running, machine=machine)
        rows = await asyncio.to_thread(lambda: [*daemon.look(patient), *camera.look(patient), *pins.look(patient)])
        found = {row.check: row for row in rows}
        assert found["daemon"].verdict is Verdict.WELL
        assert "as the daemon says" in found["camera"].seen
        assert found["mat seen"].seen == "36 of 36 corners"
        silent = dataclasses.replace(patient, running=dataclasses.replace(running, state=None, device=None))
        assert only(daemon.look(silent)).verdict is Verdict.ACT
    assert await asyncio.to_thread(running_daemon, config) is None
