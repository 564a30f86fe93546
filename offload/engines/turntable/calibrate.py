"""Find camera, axis and angles from the mat's corners in all photos at once.

Every view of a mat that spins about its own normal shows the same plane, so free poses and free intrinsics are
degenerate (a common calibration finds f = 3690 where 2300 is true). Holding all views to one turntable removes
it; the principal point stays where it was given, since nothing here can see it.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from offload.engines.protocol import BadInput
from offload.engines.turntable.mat import MIN_CORNERS, MatObservation
from offload.engines.turntable.turn_model import TurnModel
from offload.engines.turntable.turntable_fit import FitWeights, fit, residual_lengths_px
from offload.engines.turntable.turntable_model import TurntableModel
from offload.geometry.lens import Floats, Lens
from offload.geometry.turntable import Stand, turned
from offload.wire.bundle import Intrinsics

MIN_GOOD_VIEWS = 4
MIN_GOOD_SHARE = 0.25
SUSPICIOUS_SLIP_DEG = 0.7
SUSPICIOUS_RMS_PX = 1.0


@dataclass(frozen=True)
class Camera:
    """What is known of the camera before the fit."""

    focal_px: float
    intrinsics: Intrinsics | None = None
    """Stored ones are believed and not touched."""


@dataclass(frozen=True)
class Calibration:
    """One camera and V poses, camera from mat, millimetres."""

    K: Floats
    distortion: Floats
    """(5,): k1, k2, p1, p2, k3."""
    R: Floats
    """(V, 3, 3)."""
    t_mm: Floats
    """(V, 3)."""
    rms_px: float
    turned_deg: Floats
    """(V,): found platter angle minus the commanded one, common part removed."""
    clockwise: bool
    """The platter turned against the commanded direction."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FittedStand:
    """What one camera's photos of one turn told; V views."""

    names: list[str]
    seen: list[MatObservation]
    commanded_deg: Floats
    """(V,)."""
    sign: int
    """+1 when the mat turned as commanded, -1 when against it."""
    model: TurntableModel
    known: list[int]
    """Views whose angle somebody saw."""

    @property
    def rms_px(self) -> float:
        """Of all corners that were fitted."""
        return float(np.sqrt(np.mean(np.concatenate(residual_lengths_px(self.model, self.seen)) ** 2)))

    def told(self) -> Calibration:
        """Return camera and poses, with what a person should know of them.

        A view with too few corners takes its pose from the turntable at its commanded angle.
        """
        model, slips_deg = _give_blind_views_the_slip_of_their_neighbours(
            self.model, self.known, self.sign * self.commanded_deg
        )
        poses = [model.pose(view) for view in range(len(self.seen))]
        return Calibration(
            K=model.lens.K,
            distortion=np.array(model.lens.distortion),
            R=np.stack([pose.R for pose in poses]),
            t_mm=np.stack([pose.t_mm for pose in poses]),
            rms_px=self.rms_px,
            turned_deg=slips_deg,
            clockwise=self.sign < 0,
            warnings=tuple(_warnings(self.names, self.seen, self.known, slips_deg, self.rms_px, self.sign)),
        )


def fit_stand(
    names: list[str], seen: list[MatObservation], angles_deg: Floats, size_px: tuple[int, int], camera: Camera
) -> FittedStand:
    """Fit one camera's turn by itself to what its photos saw of the mat; `size_px` is (width, height).

    Raises BadInput when too few views show the mat.
    """
    good = [view for view, observation in enumerate(seen) if observation.usable]
    _require_enough(names, seen, good)
    start, sign = _first_guess(seen, good, np.deg2rad(angles_deg), size_px, camera)
    weights = FitWeights(known_lenses=frozenset() if camera.intrinsics is None else frozenset({0}))
    model = fit(TurnModel.of(start), seen, sign * np.deg2rad(angles_deg), weights).seen_by(0)
    return FittedStand(names, seen, angles_deg, sign, model, good)


def _require_enough(names: list[str], seen: list[MatObservation], good: list[int]) -> None:
    needed = max(MIN_GOOD_VIEWS, math.ceil(MIN_GOOD_SHARE * len(seen)))
    if len(good) >= needed:
        return
    counts = ", ".join(f"{name} {len(observation)}" for name, observation in zip(names, seen, strict=True))
    raise BadInput(
        f"the mat is visible enough in {len(good)} of {len(seen)} photos, {needed} are needed; a photo needs "
        f"at least {MIN_CORNERS} corners of the mat that are not all in one row, and showed: {counts}. Uncover "
        "the mat, light it evenly without glare, check that it is the mat that the scan names, and scan again"
    )


def _first_guess(
    seen: list[MatObservation], good: list[int], angles_rad: Floats, size_px: tuple[int, int], camera: Camera
) -> tuple[TurntableModel, int]:
    """One pose a view by itself, then the axis' direction through the most frequent turn."""
    lens = _first_lens(size_px, camera)
    poses = {view: _pose_alone(seen[view], lens.K, np.array(lens.distortion)) for view in good}
    anchor = max(good, key=lambda view: len(seen[view]))
    R_anchor, t_anchor = poses[anchor]
    turns = {view: _turn_between(R_anchor, poses[view][0]) for view in good}
    sign = _direction(turns, angles_rad, anchor)
    own = sign * (angles_rad - angles_rad[anchor])
    slip = {view: float(np.angle(np.exp(1j * (turns[view] - own[view])))) for view in good}
    middle = float(np.median(list(slip.values())))
    angles = sign * angles_rad
    for view in good:
        angles[view] += slip[view] - middle
    stand = Stand(R_anchor @ turned(-float(angles[anchor])), t_anchor, tilt=np.eye(3), offset_mm=np.zeros(2))
    return TurntableModel(lens, stand, angles), sign


def _first_lens(size_px: tuple[int, int], camera: Camera) -> Lens:
    width, height = size_px
    if camera.intrinsics is None:
        return Lens(width, height, camera.focal_px, 1.0, ((width - 1) / 2, (height - 1) / 2))
    return Lens.of(scaled_intrinsics(camera.intrinsics, width, height))


def scaled_intrinsics(known: Intrinsics, width_px: int, height_px: int) -> Intrinsics:
    """Return the intrinsics for another size of the same picture. Raises BadInput when the shape differs."""
    scale_x, scale_y = width_px / known.width_px, height_px / known.height_px
    if abs(scale_x / scale_y - 1) > 0.01:
        raise BadInput(
            f"the stored intrinsics are for photos of {known.width_px}x{known.height_px}, these are "
            f"{width_px}x{height_px}, another shape; calibrate the camera again in this mode"
        )
    # Pixel centres are whole numbers, so half pixels move with the scale.
    return known.model_copy(
        update={
            "width_px": width_px,
            "height_px": height_px,
            "fx_px": known.fx_px * scale_x,
            "fy_px": known.fy_px * scale_y,
            "cx_px": (known.cx_px + 0.5) * scale_x - 0.5,
            "cy_px": (known.cy_px + 0.5) * scale_y - 0.5,
        }
    )


def _pose_alone(observation: MatObservation, K: Floats, distortion: Floats) -> tuple[Floats, Floats]:
    points = np.column_stack([observation.points_mm, np.zeros(len(observation))])
    _, rotations, translations, _ = cv2.solvePnPGeneric(
        points, observation.pixels, K, distortion, flags=cv2.SOLVEPNP_IPPE
    )
    rotation, translation = cv2.solvePnPRefineLM(
        points, observation.pixels, K, distortion, rotations[0].copy(), translations[0].copy()
    )
    return np.asarray(cv2.Rodrigues(rotation)[0], np.float64), np.asarray(translation, np.float64).ravel()


def _turn_between(R_from: Floats, R_to: Floats) -> float:
    """Angle about the mat's normal that takes one pose to the other, radians."""
    turn = R_from.T @ R_to
    return math.atan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])


def _direction(turns: dict[int, float], angles_rad: Floats, anchor: int) -> int:
    """+1 when the mat turned as commanded, -1 when against it."""

    def agreement(sign: int) -> float:
        return sum(math.cos(turn - sign * (angles_rad[view] - angles_rad[anchor])) for view, turn in turns.items())

    return 1 if agreement(1) >= agreement(-1) else -1


def _give_blind_views_the_slip_of_their_neighbours(
    model: TurntableModel, good: list[int], commanded_deg: Floats
) -> tuple[TurntableModel, Floats]:
    """Where a view says nothing of its angle, the nearest good view's deviation is the best guess."""
    slips_deg = (np.rad2deg(model.angles_rad) - commanded_deg + 180) % 360 - 180
    views = np.array(good)
    blind = [view for view in range(len(slips_deg)) if view not in set(good)]
    for view in blind:
        slips_deg[view] = slips_deg[views[np.argmin(np.abs(views - view))]]
    slips_deg = slips_deg - np.median(slips_deg[views])
    angles = model.angles_rad.copy()
    shift = np.median((np.rad2deg(model.angles_rad) - commanded_deg - slips_deg)[views])
    for view in blind:
        angles[view] = np.deg2rad(commanded_deg[view] + slips_deg[view] + shift)
    return replace(model, angles_rad=angles), slips_deg


def _warnings(
    names: list[str], seen: list[MatObservation], good: list[int], slips_deg: Floats, rms_px: float, sign: int
) -> list[str]:
    told = []
    if sign < 0:
        told.append(
            "the platter turned clockwise where counter-clockwise was commanded: check the direction's wiring"
        )
    told += [
        f"{names[view]} shows {len(seen[view])} corners of the mat: its pose is the commanded angle's"
        for view in range(len(seen))
        if view not in set(good)
    ]
    slipped = [view for view in good if abs(slips_deg[view]) > SUSPICIOUS_SLIP_DEG]
    told += [
        f"{names[view]} stood {slips_deg[view]:+.2f} degrees from its commanded angle: does the belt slip?"
        for view in slipped
    ]
    if rms_px > SUSPICIOUS_RMS_PX:
        told.append(
            f"the mat's corners fit the turntable only to {rms_px:.2f} px (expected below {SUSPICIOUS_RMS_PX}): "
            "does the mat lie flat, or the camera move?"
        )
    return told
