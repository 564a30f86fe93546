"""What most scanners do: one thing after the other, with the same drivers and functions as the daemon's."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from offload.wire.bundle import FrameEntry, StoredFile
from scannerd.config import Config
from scannerd.hardware import Hardware
from scannerd.quality.gate import Gate
from scannerd.scan.background import camera_model
from scannerd.scan.plan import Viewpoint, viewpoints_on
from scannerd.store.durable import write_durably
from scannerd.store.hashing import sha256_of_bytes
from scannerd.store.journal import Journal
from scannerd.store.photo import encode_planes, with_exif


@dataclass(frozen=True)
class Stored:
    """One photo that counts."""

    settle_s: float
    """From the last step to the exposure."""
    size_bytes: int


async def sequential_scan(
    config: Config, hardware: Hardware, folder: Path, hardware_s: Callable[[float], float]
) -> AsyncIterator[Stored]:
    """Scan, yielding after each journal line. Every photo is kept, whatever the gate says: the loop's best case.

    `hardware_s` turns CLOCK_MONOTONIC into the hardware's time.
    """
    frames = folder / "frames"
    frames.mkdir(parents=True)
    journal = Journal.create(folder / "journal.jsonl")
    gate = Gate(config.quality, config.mat.spec())
    try:
        for view in viewpoints_on(config.scan.views):
            stored, arrived_s, exposed_at_s = await _visit(view, config, hardware, gate, journal, frames)
            yield Stored(hardware_s(exposed_at_s) - arrived_s, stored)
    finally:
        journal.close()


async def _visit(
    view: Viewpoint, config: Config, hardware: Hardware, gate: Gate, journal: Journal, frames: Path
) -> tuple[int, float, float]:
    """Return the photo's bytes, when the table arrived, and when the exposure began (CLOCK_MONOTONIC)."""
    clock = hardware.clock
    reached_deg = await hardware.axis.move_to(view.angle_deg)
    arrived_s = clock.now_s()
    await clock.wait_until(arrived_s + config.scan.settle_s)
    frame = await hardware.camera.capture()
    taken_at = datetime.now(UTC)
    look = gate.judge(frame, view)
    gate.learn(look)
    camera, quality = camera_model(hardware.camera), config.camera.jpeg_quality
    jpeg = with_exif(
        encode_planes(frame.photo, quality), camera, frame.exposure_us, frame.analogue_gain, taken_at, "sequential"
    )
    digest = sha256_of_bytes(jpeg)
    path = frames / f"{view.index:04d}.jpg"
    write_durably(path, jpeg)
    entry = FrameEntry(
        index=view.index,
        angle_deg=reached_deg,
        file=StoredFile(name=f"frames/{path.name}", sha256=digest, size_bytes=len(jpeg)),
        exposure_us=frame.exposure_us,
        analogue_gain=frame.analogue_gain,
        sharpness=look.sharpness,
        attempt=1,
        taken_at=taken_at,
    )
    journal.append("frame", frame=entry.model_dump(mode="json"))
    return len(jpeg), arrived_s, frame.exposed_at_s
