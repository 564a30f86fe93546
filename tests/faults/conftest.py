"""Real processes on loopback and ephemeral ports, and small bundles of real JPEGs."""

import hashlib
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image

from offload.durable import replace_file
from offload.sync.state import read_state
from offload.wire.bundle import CameraModel, FrameEntry, Manifest, StoredFile
from offload.wire.jobs import SyncState

ROOT = Path(__file__).parents[2]
ENGINE = Path(__file__).with_name("standin_engine.py")
START_LIMIT_S = 60.0
WIDTH_PX, HEIGHT_PX = 64, 48
Result = TypeVar("Result")


def wait_for(condition: Callable[[], Result], what: str, limit_s: float = 90.0) -> Result:
    """Return the condition's first true value; fail with `what` once the limit has passed."""
    deadline_s = time.monotonic() + limit_s
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline_s:
            pytest.fail(f"{what}: not within {limit_s} s")
        time.sleep(0.02)


@dataclass
class Program:
    """One of the three processes, started from the checkout."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    output: list[str] = field(default_factory=list)
    _reader: threading.Thread | None = None

    def start(self) -> subprocess.Popen[str]:
        """Start it; a thread takes its output at once, since a full pipe would stop it."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OFFLOAD_")}
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            cwd=ROOT,
            env=clean | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = []
        self._reader = threading.Thread(target=self._take_output, args=(self.process.stdout, self.output))
        self._reader.start()
        return self.process

    @staticmethod
    def _take_output(stream: IO[str], output: list[str]) -> None:
        with stream:
            output.extend(stream)

    def read_line(self, beginning: str) -> str:
        """Return the first line of output that begins so."""

        def said() -> str | None:
            assert self.process is not None
            is_over = self.process.poll() is not None
            found = next((line for line in self.output if line.startswith(beginning)), None)
            assert found or not is_over, f"{self.command} ended without {beginning!r}:\n{''.join(self.output)}"
            return found

        return str(wait_for(said, f"{self.command} to say {beginning!r}", START_LIMIT_S)).strip()

    def finish(self, limit_s: float = 60.0) -> tuple[int, str]:
        """Wait for it to end by itself and return its exit status and output."""
        assert self.process is not None
        self.process.wait(timeout=limit_s)
        return self.end(), "".join(self.output)

    def end(self, number: int = signal.SIGKILL) -> int:
        """Send the signal and return the exit status."""
        if self.process is None or self._reader is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=60)
        self._reader.join()
        self.process = None
        return status


class Service(Program):
    """`offload serve`; a restart takes the port it had."""

    def __init__(self, data: Path, key: str | None = None, environment: dict[str, str] | None = None) -> None:
        super().__init__([], ({"OFFLOAD_API_KEY": key} if key else {}) | (environment or {}))
        self.data, self.port = data, 0
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> "Service":
        self.command = ["-m", "offload.service", "--port", str(self.port), "--data", str(self.data)]
        self.start()
        self.port = int(self.read_line("listening on ").rsplit(":", 1)[1])
        return self

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=self.headers, timeout=60)


class Worker(Program):
    """`offload work` with the stand-in engine."""

    def __init__(
        self,
        folder: Path,
        data: Path,
        mode: str = "ok",
        held: bool = False,
        environment: dict[str, str] | None = None,
    ) -> None:
        super().__init__([], environment or {})
        self.folder, self.data, self.mode, self.held = folder, data, mode, held

    @property
    def trace(self) -> list[list[str]]:
        path = self.folder / "trace"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def pids(self, what: str) -> list[int]:
        return [int(pid) for word, pid in self.trace if word == what]

    def release(self) -> None:
        (self.folder / "release").touch()

    def up(self) -> "Worker":
        engine = [sys.executable, str(ENGINE), "--trace", str(self.folder / "trace"), "--mode", self.mode]
        engine += ["--release", str(self.folder / "release")] if self.held else []
        self.command = ["-m", "offload.worker", "--slot", "1", "--data", str(self.data)]
        self.command += ["--engine-command", shlex.join(engine)]
        self.start()
        self.read_line("working in slot ")
        return self


@pytest.fixture
def make_worker(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    made: list[Worker] = []

    def make(of: Service, mode: str = "ok", held: bool = False) -> Worker:
        made.append(Worker(tmp_path, of.data, mode, held, of.environment))
        return made[-1].up()

    yield make
    for worker in made:
        worker.end()


class BreakingNetwork(Program):
    """WiFi between a service and its clients: it resets connections, or is a link by name."""

    def __init__(self, service: Service, mean_bytes: float, seed: int, link: str = "wire") -> None:
        super().__init__([])
        self.command = ["-m", "drivers.bench.radio_link", "--to", str(service.port), "--link", link]
        self.command += ["--cut-bytes", str(mean_bytes), "--seed", str(seed)]
        self.start()
        self.url = f"http://127.0.0.1:{self.read_line('port ').split()[1]}"

    def stop(self) -> dict[str, int]:
        """End it and return its cuts and the bytes that clients sent."""
        assert self.process is not None
        self.process.terminate()
        counts: dict[str, int] = json.loads(self.read_line("{"))
        self.end()
        return counts


class Scan:
    """A scan's folder as the daemon writes it: the image first, then its journal line, the seal at the end."""

    def __init__(self, scans: Path, scan_id: str) -> None:
        self.folder = scans / scan_id
        (self.folder / "frames").mkdir(parents=True)
        self.photos: dict[int, bytes] = {}

    def take(self, index: int, content: bytes) -> None:
        self.write(index, content)
        self.journal(index, content)

    def write(self, index: int, content: bytes) -> None:
        (self.folder / "frames" / f"{index:04d}.jpg").write_bytes(content)

    def journal(self, index: int, content: bytes) -> None:
        self.photos[index] = content
        line = {"seq": 0, "type": "frame", "frame": frame_entry(index, content).model_dump(mode="json")}
        with (self.folder / "journal.jsonl").open("a") as stream:
            stream.write(json.dumps(line) + "\n")

    def seal(self, **changes: object) -> None:
        photos = [self.photos[index] for index in sorted(self.photos)]
        manifest = manifest_of(photos, self.folder.name, **changes)
        replace_file(self.folder / "manifest.json", manifest.model_dump_json().encode())

    @property
    def state(self) -> SyncState | None:
        return read_state(self.folder)


@pytest.fixture
def make_sync(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    made: list[Program] = []

    def make(url: str, *options: str, key: str | None = None) -> Program:
        command = ["-m", "offload.sync", "--scans", str(tmp_path / "scans"), "--url", url, *options]
        made.append(Program(command, {"OFFLOAD_API_KEY": key} if key else {}))
        made[-1].start()
        return made[-1]

    yield make
    for program in made:
        program.end()


@pytest.fixture
def scan(tmp_path: Path, scan_id: str) -> Scan:
    return Scan(tmp_path / "scans", scan_id)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def database_of(request: pytest.FixtureRequest) -> dict[str, str]:
    """SQLite, unless the test is parametrized with `postgresql`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return {}
    return {"OFFLOAD_DATABASE_URL": request.getfixturevalue("postgresql_server").make_database()}


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for a whole file of tests, who leave it alive and name their scans differently."""
    data = tmp_path_factory.mktemp("service") / "data"
    running = Service(data, environment=database_of(request)).up()
    yield running
    running.end()


@pytest.fixture
def mortal_service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """One that the test may kill."""
    running = Service(tmp_path / "data", environment=database_of(request)).up()
    yield running
    running.end()


@pytest.fixture
def scan_id() -> str:
    return f"scan-{uuid.uuid4().hex[:12]}"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def jpeg(seed: int, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (height_px, width_px, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def frame_entry(index: int, content: bytes, attempt: int = 1) -> FrameEntry:
    return FrameEntry(
        index=index,
        angle_deg=index * 30.0,
        file=StoredFile(name=f"frames/{index:04d}.jpg", sha256=sha256(content), size_bytes=len(content)),
        exposure_us=20_000,
        analogue_gain=1,
        attempt=attempt,
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def manifest_of(photos: list[bytes], scan_id: str, **changes: object) -> Manifest:
    fields: dict[str, object] = {
        "scan_id": scan_id,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "device": "test",
        "camera": CameraModel(make="m", model="c", focal_length_mm=9, pixel_pitch_um=4),
        "photo_width_px": WIDTH_PX,
        "photo_height_px": HEIGHT_PX,
        "frames": tuple(frame_entry(index, photo) for index, photo in enumerate(photos)),
    }
    return Manifest.model_validate(fields | changes)


def put(client: httpx.Client, content: bytes, name: str | None = None) -> httpx.Response:
    headers = {"Upload-Offset": "0", "Upload-Length": str(len(content))}
    return client.patch(f"/blobs/{name or sha256(content)}", content=content, headers=headers)


def post(client: httpx.Client, manifest: Manifest) -> httpx.Response:
    return client.post("/bundles", content=manifest.model_dump_json(), headers={"Bundle-Sha256": manifest.digest()})


@dataclass(frozen=True)
class Kit:
    """What tests build with; a fixture, since test folders are no packages."""

    wait_for = staticmethod(wait_for)
    jpeg = staticmethod(jpeg)
    sha256 = staticmethod(sha256)
    frame_entry = staticmethod(frame_entry)
    manifest_of = staticmethod(manifest_of)
    put = staticmethod(put)
    post = staticmethod(post)
    program = Program
    service = Service
    worker = Worker
    scan = Scan
    network = BreakingNetwork
    is_alive = staticmethod(is_alive)


@pytest.fixture
def kit() -> Kit:
    return Kit()


@pytest.fixture(scope="module")
def kit_of_module() -> Kit:
    return Kit()
