"""How the platter's plane looks in this camera, learned from the scan's own photos of the mat: pixels to degrees.

Camera and axis do not move within a ring, so every photo of it sees the same plane. A point of the mat at m (mm)
lies at R(θ)(m + s) in the plane, with θ the platter's angle and s where the mat's centre lies. It is seen at

    u = H R(θ)(m + s),   pixel = centre + L (1 + k |u|²) u

with one homography H and one radial distortion k for the ring, L half the photo's diagonal. The first photo's angle
is taken for granted (that is what the others are compared with) and its s for 0: where the axis is need not be known,
and no calibration is needed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.wire.bundle import MatSpec
from scannerd.quality.look import MatReading
from scannerd.quality.mat_reading import MatReader
from scannerd.scan.least_squares import Vector, fit

LEAST_CORNERS = 12
LARGEST_RESIDUAL_SHARE = 0.003
"""Of half the photo's diagonal, RMS: 3 pixels of a 1600 px wide photo. More means that the camera was moved."""
LARGEST_SHIFT_MM = 12.0
"""The mat's centre circles the axis by what it lies beside it; more means that somebody moved mat or camera."""
USUAL_DISTORTION = 0.3
_NOISE_SHARE = 2e-4
_MM = 100.0
"""Millimetres in the fit's unit: its parameters are all about 1 then."""
_RANSAC = 0.004


class CannotTell(RuntimeError):
    """The mat does not say at which angle the platter stands. The message says why."""


@dataclass(frozen=True)
class Reference:
    """A photo of the mat and the platter's angle in it."""

    angle_deg: float
    reading: MatReading


@dataclass(frozen=True)
class SeenAngle:
    """What one photo of the mat says."""

    angle_deg: float
    """Of the platter, counter-clockwise seen from above, the turn nearest to what was expected."""
    deviation_deg: float
    """One standard deviation, from how well the corners agree."""


class PlatterView:
    """The platter in the photos of one ring."""

    def __init__(self, mat: MatSpec, size_px: tuple[int, int], references: Sequence[Reference]) -> None:
        """Learn from one photo or some, the first with an angle to count from. Raises CannotTell.

        The angles of the others need only be right within some degrees.
        """
        self._points = MatReader(mat).corners_mm / _MM
        self._size_px = size_px
        for reference in references:
            self._require_corners(reference.reading)
        seen = [(self._points[each.reading.numbers], self._normal(each.reading)) for each in references]
        first = math.radians(references[0].angle_deg)
        start = [*_homography(_turned(seen[0][0], first), seen[0][1]), 0.0]
        for reference in references[1:]:
            start += [math.radians(reference.angle_deg), 0.0, 0.0]

        def residuals(values: Vector) -> Vector:
            places = [np.array([first, 0.0, 0.0]), *values[9:].reshape(-1, 3)]
            apart = [
                (_project(values, place, points) - pixels).ravel()
                for place, (points, pixels) in zip(places, seen, strict=True)
            ]
            return np.concatenate([*apart, [values[8] / USUAL_DISTORTION * _NOISE_SHARE]])

        best = fit(residuals, np.array(start))
        self._require_plane(best.residuals)
        self._camera = best.parameters[:9]

    def angle(self, reading: MatReading, expected_deg: float) -> SeenAngle:
        """Return the platter's angle in another photo of the ring. Raises CannotTell.

        `expected_deg` picks one among whole turns, and is where the search begins.
        """
        self._require_corners(reading)
        points, pixels = self._points[reading.numbers], self._normal(reading)
        start = np.array([self._rough_turn(points, pixels), 0.0, 0.0])
        best = fit(lambda place: (_project(self._camera, place, points) - pixels).ravel(), start)
        self._require_plane(best.residuals)
        shift_mm = float(np.hypot(*best.parameters[1:])) * _MM
        if shift_mm > LARGEST_SHIFT_MM:
            raise CannotTell(
                f"the mat lies {shift_mm:.0f} mm beside where it lay, {LARGEST_SHIFT_MM:.0f} mm allowed; "
                "camera or mat was moved"
            )
        angle_deg = math.degrees(best.parameters[0])
        turns = round((expected_deg - angle_deg) / 360)
        return SeenAngle(angle_deg + 360 * turns, math.degrees(best.deviations[0]))

    def _rough_turn(self, points: Vector, pixels: Vector) -> float:
        """Return the turn in radians without the distortion, from the plane alone."""
        homography = np.append(self._camera[:8], 1.0).reshape(3, 3)
        straight = pixels / (1 + self._camera[8] * np.sum(pixels**2, axis=1))[:, None]
        plane = np.column_stack([straight, np.ones(len(straight))]) @ np.linalg.inv(homography).T
        plane = plane[:, :2] / plane[:, 2:]
        a, b = points - points.mean(axis=0), plane - plane.mean(axis=0)
        return float(np.arctan2(np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]), np.sum(a * b)))

    def _normal(self, reading: MatReading) -> Vector:
        width, height = self._size_px
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        return np.asarray((reading.pixels - centre) / (math.hypot(width, height) / 2))

    def _require_corners(self, reading: MatReading) -> None:
        seen = len(reading.numbers)
        if seen < LEAST_CORNERS:
            raise CannotTell(f"{seen} corners of the mat seen, {LEAST_CORNERS} needed")

    def _require_plane(self, residuals: Vector) -> None:
        # The median of |r| is 0.67 standard deviations, and some wrong corners do not change it.
        share = float(np.median(np.abs(residuals))) / 0.67
        if share > LARGEST_RESIDUAL_SHARE:
            unit_px = math.hypot(*self._size_px) / 2
            raise CannotTell(
                f"the mat's corners are {share * unit_px:.1f} px off, {LARGEST_RESIDUAL_SHARE * unit_px:.1f} px "
                "allowed; camera or mat was moved"
            )


def _turned(points: Vector, angle: float) -> Vector:
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]))


def _project(camera: Vector, place: Vector, points: Vector) -> Vector:
    """Return (n, 2) where points of a mat at `place` (radians, shift) are seen, in half diagonals from the centre."""
    homography = np.append(camera[:8], 1.0).reshape(3, 3)
    turned = _turned(points + place[1:3], float(place[0]))
    seen = np.column_stack([turned, np.ones(len(turned))]) @ homography.T
    flat = seen[:, :2] / seen[:, 2:]
    return np.asarray(flat * (1 + camera[8] * np.sum(flat**2, axis=1))[:, None])


def _homography(plane: Vector, seen: Vector) -> NDArray[np.float64]:
    """Return the first eight numbers of the homography, the ninth being 1. Raises CannotTell."""
    homography, _ = cv2.findHomography(plane, seen, cv2.RANSAC, _RANSAC)
    if homography is None:
        raise CannotTell("the mat's corners do not lie in a plane")
    return np.asarray(homography, np.float64).ravel()[:8] / float(homography[2, 2])
