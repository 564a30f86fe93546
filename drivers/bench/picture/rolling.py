"""A rolling shutter: each row is open for the same time, the first one first, the last one last."""

import numpy as np

from drivers.bench.picture.rays import Floats


def row_shares(samples: int, exposed_share: float, rows: int) -> Floats:
    """Return (rows, samples): of the light that a row gathers, the share from around each moment.

    Moments are spread evenly from the first row's opening to the last one's closing; each stands for the time that is
    nearer to it than to any other. A row is open for `exposed_share` of all this.
    """
    opens = np.linspace(0.0, 1.0 - exposed_share, rows)[:, None]
    borders = np.concatenate([[0.0], (np.arange(samples - 1) + 0.5) / (samples - 1), [1.0]])
    begins, ends = np.maximum(borders[:-1], opens), np.minimum(borders[1:], opens + exposed_share)
    open_for = np.maximum(ends - begins, 0.0)
    return np.asarray(open_for / open_for.sum(axis=1, keepdims=True), np.float32)
