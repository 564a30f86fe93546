"""Least squares for the turntable model: Levenberg and Marquardt with Huber's weights and an exact Jacobian."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.mat import MatObservation
from offload.engines.turntable.turn_model import CAMERA_UNKNOWNS, TurnModel
from offload.engines.turntable.turntable_model import CENTRE, DISTORTION, FOCAL, TurntableModel

Floats = NDArray[np.float64]

MIN_FITTED_CORNERS = 4
"""Fewer corners in a view could be one wrong marker."""


@dataclass(frozen=True)
class FitWeights:
    """What is free, and how strongly the rest is believed."""

    known_lenses: frozenset[int] = frozenset()
    """Cameras whose focal length and distortion are not touched."""
    huber_px: float = 1.0
    angle_sigma_deg: float = 0.2
    """Of a commanded angle; counts as `angle_weight_px` of one corner."""
    angle_weight_px: float = 0.3
    distortion_sigma: tuple[float, float, float, float] = (0.3, 1.0, 0.01, 0.01)
    """Of k1, k2, p1, p2 for an ordinary lens: tames what too few corners cannot tell."""
    most_steps: int = 60


def fit(start: TurnModel, seen: list[MatObservation], commanded_rad: Floats, weights: FitWeights) -> TurnModel:
    """Return the model that fits the corners of all views best; `commanded_rad` (S,) in the model's own direction."""
    model, damping = start, 1e-3
    cost, normal, gradient = _linearised(model, seen, commanded_rad, weights)
    free = _free(start, weights)
    for _ in range(weights.most_steps):
        block = normal[np.ix_(free, free)]
        step = np.zeros(len(normal))
        step[free] = -np.linalg.solve(block + damping * np.diag(np.diag(block) + 1e-12), gradient[free])
        candidate = model.moved(step)
        new_cost, new_normal, new_gradient = _linearised(candidate, seen, commanded_rad, weights)
        if not new_cost < cost:
            damping *= 8
            if damping > 1e10:
                break
            continue
        converged = cost - new_cost < 1e-9 * cost
        model, cost, normal, gradient = candidate, new_cost, new_normal, new_gradient
        damping = max(damping / 8, 1e-9)
        if converged:
            break
    return model


def residual_lengths_px(model: TurntableModel, seen: list[MatObservation]) -> list[Floats]:
    """Distance of each fitted corner from where the model puts it, one array a view that took part."""
    return [
        np.linalg.norm(model.project(view, one.points_mm) - one.pixels, axis=1)
        for view, one in enumerate(seen)
        if len(one) >= MIN_FITTED_CORNERS
    ]


def _free(model: TurnModel, weights: FitWeights) -> NDArray[np.int64]:
    is_free = np.ones(model.steady_count + len(model.angles_rad), bool)
    for camera in range(len(model.lenses)):
        lens = is_free[CAMERA_UNKNOWNS * camera :]
        lens[CENTRE] = False
        if camera in weights.known_lenses:
            lens[FOCAL] = lens[DISTORTION] = False
    return np.flatnonzero(is_free)


def _linearised(
    model: TurnModel, seen: list[MatObservation], commanded_rad: Floats, weights: FitWeights
) -> tuple[float, Floats, Floats]:
    """Robust cost, JᵀWJ and JᵀWr over all unknowns of the model."""
    count = model.steady_count + len(model.angles_rad)
    normal, gradient, cost = np.zeros((count, count)), np.zeros(count), 0.0
    for view, one in enumerate(seen):
        if len(one) < MIN_FITTED_CORNERS:
            continue
        pixels, jacobian = model.project_with_jacobian(view, one.points_mm)
        residual = pixels - one.pixels
        length = np.linalg.norm(residual, axis=1)
        if not np.all(np.isfinite(length)):
            return np.inf, normal, gradient
        far = length > weights.huber_px
        weight = np.where(far, weights.huber_px / np.maximum(length, 1e-12), 1.0)
        cost += float(np.where(far, weights.huber_px * (2 * length - weights.huber_px), length**2).sum())
        rows = jacobian.reshape(-1, jacobian.shape[2])
        weighted = rows * np.repeat(weight, 2)[:, None]
        unknowns = model.unknowns_of(view)
        normal[np.ix_(unknowns, unknowns)] += weighted.T @ rows
        gradient[unknowns] += weighted.T @ residual.ravel()
    return cost + _believe(model, commanded_rad, weights, normal, gradient), normal, gradient


def _believe(model: TurnModel, commanded_rad: Floats, weights: FitWeights, normal: Floats, gradient: Floats) -> float:
    """Add what is believed beforehand to the normal equations; return its cost."""
    deviation = np.angle(np.exp(1j * (model.angles_rad - commanded_rad)))
    bends = [
        CAMERA_UNKNOWNS * camera + np.arange(DISTORTION.start, DISTORTION.stop) for camera in range(len(model.lenses))
    ]
    index = np.concatenate([*bends, model.steady_count + np.arange(len(deviation))])
    value = np.concatenate([*(lens.distortion[:4] for lens in model.lenses), deviation])
    angle_scale = weights.angle_weight_px / np.deg2rad(weights.angle_sigma_deg)
    scale = np.concatenate(
        [*[1 / np.array(weights.distortion_sigma)] * len(bends), np.full(len(deviation), angle_scale)]
    )
    normal[index, index] += scale**2
    gradient[index] += scale**2 * value
    return float(((scale * value) ** 2).sum())
