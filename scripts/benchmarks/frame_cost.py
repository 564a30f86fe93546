"""CPU of each stage of one photo, on one core, beside a naive way of judging it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from drivers.protocols import Frame
from offload.wire.bundle import CameraModel, Place
from scannerd.quality.gate import Gate
from scannerd.store.durable import write_durably
from scannerd.store.hashing import sha256_of_bytes
from scannerd.store.journal import Journal
from scannerd.store.photo import encode_planes, thumbnail_jpeg, with_exif

REPEATS = 9


def frame_cost(frame: Frame, camera: CameraModel, gate: Gate, jpeg_quality: int, folder: Path) -> dict[str, Any]:
    """Return CPU milliseconds, the median of some repetitions: the process's, so that no thread hides."""
    cv2.setNumThreads(1)
    plain = encode_planes(frame.photo, jpeg_quality)
    now = datetime.now(UTC)
    jpeg = with_exif(plain, camera, frame.exposure_us, frame.analogue_gain, now, "bench")
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal.create(folder / "journal.jsonl")
    stages: dict[str, Callable[[], object]] = {
        "judge": lambda: gate.judge(frame, Place(index=0)),
        "thumbnail": lambda: thumbnail_jpeg(frame.small),
        "encode": lambda: encode_planes(frame.photo, jpeg_quality),
        "exif": lambda: with_exif(plain, camera, frame.exposure_us, frame.analogue_gain, now, "bench"),
        "hash": lambda: sha256_of_bytes(jpeg),
        "write": lambda: write_durably(folder / "photo.jpg", jpeg),
        "journal": lambda: journal.append("frame", times={"move_s": 1.0}),
    }
    costs_ms = {name: _cpu_ms(stage) for name, stage in stages.items()}
    naive_ms = _cpu_ms(lambda: _naive(frame))
    journal.close()
    judged_ms = sum(costs_ms[name] for name in ("judge", "thumbnail", "hash", "write"))
    return {
        "stages_ms": costs_ms | {"naive peer": naive_ms},
        "judge_thumbnail_hash_write_ms": round(judged_ms, 1),
        "naive_canny_laplacian_ms": naive_ms,
        "share_of_naive": round(judged_ms / naive_ms, 3),
    }


def _naive(frame: Frame) -> float:
    """Colour Canny and Laplacian at full resolution, as scanners do it that judge at all."""
    pixels = frame.photo.rgb()
    edges = [cv2.Canny(np.ascontiguousarray(pixels[..., channel]), 50, 150) for channel in range(3)]
    sharpness = cv2.Laplacian(pixels, cv2.CV_64F).var()
    return float(sharpness) + sum(int(np.count_nonzero(edge)) for edge in edges)


def _cpu_ms(stage: Callable[[], object]) -> float:
    spent_ms = []
    stage()
    for _ in range(REPEATS):
        began_s = time.process_time()
        stage()
        spent_ms.append((time.process_time() - began_s) * 1e3)
    return round(median(spent_ms), 1)
