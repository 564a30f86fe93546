"""Coverage of photos that were taken before: what a resumed scan shows already."""

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from offload.logs.fields import about
from offload.wire.bundle import FrameEntry
from offload.wire.sidecar import FrameSidecar, SeenMat
from scannerd.coverage.coverage import Coverage
from scannerd.quality.look import Aspect, Finding, Look, MatReading, Verdict
from scannerd.scan.plan import ScanPlan
from scannerd.store.durable import StoreFault
from scannerd.store.layout import ScanFolder
from scannerd.store.sidecars import read_mask, read_sidecar

LOG = logging.getLogger(__name__)


def recalled(folder: ScanFolder, plan: ScanPlan, frames: Iterable[FrameEntry]) -> Coverage:
    """Return coverage that has seen these photos, from their sidecars; what cannot be read is left out."""
    coverage = Coverage(plan)
    for frame in frames:
        look = _look(folder.path, frame)
        if look is not None:
            angle_deg = frame.seen_angle_deg if frame.seen_angle_deg is not None else frame.angle_deg
            coverage.add(frame, angle_deg, look)
    return coverage


def _look(folder: Path, frame: FrameEntry) -> Look | None:
    try:
        sidecar = read_sidecar(folder, frame)
    except StoreFault as fault:
        LOG.warning("does not count for coverage: %s", fault, extra=about(frame=frame.index))
        return None
    if sidecar is None:
        return None
    return Look(
        verdict=Verdict.ACCEPT if sidecar.verdict == Verdict.ACCEPT else Verdict.ASK,
        reason=sidecar.reason,
        sharpness=frame.sharpness or 0.0,
        findings=_findings(sidecar),
        mat=_reading(sidecar.mat),
        mask=read_mask(folder, frame),
    )


def _findings(sidecar: FrameSidecar) -> tuple[Finding, ...]:
    known = {aspect.value for aspect in Aspect}
    return tuple(
        Finding(Aspect(one.aspect), one.value, one.limit, one.unit, one.passed, "")
        for one in sidecar.findings
        if one.aspect in known
    )


def _reading(mat: SeenMat | None) -> MatReading | None:
    if mat is None:
        return None
    return MatReading(np.array(mat.numbers, np.int64), np.array(mat.pixels, np.float64).reshape(-1, 2))
