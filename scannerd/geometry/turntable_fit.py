"""Least squares over all photos of a scan: Levenberg and Marquardt with Huber's weights and an exact Jacobian.

Each photo adds one unknown of its own, its angle, which meets only the lens and its own turn. So the angles are
eliminated first (Schur's complement), and time grows with the number of photos, not with its cube.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offload.geometry.lens import LENS_UNKNOWNS, Floats, Lens
from offload.geometry.turntable import STAND_UNKNOWNS, Stand, project_with_jacobian
from scannerd.geometry.mat_pose import MatCorners

Columns = NDArray[np.int64]

OWN = LENS_UNKNOWNS + STAND_UNKNOWNS


@dataclass(frozen=True)
class SeenView:
    """One photo that takes part."""

    turn: int
    """Which of the stands is its."""
    corners: MatCorners
    commanded_rad: float
    """In the platter's own direction."""


@dataclass(frozen=True)
class Model:
    """Everything unknown."""

    lens: Lens
    stands: tuple[Stand, ...]
    angles_rad: Floats
    """(views,)."""


@dataclass(frozen=True)
class Beliefs:
    """What is free, and how strongly the rest is believed before any corner was seen."""

    lens_is_free: bool = True
    centre_is_free: bool = False
    """One turn alone cannot see the principal point."""
    huber_px: float = 1.0
    angle_sigma_deg: float = 1.0
    """Of a commanded angle."""
    lens_sigma: tuple[float, ...] = (0.1, 0.01, 0.01, 0.3, 1.0, 0.01, 0.01)
    """Of focal length and principal point, as shares of the focal length, and of k1, k2, p1, p2: an ordinary lens.
    Tames what too few corners cannot tell."""
    sigma_px: float = 0.3
    """Of a corner: what the beliefs are weighed against."""
    most_steps: int = 60

    def free_lens(self) -> list[int]:
        """Return which of the lens' unknowns may move."""
        if not self.lens_is_free:
            return []
        return [unknown for unknown in range(LENS_UNKNOWNS) if self.centre_is_free or unknown not in (1, 2)]


@dataclass
class _Normal:
    """The normal equations at one place: shared unknowns, then one angle a view."""

    cost: float
    shared: Floats
    """(S, S)."""
    gradient: Floats
    """(S,)."""
    coupling: Floats
    """(views, OWN): between a view's angle and lens and stand."""
    angle: Floats
    """(views,)."""
    angle_gradient: Floats
    """(views,)."""


@dataclass
class _Fit:
    """One run, so that what every step needs is said once."""

    views: list[SeenView]
    start: Lens
    beliefs: Beliefs

    def normal(self, model: Model) -> _Normal:
        """Return the robust cost at a model, with its derivatives."""
        size = LENS_UNKNOWNS + STAND_UNKNOWNS * len(model.stands)
        count = len(self.views)
        sums = _Normal(
            0.0, np.zeros((size, size)), np.zeros(size), np.zeros((count, OWN)), np.zeros(count), np.zeros(count)
        )
        for number, view in enumerate(self.views):
            pixels, jacobian = project_with_jacobian(
                model.lens, model.stands[view.turn], model.angles_rad[number], view.corners.points_mm
            )
            self._add(sums, number, own_columns(view.turn), pixels - view.corners.pixels, jacobian)
        self._believe(model, sums)
        return sums

    def _add(self, sums: _Normal, number: int, own: Columns, residual: Floats, jacobian: Floats) -> None:
        length = np.linalg.norm(residual, axis=1)
        if not np.all(np.isfinite(length)):
            sums.cost = np.inf
            return
        limit = self.beliefs.huber_px
        far = length > limit
        weight = np.where(far, limit / np.maximum(length, 1e-12), 1.0)
        sums.cost += float(np.where(far, limit * (2 * length - limit), length**2).sum())
        rows = jacobian.reshape(-1, OWN + 1)
        weighted = rows * np.repeat(weight, 2)[:, None]
        block, slope = weighted.T @ rows, weighted.T @ residual.ravel()
        sums.shared[np.ix_(own, own)] += block[:OWN, :OWN]
        sums.gradient[own] += slope[:OWN]
        sums.coupling[number] = block[:OWN, OWN]
        sums.angle[number] += block[OWN, OWN]
        sums.angle_gradient[number] += slope[OWN]

    def _believe(self, model: Model, sums: _Normal) -> None:
        """Add what is believed beforehand."""
        focal, belief = self.start.focal_px, self.beliefs
        sigma = np.array(belief.lens_sigma) * np.array([focal, focal, focal, 1, 1, 1, 1])
        now = np.array([model.lens.focal_px, *model.lens.centre_px, *model.lens.distortion[:4]])
        expected = np.array([focal, *self.start.centre_px, 0, 0, 0, 0])
        weight = (belief.sigma_px / sigma) ** 2
        lens = np.arange(LENS_UNKNOWNS)
        sums.shared[lens, lens] += weight
        sums.gradient[lens] += weight * (now - expected)
        commanded = np.array([view.commanded_rad for view in self.views])
        off = np.angle(np.exp(1j * (model.angles_rad - commanded)))
        angle_weight = (belief.sigma_px / np.deg2rad(belief.angle_sigma_deg)) ** 2
        sums.angle += angle_weight
        sums.angle_gradient += angle_weight * off
        sums.cost += float((weight * (now - expected) ** 2).sum() + (angle_weight * off**2).sum())

    def step(self, sums: _Normal, damping: float, stands: int) -> tuple[Floats, Floats]:
        """Return the damped step: shared unknowns (S,), angles (views,)."""
        angle = sums.angle * (1 + damping)
        shared = sums.shared + damping * np.diag(np.diag(sums.shared) + 1e-12)
        slope = sums.gradient.copy()
        for number, view in enumerate(self.views):
            own, coupling = own_columns(view.turn), sums.coupling[number]
            shared[np.ix_(own, own)] -= np.outer(coupling, coupling) / angle[number]
            slope[own] -= coupling * sums.angle_gradient[number] / angle[number]
        free = np.array([*self.beliefs.free_lens(), *range(LENS_UNKNOWNS, LENS_UNKNOWNS + STAND_UNKNOWNS * stands)])
        step = np.zeros(len(slope))
        step[free] = -np.linalg.solve(shared[np.ix_(free, free)], slope[free])
        along = [sums.coupling[number] @ step[own_columns(view.turn)] for number, view in enumerate(self.views)]
        return step, -(sums.angle_gradient + np.array(along)) / angle


def own_columns(turn: int) -> Columns:
    """Return where lens and stand of a turn are among the shared unknowns."""
    first = LENS_UNKNOWNS + STAND_UNKNOWNS * turn
    return np.concatenate([np.arange(LENS_UNKNOWNS), np.arange(first, first + STAND_UNKNOWNS)])


def fit(start: Model, views: list[SeenView], beliefs: Beliefs) -> Model:
    """Return the model that fits the corners best, from a start that is roughly right."""
    run = _Fit(views, start.lens, beliefs)
    model, damping = start, 1e-3
    sums = run.normal(model)
    for _ in range(beliefs.most_steps):
        shared, angles = run.step(sums, damping, len(model.stands))
        candidate = moved(model, shared, angles)
        new = run.normal(candidate)
        if not new.cost < sums.cost:
            damping *= 8
            if damping > 1e10:
                break
            continue
        converged = sums.cost - new.cost < 1e-9 * sums.cost
        model, sums = candidate, new
        damping = max(damping / 8, 1e-9)
        if converged:
            break
    return model


def moved(model: Model, shared: Floats, angles: Floats) -> Model:
    """Return the model after a step."""
    own = shared[LENS_UNKNOWNS:].reshape(-1, STAND_UNKNOWNS)
    return replace(
        model,
        lens=model.lens.moved(shared[:LENS_UNKNOWNS]),
        stands=tuple(stand.moved(step) for stand, step in zip(model.stands, own, strict=True)),
        angles_rad=model.angles_rad + angles,
    )
