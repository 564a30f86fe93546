"""Rings of photos, each with the camera at another height, calibrated one after the other into one frame.

The mat is the same in all of them, and so is the lens: the ring that shows most of the mat tells the lens, the others
only where the camera stood.
"""

from dataclasses import replace

import numpy as np

from offload.engines.protocol import BadInput
from offload.engines.turntable.calibrate import Calibration, Camera, calibrate
from offload.engines.turntable.mat import MatObservation
from offload.geometry.lens import Floats
from offload.wire.bundle import Intrinsics

Views = list[int]


def rings_of(rings: list[int]) -> list[Views]:
    """Return the numbers of the views of each ring, given every view's ring; the lowest ring first."""
    return [[view for view, one in enumerate(rings) if one == ring] for ring in sorted(set(rings))]


def calibrate_rings(
    names: list[str],
    seen: list[MatObservation],
    angles_deg: Floats,
    rings: list[int],
    size_px: tuple[int, int],
    camera: Camera,
) -> tuple[Calibration, Views, dict[str, str]]:
    """Fit each ring's own turntable; return the poses of the kept views, which these are, and why others are not.

    Raises BadInput when not even the ring that shows most of the mat can be calibrated.
    """
    parts = rings_of(rings)
    leading = max(parts, key=lambda views: sum(seen[view].usable for view in views))
    found = {tuple(leading): _fit(leading, names, seen, angles_deg, size_px, camera)}
    known = replace(camera, intrinsics=camera.intrinsics or _lens(found[tuple(leading)], size_px))
    lost: dict[str, str] = {}
    for views in parts:
        if views is leading:
            continue
        try:
            found[tuple(views)] = _fit(views, names, seen, angles_deg, size_px, known)
        except BadInput as reason:
            lost |= {names[view]: f"ring {rings[view] + 1} was left out: {reason}" for view in views}
    return _joined(found, leading), sorted(view for views in found for view in views), lost


def _fit(
    views: Views, names: list[str], seen: list[MatObservation], angles_deg: Floats, size_px: tuple[int, int],
    camera: Camera,
) -> Calibration:  # fmt: skip
    return calibrate(
        [names[view] for view in views], [seen[view] for view in views], angles_deg[views], size_px, camera
    )


def _lens(calibration: Calibration, size_px: tuple[int, int]) -> Intrinsics:
    K = calibration.K
    k1, k2, p1, p2, k3 = (float(value) for value in calibration.distortion)
    return Intrinsics(
        width_px=size_px[0],
        height_px=size_px[1],
        fx_px=float(K[0, 0]),
        fy_px=float(K[1, 1]),
        cx_px=float(K[0, 2]),
        cy_px=float(K[1, 2]),
        distortion=(k1, k2, p1, p2, k3),
    )


def _joined(found: dict[tuple[int, ...], Calibration], leading: Views) -> Calibration:
    """One calibration of all, its poses in the order of the views."""
    order = np.argsort([view for views in found for view in views])
    parts = list(found.values())
    counts = [len(part.R) for part in parts]
    return replace(
        found[tuple(leading)],
        R=np.concatenate([part.R for part in parts])[order],
        t_mm=np.concatenate([part.t_mm for part in parts])[order],
        turned_deg=np.concatenate([part.turned_deg for part in parts])[order],
        rms_px=float(np.sqrt(np.average([part.rms_px**2 for part in parts], weights=counts))),
        warnings=tuple(warning for part in parts for warning in part.warnings),
    )
