"""One turn that several cameras watched: the platter stood at the same angle for all of them, and so lay the mat.

What a camera that looks flat over the mat knows badly, one that looks down on it knows well.
"""

from dataclasses import dataclass, replace

import numpy as np

from offload.engines.turntable.calibrate import FittedStand
from offload.engines.turntable.turn_model import TurnModel
from offload.engines.turntable.turntable_fit import FitWeights, fit
from offload.geometry.lens import Floats
from offload.geometry.turntable import turned

SAME_STOP_DEG = 0.1
"""Photos of one commanded angle that say more than this apart were not taken at one stop: it was visited again."""
LOOSER_TIMES, LOOSER_PX = 1.5, 0.3
"""A camera that fits this much worse among the others than alone does not belong to them."""


@dataclass(frozen=True)
class _Stops:
    of_view: list[list[int]]
    """Camera by camera, the stop of each view."""
    commanded_rad: Floats
    """(S,), in the direction that the platter really turned."""
    angles_rad: Floats
    """(S,), as first found."""
    seen: set[int]
    """Stops where at least one camera saw the platter's angle."""


def joined(stands: list[FittedStand], lens_is_known: list[bool]) -> tuple[list[FittedStand], tuple[str, ...]]:
    """Fit all cameras of a turn again, together; return them in their order, and warnings.

    Where they contradict each other each stays as it was found alone.
    """
    if len(stands) < 2:
        return stands, ()
    if len({stand.sign for stand in stands}) > 1:
        return stands, ("two cameras saw the platter turn in opposite directions: is a picture mirrored?",)
    stops = _stops(stands)
    start = _in_one_frame(stands, stops)
    known = frozenset(camera for camera, is_known in enumerate(lens_is_known) if is_known)
    seen = [one for stand in stands for one in stand.seen]
    model = fit(start, seen, stops.commanded_rad, FitWeights(known_lenses=known))
    together = [
        replace(
            stand,
            model=model.seen_by(camera),
            known=[view for view, stop in enumerate(stops.of_view[camera]) if stop in stops.seen],
        )
        for camera, stand in enumerate(stands)
    ]
    for alone, one in zip(stands, together, strict=True):
        if one.rms_px > LOOSER_TIMES * alone.rms_px + LOOSER_PX:
            return stands, (
                f"the camera of {one.names[0]} fits the other cameras' turntable to {one.rms_px:.2f} px only, by "
                f"itself to {alone.rms_px:.2f} px: each was taken by itself. Was a camera or the mat moved?",
            )
    return together, ()


def _off_rad(stand: FittedStand) -> Floats:
    """(V,): found angle minus the commanded one."""
    turn = stand.model.angles_rad - stand.sign * np.deg2rad(stand.commanded_deg)
    return np.asarray(np.angle(np.exp(1j * turn)))


def _stops(stands: list[FittedStand]) -> _Stops:
    """Views of one commanded angle share a stop unless the mat shows that the platter stood elsewhere."""
    commanded: list[float] = []
    off: list[float | None] = []
    of_view = []
    for stand in stands:
        own = _off_rad(stand)
        own = own - np.median(own[stand.known])
        numbers = []
        for view, angle_deg in enumerate(stand.commanded_deg):
            found = float(own[view]) if view in set(stand.known) else None
            stop = next(
                (
                    number
                    for number, other in enumerate(off)
                    if abs(commanded[number] - angle_deg) < 1e-6 and _may_be_one(found, other)
                ),
                len(off),
            )
            if stop == len(off):
                commanded.append(float(angle_deg))
                off.append(None)
            if off[stop] is None:
                off[stop] = found
            numbers.append(stop)
        of_view.append(numbers)
    commanded_rad = stands[0].sign * np.deg2rad(np.array(commanded))
    angles_rad = commanded_rad + np.array([found or 0.0 for found in off])
    seen = {stop for stop, found in enumerate(off) if found is not None}
    return _Stops(of_view, commanded_rad, angles_rad, seen)


def _may_be_one(first: float | None, second: float | None) -> bool:
    return first is None or second is None or abs(first - second) < np.deg2rad(SAME_STOP_DEG)


def _in_one_frame(stands: list[FittedStand], stops: _Stops) -> TurnModel:
    """Start from every camera's own place, turned to one zero of the angles, and the mat as the best one knows it."""
    best = max(stands, key=lambda stand: sum(len(one) for one in stand.seen)).model.stand
    places = [
        replace(
            stand.model.stand,
            R0=stand.model.stand.R0 @ turned(float(np.median(_off_rad(stand)[stand.known]))),
            tilt=best.tilt,
            offset_mm=best.offset_mm,
        )
        for stand in stands
    ]
    views = [(camera, stop) for camera, numbers in enumerate(stops.of_view) for stop in numbers]
    return TurnModel(tuple(stand.model.lens for stand in stands), tuple(places), stops.angles_rad, tuple(views))
