"""All cameras of a scan from all that its photos show of the mat.

Photos of a mat that spins about its own normal all show the same plane from the same height: free poses and a free
lens are degenerate then (a common calibration finds a focal length of 3690 px where 2300 is true). Holding a turn's
photos to one turntable removes it. What stays unseen is the principal point: it keeps the place it was given until
turns of different elevation tell it.
"""

import math
from dataclasses import dataclass

import numpy as np

from offload.geometry.lens import Floats, Lens
from offload.geometry.pose import Pose
from offload.geometry.turntable import Stand
from offload.wire.bundle import CameraModel, Intrinsics, MatSpec
from offload.wire.poses import FramePose, Matrix, PoseSource, Row, ScanPoses, Turn
from scannerd.geometry.first_guess import first_stand
from scannerd.geometry.mat_pose import MatCorners, camera_from_mat
from scannerd.geometry.turntable_fit import Beliefs, Model, SeenView, fit

LEAST_VIEWS = 4
"""Of one turn: fewer fix no axis."""
WEEDED_PX, WEEDED_TIMES = 1.5, 4.0
"""A photo that fits worse than both, the second in medians, contradicts the others and is not heard."""
APART_DEG = 8.0
"""Turns whose elevations differ by this show where the principal point is."""
SLIP_DEG, FITS_BADLY_PX = 0.7, 1.0


class NoPoses(ValueError):
    """The photos do not tell where the cameras were. The message says what is missing."""


@dataclass(frozen=True)
class SeenFrame:
    """What one photo shows of the mat, and how it was taken."""

    index: int
    file: str
    ring: int
    side: int
    commanded_deg: float
    corners: MatCorners

    @property
    def turn(self) -> tuple[int, int]:
        """Side and ring: photos of one turn share camera and axis."""
        return self.side, self.ring


@dataclass(frozen=True)
class TurnFit:
    """One turn after the fit."""

    key: tuple[int, int]
    stand: Stand
    sign: int
    off_deg: dict[int, float]
    """Frame number → platter angle less the commanded one, of those heard."""

    def angle_deg(self, frame: SeenFrame) -> float:
        """Return the platter's angle in one photo; of one that was not heard, as far off as its nearest neighbour."""
        nearest = min(self.off_deg, key=lambda index: abs(index - frame.index))
        return frame.commanded_deg + self.off_deg[nearest]

    def pose(self, frame: SeenFrame) -> Pose:
        """Return camera from mat in one photo."""
        return self.stand.pose(math.radians(self.sign * self.angle_deg(frame)))


def joint_poses(
    frames: list[SeenFrame], mat: MatSpec, size_px: tuple[int, int], camera: CameraModel, known: Intrinsics | None
) -> ScanPoses:
    """Return lens, axes and poses; `known` intrinsics are believed and not touched. Raises NoPoses."""
    lens = Lens.of(known).at_size(*size_px) if known is not None else Lens.nominal(camera, *size_px)
    good = [frame for frame in frames if frame.corners.fixes_a_pose(mat.square_mm)]
    alone = {frame.index: pose for frame in good if (pose := camera_from_mat(frame.corners, lens)) is not None}
    keys = sorted({frame.turn for frame in frames})
    heard = {key: [frame for frame in good if frame.turn == key and frame.index in alone] for key in keys}
    heard = {key: members for key, members in heard.items() if len(members) >= LEAST_VIEWS}
    if not heard:
        raise NoPoses(_too_few(frames, good, mat))
    lens, turns = _fitted(heard, alone, lens, lens_is_free=known is None)
    heard = {turn.key: _fitting(heard[turn.key], turn, lens) for turn in turns}
    heard = {key: members for key, members in heard.items() if len(members) >= LEAST_VIEWS}
    if not heard:
        raise NoPoses("the mat's corners contradict each other in most photos: did mat or camera move all the time?")
    lens, turns = _fitted(heard, alone, lens, lens_is_free=known is None)
    return _told(frames, {turn.key: turn for turn in turns}, lens, mat, stored=known is not None)


def _too_few(frames: list[SeenFrame], good: list[SeenFrame], mat: MatSpec) -> str:
    most = max((len(frame.corners) for frame in frames), default=0)
    return (
        f"{len(good)} of {len(frames)} photos show enough of the mat, {LEAST_VIEWS} of one turn are needed; the best "
        f"shows {most} of its {(mat.columns - 1) * (mat.rows - 1)} corners. Uncover the mat and light it evenly"
    )


def _fitted(
    heard: dict[tuple[int, int], list[SeenFrame]], alone: dict[int, Pose], lens: Lens, *, lens_is_free: bool
) -> tuple[Lens, list[TurnFit]]:
    stands, angles, views, signs = [], [], [], []
    for number, members in enumerate(heard.values()):
        commanded = {frame.index: math.radians(frame.commanded_deg) for frame in members}
        stand, found, sign = first_stand({index: alone[index] for index in commanded}, commanded)
        stands.append(stand)
        signs.append(sign)
        angles += [found[frame.index] for frame in members]
        views += [SeenView(number, frame.corners, sign * commanded[frame.index]) for frame in members]
    elevations = [stand.camera_elevation_deg for stand in stands]
    beliefs = Beliefs(lens_is_free=lens_is_free, centre_is_free=max(elevations) - min(elevations) > APART_DEG)
    model = fit(Model(lens, tuple(stands), np.array(angles)), views, beliefs)
    turns, first = [], 0
    for (key, members), stand, sign in zip(heard.items(), model.stands, signs, strict=True):
        own = np.rad2deg(model.angles_rad[first : first + len(members)]) * sign
        off = {frame.index: float(angle) - frame.commanded_deg for frame, angle in zip(members, own, strict=True)}
        turns.append(TurnFit(key, stand, sign, off))
        first += len(members)
    return model.lens, turns


def _fitting(members: list[SeenFrame], turn: TurnFit, lens: Lens) -> list[SeenFrame]:
    """Return those that do not contradict the others."""
    off = np.array([frame.corners.rms_px(turn.pose(frame), lens) for frame in members])
    limit = max(WEEDED_PX, WEEDED_TIMES * float(np.median(off)))
    return [frame for frame, rms in zip(members, off, strict=True) if rms <= limit]


def _told(
    frames: list[SeenFrame], turns: dict[tuple[int, int], TurnFit], lens: Lens, mat: MatSpec, *, stored: bool
) -> ScanPoses:
    posed: list[FramePose] = []
    without: dict[int, str] = {}
    for frame in sorted(frames, key=lambda one: one.index):
        told = _frame_pose(frame, turns.get(frame.turn), lens, mat)
        if told is None:
            without[frame.index] = f"{len(frame.corners)} corners of the mat seen, and no turntable to take it from"
        else:
            posed.append(told)
    weights = [pose.corners * pose.rms_px**2 for pose in posed if pose.rms_px is not None]
    count = sum(pose.corners for pose in posed if pose.rms_px is not None)
    rms_px = math.sqrt(sum(weights) / count)
    return ScanPoses(
        intrinsics=lens.intrinsics(),
        scale_source="mat, stored intrinsics" if stored else "mat, self-calibrated",
        rms_px=round(rms_px, 4),
        turns=tuple(_turn(fitted) for fitted in turns.values()),
        frames=tuple(posed),
        without=without,
        warnings=tuple(_warnings(posed, turns, rms_px)),
    )


def _frame_pose(frame: SeenFrame, turn: TurnFit | None, lens: Lens, mat: MatSpec) -> FramePose | None:
    """From the turntable where it was heard, else from its own corners, else from where it was told to stand."""
    if turn is not None and frame.index in turn.off_deg:
        pose = turn.pose(frame)
        return _entry(frame, pose, turn.angle_deg(frame), PoseSource.TURNTABLE, frame.corners.rms_px(pose, lens))
    if frame.corners.fixes_a_pose(mat.square_mm):
        alone = camera_from_mat(frame.corners, lens)
        rms_px = math.inf if alone is None else frame.corners.rms_px(alone, lens)
        if alone is not None and rms_px <= WEEDED_PX:
            return _entry(frame, alone, frame.commanded_deg, PoseSource.ALONE, rms_px)
    if turn is None:
        return None
    return _entry(frame, turn.pose(frame), turn.angle_deg(frame), PoseSource.COMMANDED, None)


def _warnings(posed: list[FramePose], turns: dict[tuple[int, int], TurnFit], rms_px: float) -> list[str]:
    """Tell what a person should know before trusting the poses."""
    told = []
    if any(turn.sign < 0 for turn in turns.values()):
        told.append("the platter turned clockwise where counter-clockwise was commanded: check [turntable] invert")
    alone = [str(pose.index) for pose in posed if pose.source is PoseSource.ALONE]
    if alone:
        told.append(f"photos {', '.join(alone)} fit no turn of the others: was camera or mat moved?")
    blind = [str(pose.index) for pose in posed if pose.source is PoseSource.COMMANDED]
    if blind:
        told.append(f"photos {', '.join(blind)} show too little of the mat: their poses are the commanded angles'")
    for turn in turns.values():
        usual = float(np.median(list(turn.off_deg.values())))
        slipped = [str(index) for index, off in turn.off_deg.items() if abs(off - usual) > SLIP_DEG]
        if slipped:
            told.append(f"photos {', '.join(slipped)} stood more than {SLIP_DEG}° off: does the belt slip?")
    if rms_px > FITS_BADLY_PX:
        told.append(
            f"the mat's corners fit only to {rms_px:.2f} px (below {FITS_BADLY_PX} is usual): does it lie flat, and "
            "does the platter wobble?"
        )
    return told


def _entry(frame: SeenFrame, pose: Pose, angle_deg: float, source: PoseSource, rms_px: float | None) -> FramePose:
    return FramePose(
        index=frame.index,
        file=frame.file,
        R=_matrix(pose.R),
        t_mm=_row(pose.t_mm, 5),
        angle_deg=round(angle_deg, 4),
        corners=len(frame.corners) if rms_px is not None else 0,
        rms_px=None if rms_px is None else round(rms_px, 4),
        source=source,
    )


def _turn(fitted: TurnFit) -> Turn:
    side, ring = fitted.key
    stand = fitted.stand
    centre = -stand.R0.T @ stand.t0_mm
    foot_x, foot_y = (round(float(value), 4) for value in stand.axis_foot_mm)
    return Turn(
        ring=ring,
        side=side,
        axis_foot_mm=(foot_x, foot_y),
        axis=_row(stand.axis, 9),
        camera_elevation_deg=round(stand.camera_elevation_deg, 4),
        camera_distance_mm=round(float(np.linalg.norm(centre)), 3),
        clockwise=fitted.sign < 0,
    )


def _row(values: Floats, digits: int) -> Row:
    x, y, z = (round(float(value), digits) for value in values)
    return x, y, z


def _matrix(values: Floats) -> Matrix:
    return _row(values[0], 10), _row(values[1], 10), _row(values[2], 10)
