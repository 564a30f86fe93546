"""Service, worker, link and sync as a shop has them, each a process of its own on loopback; and scans as files."""

import io
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

from offload.durable import replace_file
from offload.sync.link_file import read_link
from offload.sync.state import read_state
from offload.wire.bundle import CameraModel, FrameEntry, Manifest, StoredFile
from offload.wire.jobs import SyncState

START_LIMIT_S = 120.0
WIDTH_PX, HEIGHT_PX = 64, 48
SEGMENT_BYTES = 65_535


class BenchFailed(RuntimeError):
    """Something did not happen within its limit."""


def wait_until(happened: Callable[[], object], what: str, limit_s: float) -> None:
    """Return once it has. Raises BenchFailed."""
    until_s = time.monotonic() + limit_s
    while not happened():
        if time.monotonic() > until_s:
            raise BenchFailed(f"{what}: not within {limit_s:.0f} s")
        time.sleep(0.01)  # bounded by the deadline above


def photo(size_bytes: int, seed: int) -> bytes:
    """Return a JPEG of about that many bytes; most of them are noise that no decoder looks at."""
    stream, chance = io.BytesIO(), random.Random(seed)
    Image.new("RGB", (WIDTH_PX, HEIGHT_PX)).save(stream, "JPEG")
    plain, padding = stream.getvalue(), bytearray()
    while len(padding) + len(plain) < size_bytes:
        body_bytes = min(SEGMENT_BYTES - 2, size_bytes - len(padding) - len(plain))
        padding += b"\xff\xe9" + (body_bytes + 2).to_bytes(2, "big") + chance.randbytes(body_bytes)
    return plain[:2] + bytes(padding) + plain[2:]


class ScanFiles:
    """A scan's folder as the daemon writes it: the photo first, then its line, the seal at the end."""

    def __init__(self, scans: Path, name: str) -> None:
        self.folder = scans / name
        (self.folder / "frames").mkdir(parents=True)
        self._frames: list[FrameEntry] = []

    def take(self, content: bytes) -> None:
        """Write one photo and its line."""
        index = len(self._frames)
        name = f"frames/{index:04d}.jpg"
        (self.folder / name).write_bytes(content)
        stored = StoredFile(name=name, sha256=sha256(content).hexdigest(), size_bytes=len(content))
        entry = FrameEntry(
            index=index, angle_deg=index, file=stored, exposure_us=1, analogue_gain=1, taken_at=datetime.now(UTC)
        )
        self._frames.append(entry)
        with (self.folder / "journal.jsonl").open("a") as journal:
            journal.write(json.dumps({"seq": index, "type": "frame", "frame": entry.model_dump(mode="json")}) + "\n")

    def seal(self) -> None:
        """Write the manifest."""
        manifest = Manifest(
            scan_id=self.folder.name,
            created_at=datetime.now(UTC),
            device="bench",
            camera=CameraModel(make="m", model="c", focal_length_mm=9, pixel_pitch_um=4),
            photo_width_px=WIDTH_PX,
            photo_height_px=HEIGHT_PX,
            frames=tuple(self._frames),
        )
        replace_file(self.folder / "manifest.json", manifest.model_dump_json().encode())

    @property
    def payload_bytes(self) -> int:
        """Of all photos so far."""
        return sum(frame.file.size_bytes for frame in self._frames)

    @property
    def state(self) -> SyncState | None:
        """What sync tells of it."""
        return read_state(self.folder)

    def confirmed(self) -> bool:
        """Whether the service has all photos."""
        state = self.state
        return state is not None and state.files_confirmed == len(self._frames)


class Running:
    """One process; ended when the block is left."""

    def __init__(self, command: Sequence[str], log: Path, settings: Mapping[str, str] | None = None) -> None:
        self._command, self._log, self._settings = command, log, dict(settings or {})

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OFFLOAD_")}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._command], env=environment | self._settings, stdout=log, stderr=log
            )
        return self

    def __exit__(self, _kind: type[BaseException] | None, _value: object, _trace: TracebackType | None) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def said(self) -> str:
        """Everything it has printed."""
        return self._log.read_text(errors="replace")


class Stack:
    """A service on a free port, in one folder; `settings` are its environment."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._folder, self._settings = folder, settings
        self._exits = ExitStack()
        self._links = 0
        self.port = 0

    def __enter__(self) -> Self:
        port = self._folder / "port"
        command = ["offload", "serve", "--port", "0", "--port-file", str(port), "--data", str(self._folder / "data")]
        service = self._exits.enter_context(Running(command, self._folder / "service.log", self._settings))
        wait_until(lambda: port.exists() or service.process.poll() is not None, "the service", START_LIMIT_S)
        if not port.exists():
            raise BenchFailed(f"the service ended: {service.said()[-2000:]}")
        self.port = int(port.read_text())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.__exit__(kind, value, trace)

    def worker(self) -> Running:
        """Return a worker to start."""
        return Running(
            ["offload", "work", "--slot", "1", "--data", str(self._folder / "data")], self._folder / "work.log"
        )

    def link(self, *options: str) -> "Link":
        """Return a link to the service to start."""
        self._links += 1
        return Link(self.port, options, self._folder / f"link{self._links}")

    def sync(self, scans: Path, port: int) -> Running:
        """Return a sync to start."""
        url = f"http://127.0.0.1:{port}"
        return Running(["offload", "sync", "--scans", str(scans), "--url", url], self._folder / "sync.log")


class Link(Running):
    """WiFi, or a cable, in front of the service."""

    def __init__(self, target: int, options: Sequence[str], name: Path) -> None:
        self._port = name.with_suffix(".port")
        command = ["drivers.bench.radio_link", "--to", str(target), "--port-file", str(self._port), *options]
        super().__init__(command, name.with_suffix(".log"))

    @property
    def port(self) -> int:
        """Where it listens."""
        wait_until(lambda: self._port.exists() and self._port.read_text(), "the link", START_LIMIT_S)
        return int(self._port.read_text())

    def end(self) -> dict[str, int]:
        """End it, and return what passed: bytes_sent by clients, cuts."""
        self.process.terminate()
        self.process.wait(30)
        told = [line for line in self.said().splitlines() if line.startswith("{")]
        if not told:
            raise BenchFailed(f"the link told nothing: {self.said()[-2000:]}")
        passed: dict[str, int] = json.loads(told[-1])
        return passed


def is_up(scans: Path) -> bool:
    """Whether a sync that was just started looks after this folder."""
    return read_link(scans) is not None
