"""The manifests' own command lines and settings at work: storage, database, preparation, API and a worker.

No container is started: the same programs run side by side, with free ports in place of the manifests' own.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from manifests import (
    REPOSITORY,
    compose,
    kind_of,
    last_instruction,
    one,
    pod_containers,
)
from seaweed_server import free_ports, weed

pytestmark = pytest.mark.slow

SERVICES = compose()["services"]
PATIENCE_S = 120.0
KEY = {"X-API-Key": "only-for-this-test-0123456789"}
STORAGE_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
)
S3_PORTS = ("s3.port", "s3.port.grpc")


@contextmanager
def running(command, environment, log):
    """Start a program, and end it as its supervisor would."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd=log.parent
        )
    try:
        yield process
        if process.poll() is None and not is_storage(command):
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_S) in (0, -signal.SIGTERM), log.read_text(errors="replace")[-3000:]
    finally:
        process.kill()
        process.wait()


def is_storage(command):
    """It takes ten seconds and more to say good-bye, and nothing here depends on that."""
    return command[0] == weed()


def until(condition, process, log):
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        alive = process.poll() is None and time.monotonic() < deadline_s
        assert alive, log.read_text(errors="replace")[-3000:]
        time.sleep(0.05)


def answers(url):
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.TransportError:
        return False


class Deployed:
    """What compose.yml would start, on this machine's loopback."""

    def __init__(self, folder, database_url):
        self.folder, self._stack = folder, ExitStack()
        numbers = free_ports(len(STORAGE_PORTS) + len(S3_PORTS) + 1)
        self.ports = dict(zip((*STORAGE_PORTS, *S3_PORTS, "api"), numbers, strict=True))
        secrets = {"OFFLOAD_DATABASE_URL": database_url, "OFFLOAD_API_KEY": KEY["X-API-Key"]}
        secrets |= {"AWS_ACCESS_KEY_ID": "offload", "AWS_SECRET_ACCESS_KEY": "only-for-this-test"}
        self._secrets = secrets

    def environment(self, name):
        given = SERVICES[name]["environment"]
        filled = {
            key: re.sub(r"\$\{(\w+):\?[^}]*\}", lambda m: self._secrets[m[1]], text) for key, text in given.items()
        }
        if "OFFLOAD_STORAGE_URL" in filled:
            s3 = f"http://127.0.0.1:{self.ports['s3.port']}"
            filled["OFFLOAD_STORAGE_URL"] = filled["OFFLOAD_STORAGE_URL"].replace("http://storage:8333", s3)
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        return kept | filled | {"PYTHONPATH": str(REPOSITORY), "NUMBA_CACHE_DIR": str(self.folder / "kernels")}

    def command(self, name):
        here = [
            argument.replace("/var/lib/offload", str(self.folder / name)) for argument in SERVICES[name]["command"]
        ]
        here = [
            argument.replace("=0.0.0.0", "=127.0.0.1").replace("=8750", f"={self.ports['api']}") for argument in here
        ]
        return [sys.executable, "-m", "offload", *here]

    def start(self, name, command):
        log = self.folder / f"{name}.log"
        return self._stack.enter_context(running(command, self.environment(name), log)), log

    def start_storage(self):
        (self.folder / "data").mkdir()
        ports = [f"-{name}={self.ports[name]}" for name in (*STORAGE_PORTS, *S3_PORTS)]
        given = [
            argument.replace("=/data", f"={self.folder / 'data'}") for argument in SERVICES["storage"]["command"]
        ]
        return self.start("storage", [weed(), *given, *ports, "-master.electionTimeout=1s"])

    def url(self, path, port="api"):
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def close(self):
        self._stack.close()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory, postgresql_server):
    """Storage and `prepare` begin at the same instant: one waits for the other, as in a cluster that starts."""
    made = Deployed(tmp_path_factory.mktemp("deployed"), postgresql_server.make_database())
    try:
        prepare, log = made.start("prepare", made.command("prepare"))
        made.start_storage()
        assert prepare.wait(timeout=PATIENCE_S) == 0, log.read_text()
        started = {name: made.start(name, made.command(name)) for name in ("api", "worker-1")}
        process, log = started["api"]
        until(lambda: answers(made.url("/health")), process, log)
        process, log = started["worker-1"]
        until(lambda: b"working in slot 1" in log.read_bytes(), process, log)
        yield made
    finally:
        made.close()


def probes(workload):
    for container in pod_containers(workload):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            if "httpGet" in container.get(kind, {}):
                yield container[kind]["httpGet"]["path"]


def test_every_probe_of_the_api_is_answered(deployed):
    asked = set(probes(one("Deployment", "offload-api")))
    assert len(asked) == 2
    for path in asked:
        assert httpx.get(deployed.url(path)).status_code == 200


def test_every_probe_of_the_storage_is_answered(deployed):
    asked = {
        *probes(one("StatefulSet", "storage")),
        re.search(r":8333(/\S+)", " ".join(SERVICES["storage"]["healthcheck"]["test"]))[1],
    }
    for path in asked:
        assert httpx.get(deployed.url(path, "s3.port")).status_code == 200


def test_the_images_health_check_tells_life_from_death(deployed):
    program, *arguments = json.loads(last_instruction("HEALTHCHECK").partition("CMD ")[2])
    assert program == "python"
    (unused,) = free_ports(1)
    for port, status in ((deployed.ports["api"], 0), (unused, 1)):
        asked = [argument.replace(":8750", f":{port}") for argument in arguments]
        assert subprocess.run([sys.executable, *asked], stderr=subprocess.DEVNULL, timeout=60).returncode == status


def test_the_api_wants_its_key(deployed):
    assert httpx.get(deployed.url("/api/v1/jobs")).status_code == 401
    assert httpx.get(deployed.url("/api/v1/jobs"), headers=KEY).json() == []


def test_the_storage_wants_its_key_and_shows_others_nothing_else(deployed):
    assert httpx.get(deployed.url("/scans", "s3.port")).status_code == 403
    for name in STORAGE_PORTS:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", deployed.ports[name]), timeout=10)
    socket.create_connection(("127.0.0.2", deployed.ports["s3.port"]), timeout=10).close()


def test_a_second_start_finds_everything_as_it_is(deployed):
    done = subprocess.run(
        deployed.command("prepare"),
        env=deployed.environment("prepare"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr


def test_the_autoscalers_figure_is_one_that_the_service_shows(deployed):
    (scaler,) = kind_of("HorizontalPodAutoscaler")
    (metric,) = scaler["spec"]["metrics"]
    shown = httpx.get(deployed.url("/metrics"), headers=KEY)
    assert re.search(rf"^{metric['external']['metric']['name']}[ {{]", shown.text, re.MULTILINE)
