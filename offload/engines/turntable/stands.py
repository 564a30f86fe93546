"""Stands: one camera in one place for one turn, calibrated one turn after the other into one frame.

The mat is the same in all of them, and a camera's lens in all its turns: the turn that shows most of the mat tells
the lenses of the cameras that watched it, the others only where they stood. Cameras of one turn are fitted together.
"""

from dataclasses import dataclass, replace

import numpy as np

from offload.engines.protocol import BadInput
from offload.engines.turntable.calibrate import Camera, FittedStand, fit_stand
from offload.engines.turntable.joint_turn import joined
from offload.engines.turntable.mat import MatObservation
from offload.engines.turntable.turntable_model import TurntableModel
from offload.geometry.lens import Floats

Views = list[int]


@dataclass(frozen=True, order=True)
class StandKey:
    """Which camera, and which of its heights."""

    camera: int
    ring: int


@dataclass(frozen=True)
class SeenPhoto:
    """One photo, and what it saw of the mat."""

    name: str
    seen: MatObservation
    angle_deg: float
    """Commanded."""
    stand: StandKey


@dataclass(frozen=True)
class SizedCamera:
    """A camera before the fit."""

    name: str
    """For people."""
    size_px: tuple[int, int]
    """(width, height) of its photos."""
    lens: Camera


@dataclass(frozen=True)
class CalibratedPhotos:
    """The V photos that have a pose; camera from mat, millimetres."""

    kept: Views
    """Which of the given photos they are."""
    K: Floats
    """(V, 3, 3)."""
    distortion: Floats
    """(V, 5): k1, k2, p1, p2, k3."""
    R: Floats
    """(V, 3, 3)."""
    t_mm: Floats
    """(V, 3)."""
    rms_px: float
    turntables: dict[StandKey, TurntableModel]
    lost: dict[str, str]
    """Photos without a pose, and why."""
    warnings: tuple[str, ...]


def views_of_stands(stands: list[StandKey]) -> dict[StandKey, Views]:
    """Return the numbers of the views of each stand; the first camera's lowest ring first."""
    return {key: [view for view, one in enumerate(stands) if one == key] for key in sorted(set(stands))}


def calibrate_stands(photos: list[SeenPhoto], cameras: dict[int, SizedCamera]) -> CalibratedPhotos:
    """Fit each turn; raises BadInput when no camera of the turn that shows most of the mat can be calibrated."""
    of_stand = views_of_stands([photo.stand for photo in photos])
    rings = sorted({key.ring for key in of_stand})
    leading = max(rings, key=lambda ring: sum(photo.seen.usable for photo in photos if photo.stand.ring == ring))
    lenses = {number: camera.lens for number, camera in cameras.items()}
    found: dict[StandKey, FittedStand] = {}
    lost: dict[str, str] = {}
    warnings: list[str] = []
    for ring in sorted(rings, key=lambda ring: ring != leading):
        alone, refused = _each_alone(ring, photos, of_stand, cameras, lenses)
        if ring == leading and not alone:
            raise next(iter(refused.values()))
        for key, reason in refused.items():
            lost |= {photos[view].name: f"{_told(key, cameras)} was left out: {reason}" for view in of_stand[key]}
        keys = list(alone)
        together, said = joined(list(alone.values()), [lenses[key.camera].intrinsics is not None for key in keys])
        warnings += said
        for key, stand in zip(keys, together, strict=True):
            found[key] = stand
            if lenses[key.camera].intrinsics is None:
                lenses[key.camera] = replace(lenses[key.camera], intrinsics=stand.model.lens.intrinsics())
    return _in_order({key: found[key] for key in sorted(found)}, of_stand, leading, lost, warnings)


def _each_alone(
    ring: int, photos: list[SeenPhoto], of_stand: dict[StandKey, Views], cameras: dict[int, SizedCamera],
    lenses: dict[int, Camera],
) -> tuple[dict[StandKey, FittedStand], dict[StandKey, BadInput]]:  # fmt: skip
    fitted, refused = {}, {}
    for key, views in of_stand.items():
        if key.ring != ring:
            continue
        own = [photos[view] for view in views]
        try:
            fitted[key] = fit_stand(
                [photo.name for photo in own],
                [photo.seen for photo in own],
                np.array([photo.angle_deg for photo in own]),
                cameras[key.camera].size_px,
                lenses[key.camera],
            )
        except BadInput as reason:
            refused[key] = reason
    return fitted, refused


def _told(key: StandKey, cameras: dict[int, SizedCamera]) -> str:
    of_camera = f" of camera {cameras[key.camera].name}" if len(cameras) > 1 else ""
    return f"ring {key.ring + 1}{of_camera}"


def _in_order(
    found: dict[StandKey, FittedStand], of_stand: dict[StandKey, Views], leading: int, lost: dict[str, str],
    warnings: list[str],
) -> CalibratedPhotos:  # fmt: skip
    """All poses in the order of the photos; the leading turn's warnings first."""
    parts = {key: stand.told() for key, stand in found.items()}
    views = [view for key in parts for view in of_stand[key]]
    order = np.argsort(views)
    counts = [len(part.R) for part in parts.values()]
    told = [warning for key in sorted(parts, key=lambda key: key.ring != leading) for warning in parts[key].warnings]
    return CalibratedPhotos(
        kept=sorted(views),
        K=np.concatenate([np.repeat(part.K[None], len(part.R), axis=0) for part in parts.values()])[order],
        distortion=np.concatenate([np.repeat(part.distortion[None], len(part.R), axis=0) for part in parts.values()])[
            order
        ],
        R=np.concatenate([part.R for part in parts.values()])[order],
        t_mm=np.concatenate([part.t_mm for part in parts.values()])[order],
        rms_px=float(np.sqrt(np.average([part.rms_px**2 for part in parts.values()], weights=counts))),
        turntables={key: stand.model for key, stand in found.items()},
        lost=lost,
        warnings=(*warnings, *told),
    )
