"""From a judged frame to what is kept: the photo with EXIF, mask, edge map and sidecar, each with its hash."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.wire.sidecar import FrameSidecar, SeenMat, SidecarFinding
from scannerd.quality.look import Look, MatReading
from scannerd.scan.plan import ScanPlan
from scannerd.scan.taken import Taken
from scannerd.store.developed import DevelopedPhoto, TakenPhoto, hashed, jpeg_of, name_of
from scannerd.store.photo import PhotoFault, thumbnail_jpeg

FAST_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]
"""Smaller files are not worth a Pi's time."""
HUNDREDTHS = 2
"""Of a pixel: more digits of a corner mean nothing."""


def develop(plan: ScanPlan, taken: Taken, look: Look, now_s: Callable[[], float]) -> DevelopedPhoto:
    """Encode and hash everything about one frame; `now_s` times it. Raises PhotoFault."""
    photo = _photo(taken, look)
    with taken.stages.stage("encode", now_s):
        files = {f"{name_of(photo)}.jpg": jpeg_of(photo, plan), **_sidecars(name_of(photo), taken, look)}
        thumbnail = thumbnail_jpeg(photo.small)
    with taken.stages.stage("hash", now_s):
        return hashed(photo, files, thumbnail)


def _photo(taken: Taken, look: Look) -> TakenPhoto:
    frame = taken.shot.frame
    return TakenPhoto(
        viewpoint=taken.viewpoint,
        photo=frame.photo,
        small=frame.small,
        angle_deg=taken.arrival.angle_deg,
        exposure_us=frame.exposure_us,
        analogue_gain=frame.analogue_gain,
        taken_at=taken.shot.taken_at,
        sharpness=look.sharpness,
        attempt=taken.attempt,
        seen_angle_deg=taken.seen_deg,
        jpeg=frame.jpeg,
    )


def _sidecars(name: str, taken: Taken, look: Look) -> dict[str, bytes]:
    files = {f"{name}.json": _sidecar(taken, look).model_dump_json().encode()}
    if look.mask is not None:
        files[f"{name}.mask.png"] = _png(look.mask)
    if look.edges is not None:
        files[f"{name}.edges.png"] = _png(look.edges)
    return files


def _png(picture: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".png", picture, FAST_PNG)
    if not done:
        raise PhotoFault(f"a picture of shape {picture.shape} could not be encoded as PNG")
    return data.tobytes()


def _sidecar(taken: Taken, look: Look) -> FrameSidecar:
    return FrameSidecar(
        index=taken.viewpoint.index,
        verdict=look.verdict,
        reason=look.reason,
        findings=tuple(
            SidecarFinding(
                aspect=finding.aspect,
                value=finding.value,
                limit=finding.limit,
                unit=finding.unit,
                passed=finding.passed,
            )
            for finding in look.findings
        ),
        attempt=taken.attempt,
        commanded_angle_deg=taken.arrival.angle_deg,
        seen_angle_deg=taken.seen_deg,
        exposure_us=taken.shot.frame.exposure_us,
        analogue_gain=taken.shot.frame.analogue_gain,
        settle_s=round(taken.shot.settle_s, 4),
        mat=_seen_mat(look.mat) if look.mat is not None else None,
    )


def _seen_mat(reading: MatReading) -> SeenMat:
    return SeenMat(
        numbers=tuple(int(number) for number in reading.numbers),
        pixels=tuple((round(float(x), HUNDREDTHS), round(float(y), HUNDREDTHS)) for x, y in reading.pixels),
    )
