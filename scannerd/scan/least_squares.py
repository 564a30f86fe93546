"""Fitting a few parameters to many numbers of which some are wrong: damped least squares with Huber's weights.

Levenberg (1944) and Marquardt (1963) for the steps, Huber (1964) for the outliers; numpy only, since SciPy is no
library of the device.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

STEPS = 40
NUDGE = 1e-6
DONE = 1e-9
"""A step that changes no parameter by more than this is the last one."""
STUBBORN = 1e9
"""Damping at which no step helps any more."""
HUBER = 3 * 1.48
"""In medians: three standard deviations of the residuals that are sound."""


@dataclass(frozen=True)
class Fit:
    """What fits best."""

    parameters: Vector
    residuals: Vector
    """Unweighted."""
    deviations: Vector
    """Standard deviation of each parameter, as the residuals let expect."""


def fit(residuals_of: Callable[[Vector], Vector], start: Vector) -> Fit:
    """Return the parameters near `start` for which the robust sum of squares is least."""
    parameters = np.array(start, np.float64)
    residuals, damping = residuals_of(parameters), 1e-3
    for _ in range(STEPS):
        slope, weights = _slope(residuals_of, parameters, residuals), _weights(residuals)
        curvature, downhill = slope.T @ (slope * weights[:, None]), slope.T @ (weights * residuals)
        before = float(np.sum(weights * residuals**2))
        while True:
            step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature) + DONE), -downhill)
            after = residuals_of(parameters + step)
            if float(np.sum(weights * after**2)) <= before:
                break
            damping *= 10
            if damping > STUBBORN:
                return _fitted(parameters, residuals, slope)
        parameters, residuals, damping = parameters + step, after, max(damping / 10, DONE)
        if float(np.abs(step).max()) < DONE:
            break
    return _fitted(parameters, residuals, slope)


def _slope(residuals_of: Callable[[Vector], Vector], parameters: Vector, residuals: Vector) -> Vector:
    """Return (residuals, parameters): the derivatives, by small differences."""
    columns = []
    for index in range(len(parameters)):
        nudged = parameters.copy()
        nudged[index] += NUDGE
        columns.append((residuals_of(nudged) - residuals) / NUDGE)
    return np.stack(columns, axis=1)


def _weights(residuals: Vector) -> Vector:
    size = np.abs(residuals)
    limit = HUBER * float(np.median(size))
    return np.asarray(np.minimum(1.0, limit / np.maximum(size, 1e-12)))


def _fitted(parameters: Vector, residuals: Vector, slope: Vector) -> Fit:
    weights = _weights(residuals)
    spare = max(1, len(residuals) - len(parameters))
    variance = float(np.sum(weights * residuals**2)) / spare
    covariance = np.linalg.pinv(slope.T @ (slope * weights[:, None])) * variance
    return Fit(parameters, residuals, np.sqrt(np.maximum(np.diag(covariance), 0.0)))
