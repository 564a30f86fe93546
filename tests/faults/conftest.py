"""Real processes on loopback and ephemeral ports, and small bundles of real JPEGs."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import httpx
import numpy as np
import pytest
from PIL import Image

from offload.wire.bundle import CameraModel, FrameEntry, Manifest, StoredFile

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 60.0
WIDTH_PX, HEIGHT_PX = 64, 48
Result = TypeVar("Result")


def wait_for(condition: Callable[[], Result], what: str, limit_s: float = 30.0) -> Result:
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

    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OFFLOAD_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.arguments],
            cwd=ROOT,
            env=clean | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self.process

    def read_line(self, beginning: str) -> str:
        """Return the first line of output that begins so; the process's end ends the wait."""
        assert self.process is not None
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if line.startswith(beginning):
                return line.strip()
        raise AssertionError(f"{self.arguments} ended without saying {beginning!r}:\n{''.join(seen)}")

    def end(self, number: int = signal.SIGKILL) -> int:
        """Send the signal and return the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return status


class Service(Program):
    """`offload serve`; a restart takes the port it had."""

    def __init__(self, data: Path, key: str | None = None) -> None:
        super().__init__([], {"OFFLOAD_API_KEY": key} if key else {})
        self.data, self.port = data, 0
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> "Service":
        self.arguments = ["offload.service", "--port", str(self.port), "--data", str(self.data)]
        self.start()
        self.port = int(self.read_line("listening on ").rsplit(":", 1)[1])
        return self

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=self.headers, timeout=30)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path / "data").up()
    yield running
    running.end()


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


def manifest_of(photos: list[bytes], scan_id: str = "scan-1", **changes: object) -> Manifest:
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


@pytest.fixture
def kit() -> Kit:
    return Kit()
