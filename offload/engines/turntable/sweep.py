"""Depth for every pixel: small planes, tilted like the surface known so far, are slid along the line of sight."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.jit import kernel
from offload.engines.turntable.mesh import neighbour_mean, smooth_normals
from offload.engines.turntable.neighbours import Ids
from offload.engines.turntable.pictures import Greys, Pictures
from offload.engines.turntable.raster import NO_FACE, rasterise
from offload.engines.turntable.views import Floats, Mesh

Maps = NDArray[np.float32]

STRIDE = 2
"""Every second pixel of the picture, each way, gets a depth."""
PATCH_RADIUS = 2
"""Patches are 5 x 5 samples."""
BEST_OF = 2
"""How many neighbours must see the place alike; the others may be occluded there."""
MISFIT = 0.03
"""What of the variance between views no depth explains (gloss, curvature, interpolation), noise apart."""
INDEPENDENT_SAMPLES = 6
"""How many of a patch's samples err independently; lens and interpolation blur the rest together."""


@dataclass(frozen=True)
class Reach:
    """Where along the line of sight to look, from the surface known so far, in the poses' unit."""

    front: float
    back: float
    step: float

    @property
    def count(self) -> int:
        """Number of places tried."""
        return int(np.ceil((self.front + self.back) / self.step)) + 1


@dataclass(frozen=True)
class DepthMaps:
    """What every view measured."""

    depth: Maps
    """(V, h, w), along the optical axis; 0 where nothing was measured."""
    sigma: Maps
    """(V, h, w), one standard deviation of the depth; inf where there is none."""
    cosine: Maps
    """(V, h, w), between the line of sight and the surface known so far: turns depth into distance."""
    K: Floats
    """(V, 3, 3), of the maps' pixels."""
    R: Floats
    t: Floats

    def __len__(self) -> int:
        return len(self.depth)

    @property
    def projections(self) -> Floats:
        """(V, 3, 4)."""
        return np.asarray(self.K @ np.concatenate([self.R, self.t[:, :, None]], axis=2))


def sweep_step(pictures: Pictures, neighbours: Ids, centre: Floats, shift_px: float) -> float:
    """Return the step in depth that moves the median neighbour's image by `shift_px`."""
    eyes = -np.einsum("vji,vj->vi", pictures.R, pictures.t)
    distances = np.linalg.norm(eyes - centre, axis=1)
    lines = (eyes - centre) / distances[:, None]
    pairs = [(a, b) for a, row in enumerate(neighbours) for b in row if b >= 0]
    if not pairs:
        return float("inf")
    a, b = np.array(pairs).T
    sines = np.sqrt(np.maximum(1 - np.einsum("ij,ij->i", lines[a], lines[b]) ** 2, 1e-8))
    px_per_unit = pictures.K[a, 0, 0] * sines / distances[a]
    return float(shift_px / np.median(px_per_unit))


class Surface:
    """The shape known so far, ready to be looked at from every view."""

    def __init__(self, mesh: Mesh, smoothing_rounds: int = 4) -> None:
        self.mesh = mesh
        mean = neighbour_mean(mesh.faces, len(mesh.vertices))
        self.normals = smooth_normals(mesh, mean, smoothing_rounds)

    def seen_from(self, pictures: Pictures, view: int, stride: int) -> tuple[Maps, Maps]:
        """Return depth (h, w), inf where empty, and unit normals (h, w, 3) in the camera's frame."""
        shrink = np.diag([1 / stride, 1 / stride, 1.0])
        height, width = pictures.grey.shape[1] // stride, pictures.grey.shape[2] // stride
        projection = shrink @ pictures.projections[view]
        depth, face = rasterise(self.mesh.vertices, self.mesh.faces, projection, height, width)
        normals = np.zeros((height, width, 3), np.float32)
        hit = face != NO_FACE
        normals[hit] = self.normals[self.mesh.faces[face[hit], 0]] @ pictures.R[view].T
        return depth, normals


def sweep_view(
    pictures: Pictures, view: int, neighbours: Ids, surface: Surface, reach: Reach
) -> tuple[Maps, Maps, Maps]:
    """Return this view's depth, its sigma and the surface's cosine (h, w), on every STRIDE-th pixel.

    A place's score is the mean of the best BEST_OF normalised cross-correlations, whose variances are raised by
    the pictures' noise so that plain patches score low. Places at either end of the reach, and ones with a second
    peak nearly as good, are dropped.
    """
    own = neighbours[neighbours >= 0]
    start, normals = surface.seen_from(pictures, view, STRIDE)
    if not len(own):
        return np.zeros_like(start), np.full_like(start, np.inf), np.zeros_like(start)
    turn = pictures.R[own] @ pictures.R[view].T
    inverse = np.linalg.inv(pictures.K[view])
    infinite = pictures.K[own] @ turn @ inverse
    epipole = np.einsum("nij,nj->ni", pictures.K[own], pictures.t[own] - turn @ pictures.t[view])
    return _sweep(
        pictures.grey[view],
        pictures.masks[view],
        pictures.grey,
        own,
        infinite.astype(np.float32),
        epipole.astype(np.float32),
        inverse.astype(np.float32),
        start,
        normals,
        np.array([reach.front, reach.step], np.float32),
        reach.count,
        np.float32(pictures.noise_grey**2),
    )


@kernel()
def _sweep(
    reference: Greys,
    mask: NDArray[np.uint8],
    pictures: Greys,
    own: Ids,
    infinite: Maps,
    epipole: Maps,
    inverse: Maps,
    start: Maps,
    normals: Maps,
    front_and_step: Maps,
    places: int,
    noise: np.float32,
) -> tuple[Maps, Maps, Maps]:
    stride, radius, best_of = 2, 2, 2
    samples = (2 * radius + 1) ** 2
    rows, columns = start.shape
    height, width = reference.shape
    depth = np.zeros((rows, columns), np.float32)
    sigma = np.full((rows, columns), np.float32(np.inf))
    cosine = np.zeros((rows, columns), np.float32)
    front, step = front_and_step[0], front_and_step[1]
    for row in numba.prange(rows):
        patch = np.empty(samples, np.float32)
        scores = np.empty(places, np.float32)
        for column in range(columns):
            y, x = row * stride, column * stride
            first = start[row, column]
            if not np.isfinite(first) or mask[y, x] == 0:
                continue
            spread = _read_patch(reference, x, y, noise, patch)
            if spread == 0:
                continue
            variance = np.float32(0)
            for s in range(samples):
                variance += patch[s] * patch[s]
            ray_x = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
            ray_y = inverse[1, 1] * y + inverse[1, 2]
            nx, ny, nz = normals[row, column, 0], normals[row, column, 1], normals[row, column, 2]
            facing = nx * ray_x + ny * ray_y + nz
            if facing > -0.3:
                # Seen at a slant, or from behind at the rim: tilt the patch towards the viewer.
                nx, ny, nz = 0.4 * nx - 0.6 * ray_x, 0.4 * ny - 0.6 * ray_y, 0.4 * nz - np.float32(0.6)
                facing = nx * ray_x + ny * ray_y + nz
            # The plane's inverse depth over the picture is tilt . (u, v, 1) / depth at the pixel.
            tilt_u = nx * inverse[0, 0] / facing
            tilt_v = (nx * inverse[0, 1] + ny * inverse[1, 1]) / facing
            for place in range(places):
                z = first - front + place * step
                scores[place] = _score(
                    pictures, own, infinite, epipole, x, y, 1 / z, tilt_u / z, tilt_v / z, spread, patch,
                    variance, noise, best_of, height, width,
                )  # fmt: skip
            best = 0
            for place in range(1, places):
                if scores[place] > scores[best]:
                    best = place
            peak = scores[best]
            if best == 0 or best == places - 1 or peak < 0.5:
                continue
            rival = np.float32(-1)
            for place in range(1, places - 1):
                summit = scores[place] > scores[place - 1] and scores[place] >= scores[place + 1]
                if summit and abs(place - best) > 2 and scores[place] > rival:
                    rival = scores[place]
            bend = 2 * peak - scores[best - 1] - scores[best + 1]
            if bend < 1e-4 or rival > peak - 0.04:
                continue
            depth[row, column] = first - front + (best + 0.5 * (scores[best + 1] - scores[best - 1]) / bend) * step
            slant = facing / np.sqrt((ray_x * ray_x + ray_y * ray_y + 1) * (nx * nx + ny * ny + nz * nz))
            cosine[row, column] = -slant
            # Residual variance over squared slope, both from the normalised curve.
            sigma[row, column] = step * np.sqrt(2 * (1 - peak + MISFIT) / (INDEPENDENT_SAMPLES * bend))
    return depth, sigma, cosine


@kernel(parallel=False)
def _read_patch(reference: Greys, x: int, y: int, noise: np.float32, patch: Maps) -> int:
    """Fill `patch`, less mean and slope, at the tightest spacing that shows texture; return that, 0 if none does."""
    height, width = reference.shape
    for spacing in range(1, 4):
        if x < 2 * spacing or y < 2 * spacing or x >= width - 2 * spacing or y >= height - 2 * spacing:
            return 0
        total, along_x, along_y, s = np.float32(0), np.float32(0), np.float32(0), 0
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                value = reference[y + dy * spacing, x + dx * spacing]
                patch[s] = value
                total += value
                along_x += value * dx
                along_y += value * dy
                s += 1
        squares, s = np.float32(0), 0
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                patch[s] -= total / 25 + along_x / 50 * dx + along_y / 50 * dy
                squares += patch[s] * patch[s]
                s += 1
        wanted = 16 if spacing < 3 else 4
        if squares > wanted * 25 * noise:
            return spacing
    return 0


@kernel(parallel=False)
def _score(
    pictures: Greys,
    own: Ids,
    infinite: Maps,
    epipole: Maps,
    x: int,
    y: int,
    nearness: np.float32,
    tilt_u: np.float32,
    tilt_v: np.float32,
    spacing: int,
    patch: Maps,
    variance: np.float32,
    noise: np.float32,
    best_of: int,
    height: int,
    width: int,
) -> np.float32:
    highest, second = np.float32(-1), np.float32(-1)
    for n in range(own.shape[0]):
        h, e = infinite[n], epipole[n]
        pw = h[2, 0] * x + h[2, 1] * y + h[2, 2] + e[2] * nearness
        pu = (h[0, 0] * x + h[0, 1] * y + h[0, 2] + e[0] * nearness) / pw
        pv = (h[1, 0] * x + h[1, 1] * y + h[1, 2] + e[1] * nearness) / pw
        # The plane's homography, made affine around the patch's centre: a patch is a hundredth of the distance.
        w_u, w_v = h[2, 0] + e[2] * tilt_u, h[2, 1] + e[2] * tilt_v
        uu = (h[0, 0] + e[0] * tilt_u - pu * w_u) / pw * spacing
        uv = (h[0, 1] + e[0] * tilt_v - pu * w_v) / pw * spacing
        vu = (h[1, 0] + e[1] * tilt_u - pv * w_u) / pw * spacing
        vv = (h[1, 1] + e[1] * tilt_v - pv * w_v) / pw * spacing
        reach_u, reach_v = 2 * (abs(uu) + abs(uv)), 2 * (abs(vu) + abs(vv))
        if not (pu > reach_u and pv > reach_v and pu + reach_u < width - 1.01 and pv + reach_v < height - 1.01):
            continue
        picture = pictures[own[n]]
        total, squares, products, s = np.float32(0), np.float32(0), np.float32(0), 0
        along_x, along_y = np.float32(0), np.float32(0)
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                su, sv = pu + uu * dx + uv * dy, pv + vu * dx + vv * dy
                column, row = int(su), int(sv)
                fu, fv = su - np.float32(column), sv - np.float32(row)
                upper = picture[row, column] + fu * (picture[row, column + 1] - picture[row, column])
                lower = picture[row + 1, column] + fu * (picture[row + 1, column + 1] - picture[row + 1, column])
                value = upper + fv * (lower - upper)
                total += value
                squares += value * value
                products += patch[s] * value
                along_x += value * dx
                along_y += value * dy
                s += 1
        theirs = squares - total * total / 25 - (along_x * along_x + along_y * along_y) / 50
        floor = 25 * noise
        score = products / np.sqrt((variance + floor) * (max(theirs, np.float32(0)) + floor))
        if score > highest:
            second = highest
            highest = score
        elif score > second:
            second = score
    if best_of == 1 or own.shape[0] == 1:
        return highest
    return np.float32(0.5) * (highest + second)
