"""Coverage of photos that were taken before: what a resumed scan shows already."""

from collections.abc import Iterable
from pathlib import Path

from offload.wire.bundle import FrameEntry
from offload.wire.sidecar import FrameSidecar
from scannerd.coverage.coverage import Coverage
from scannerd.quality.look import Aspect, Finding, Look, MatReading, Verdict
from scannerd.scan.plan import ScanPlan
from scannerd.store.layout import ScanFolder
from scannerd.store.sidecars import read_mask, readable_sidecars


def recalled(folder: ScanFolder, plan: ScanPlan, frames: Iterable[FrameEntry]) -> Coverage:
    """Return coverage that has seen these photos, from their sidecars; what cannot be read is left out."""
    coverage = Coverage(plan)
    for frame, sidecar in readable_sidecars(folder.path, frames):
        recall(coverage, folder.path, frame, sidecar)
    return coverage


def recall(coverage: Coverage, folder: Path, frame: FrameEntry, sidecar: FrameSidecar) -> None:
    """Let coverage see a stored photo as it would have seen it when it was taken."""
    angle_deg = frame.seen_angle_deg if frame.seen_angle_deg is not None else frame.angle_deg
    coverage.add(frame, angle_deg, _look(folder, frame, sidecar))


def _look(folder: Path, frame: FrameEntry, sidecar: FrameSidecar) -> Look:
    return Look(
        verdict=Verdict.ACCEPT if sidecar.verdict == Verdict.ACCEPT else Verdict.ASK,
        reason=sidecar.reason,
        sharpness=frame.sharpness or 0.0,
        findings=_findings(sidecar),
        mat=MatReading.stored(sidecar.mat) if sidecar.mat is not None else None,
        mask=read_mask(folder, frame),
    )


def _findings(sidecar: FrameSidecar) -> tuple[Finding, ...]:
    known = {aspect.value for aspect in Aspect}
    return tuple(
        Finding(Aspect(one.aspect), one.value, one.limit, one.unit, one.passed, "")
        for one in sidecar.findings
        if one.aspect in known
    )
