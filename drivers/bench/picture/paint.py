"""Paint for things that come without any: solid noise, looked up where a ray hits."""

from dataclasses import dataclass

import numpy as np

from drivers.bench.picture.rays import Floats

_LATTICE = 32
_PALETTES = (
    ((0.30, 0.16, 0.08), (0.62, 0.44, 0.30), (0.86, 0.80, 0.70)),
    ((0.10, 0.17, 0.22), (0.34, 0.45, 0.47), (0.80, 0.82, 0.74)),
    ((0.16, 0.20, 0.09), (0.50, 0.46, 0.24), (0.84, 0.80, 0.62)),
)


class SolidNoise:
    """Value noise on a lattice that repeats after 32 cells; each octave is turned so that no grid shows."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._values = rng.random(_LATTICE**3, dtype=np.float32)
        self._turns = tuple(np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(np.float32) for _ in range(8))

    def octave(self, points_mm: Floats, period_mm: float, number: int) -> Floats:
        """Return (n,) from 0 to 1."""
        place = (self._turns[number % 8] / np.float32(period_mm)).T @ points_mm.T + np.float32(17.3 * number)
        floor = np.floor(place)
        fx, fy, fz = place - floor
        fx, fy, fz = (share * share * (3 - 2 * share) for share in (fx, fy, fz))
        low = floor.astype(np.int32) & (_LATTICE - 1)
        high = (low + 1) & (_LATTICE - 1)
        x0, x1 = low[0] * (_LATTICE**2), high[0] * (_LATTICE**2)
        y0, y1 = low[1] * _LATTICE, high[1] * _LATTICE
        z0, z1 = low[2], high[2]
        edges = [self._between(x + y, z0, z1, fz) for x, y in ((x0, y0), (x0, y1), (x1, y0), (x1, y1))]
        near = edges[0] + fy * (edges[1] - edges[0])
        far = edges[2] + fy * (edges[3] - edges[2])
        return np.asarray(near + fx * (far - near), dtype=np.float32)

    def _between(self, row: np.ndarray, low: np.ndarray, high: np.ndarray, share: Floats) -> Floats:
        first = self._values.take(row + low)
        return np.asarray(first + share * (self._values.take(row + high) - first))

    def fractal(
        self, points_mm: Floats, period_mm: float, octaves: int, footprint_mm: float, fade: float = 0.6
    ) -> Floats:
        """Return (n,) from 0 to 1; octaves finer than two pixels (`footprint_mm` each) count as their mean."""
        total = np.zeros(len(points_mm), np.float32)
        weight, weights = 1.0, 0.0
        for number in range(octaves):
            period = period_mm / 2**number
            weights += weight
            if period >= 2 * footprint_mm:
                total += np.float32(weight) * self.octave(points_mm, period, number)
            else:
                total += np.float32(weight * 0.5)
            weight *= fade
        return np.asarray(total / np.float32(weights))


@dataclass(frozen=True)
class StonePaint:
    """A speckled, veined stone: fine noise runs through three colours that the seed chooses."""

    seed: int

    def colours(self, points_mm: Floats, footprint_mm: float) -> Floats:
        """Return (n, 3), linear RGB."""
        noise = SolidNoise(self.seed)
        dark, middle, light = (np.array(colour, np.float32) for colour in _PALETTES[self.seed % len(_PALETTES)])
        grain = noise.fractal(points_mm, 6.0, 5, footprint_mm, fade=0.72)
        vein = noise.octave(points_mm, 34.0, 5)
        rough = (grain - 0.5) * np.float32(7.5) + (vein - 0.5) * np.float32(1.2)
        level = (0.5 + 0.5 * rough / np.sqrt(1 + rough * rough))[:, None]
        lower = dark + (middle - dark) * np.minimum(2 * level, 1)
        return np.asarray(lower + (light - middle) * np.maximum(2 * level - 1, 0), dtype=np.float32)
