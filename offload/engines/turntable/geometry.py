"""From masked photos to a closed mesh: hull, sweep, fuse, refine."""

import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import Cancellation, OnProgress
from offload.engines.turntable.consistency import weigh_depths
from offload.engines.turntable.contact import contact_sigma, spread_to_grid
from offload.engines.turntable.fuse import fuse_depths
from offload.engines.turntable.grid import Field
from offload.engines.turntable.hull import DENSE, Hull, carve_hull
from offload.engines.turntable.mesh import isosurface, largest_component
from offload.engines.turntable.neighbours import choose_neighbours
from offload.engines.turntable.pictures import shrink_for, shrink_pictures
from offload.engines.turntable.refine import (
    Advice,
    Fairness,
    ask_photos,
    combine,
    mean_curvature,
    prepare_normals,
    see_vertices,
)
from offload.engines.turntable.sweep import STRIDE, DepthMaps, Reach, Surface, sweep_step, sweep_view
from offload.engines.turntable.views import Floats, Mesh, Space, ViewSet
from offload.wire.jobs import Stage


def reconstruct_geometry(views: ViewSet, space: Space, progress: OnProgress, cancellation: Cancellation) -> Mesh:
    """Return the object's closed skin in the views' frame.

    Raises BadInput when the silhouettes have nothing in common, EngineCancelled when asked to stop.
    """
    return _Reconstruction(views, space, progress, cancellation).run()


class _Reconstruction:
    """One run, so that what every stage needs is said once."""

    def __init__(self, views: ViewSet, space: Space, progress: OnProgress, cancellation: Cancellation) -> None:
        self.views, self.space = views, space
        self.progress, self.cancellation = progress, cancellation

    def run(self) -> Mesh:
        self._at(Stage.HULL, 0)
        hull = carve_hull(self.views.outlined(), self.space)
        sigma = contact_sigma(hull, self.space)
        hull_weights = self._hull_weights(hull, sigma)
        mesh = hull.mesh
        # Far and coarse first, then near and fine on the shape found.
        for number, (pixel, front, back, shift_px, tolerance) in enumerate(ROUNDS):
            maps = self._sweep(mesh, pixel, front, back, shift_px, number)
            mesh = self._fuse(hull, hull_weights, maps, tolerance, number)
            del maps
        del hull_weights
        return self._refine(mesh, hull, sigma)

    @property
    def _detail(self) -> float:
        """What pictures are shrunk by: a finer voxel asks for finer pictures, a coarser one for no coarser."""
        return float(np.clip(self.space.voxel, FINEST_DETAIL * self.space.unit_mm, self.space.unit_mm))

    @property
    def _few(self) -> bool:
        return len(self.views.outlined()) < DENSE

    def _at(self, stage: Stage, fraction: float) -> None:
        self.cancellation.raise_if_cancelled()
        self.progress(stage, fraction)

    def _hull_weights(self, hull: Hull, sigma: NDArray[np.float32]) -> Field:
        unit = self.space.unit_mm
        spread = spread_to_grid(hull, sigma, 6 * unit)
        return np.asarray(1 / ((spread / unit) ** 2 + np.float32(0.01)) + np.float32(LEAST_HULL_WEIGHT))

    def _centre(self, mesh: Mesh) -> Floats:
        return np.asarray((mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2)

    def _sweep(self, mesh: Mesh, pixel: float, front: float, back: float, shift_px: float, number: int) -> DepthMaps:
        centre = self._centre(mesh)
        pictures = shrink_pictures(self.views, shrink_for(self.views, centre, pixel * self._detail))
        neighbours = choose_neighbours(self.views, centre, SWEEP_NEIGHBOURS)
        unit = self.space.unit_mm
        back = max(back, FEW_BACK) if self._few else back
        reach = Reach(front * unit, back * unit, sweep_step(pictures, neighbours, centre, shift_px))
        surface = Surface(mesh)
        measured = []
        for view in range(len(pictures)):
            self._at(Stage.SWEEP, (number + view / len(pictures)) / len(ROUNDS))
            measured.append(sweep_view(pictures, view, neighbours[view], surface, reach))
        depth, sigma, cosine = (np.stack(maps) for maps in zip(*measured, strict=True))
        K = pictures.K.copy()
        K[:, :2] /= STRIDE
        return DepthMaps(depth, sigma, cosine, K, pictures.R, pictures.t)

    def _fuse(self, hull: Hull, hull_weights: Field, maps: DepthMaps, tolerance: float, number: int) -> Mesh:
        self._at(Stage.FUSE, number / len(ROUNDS))
        witnesses = choose_neighbours(self.views, self._centre(hull.mesh), WITNESSES)
        needed = FEW_AGREEING if self._few else AGREEING
        weights = weigh_depths(maps, witnesses, tolerance * self.space.unit_mm, needed)
        field, _ = fuse_depths(hull, hull_weights, maps, weights, self.space.floor)
        return largest_component(isosurface(field, hull.grid.origin, hull.grid.voxel))

    def _refine(self, mesh: Mesh, hull: Hull, sigma: NDArray[np.float32]) -> Mesh:
        self._at(Stage.REFINE, 0)
        unit = self.space.unit_mm
        wanted = REFINE_PIXEL * self._detail
        pictures = shrink_pictures(self.views, shrink_for(self.views, self._centre(mesh), wanted))
        fairness = Fairness.of(mesh)
        spread = np.minimum(spread_to_grid(hull, sigma, 3 * unit), 1e3 * unit)
        for number, step in enumerate(REFINE_STEPS):
            self._at(Stage.REFINE, number / len(REFINE_STEPS))
            normals = prepare_normals(mesh, fairness)
            if number % 2 == 0:
                best = see_vertices(mesh, pictures, normals, 1.5 * unit)
            bend = mean_curvature(mesh, normals, fairness)
            photos = ask_photos(mesh, normals, bend, pictures, best, REFINE_RADIUS * unit, step * unit)
            outline = self._ask_outlines(mesh, hull, spread)
            stay = Advice(np.zeros(len(normals)), np.full(len(normals), STAY / unit**2))
            shift = fairness.settle(mesh.vertices, normals, combine(photos, outline, stay), STIFFNESS / unit**2)
            vertices = mesh.vertices + normals * np.clip(shift, -unit, unit)[:, None]
            vertices = fairness.relax_along(vertices, normals, 0.2)
            if self.space.floor is not None:
                vertices[:, 2] = np.maximum(vertices[:, 2], self.space.floor)
            mesh = Mesh(vertices, mesh.faces)
        return mesh

    def _ask_outlines(self, mesh: Mesh, hull: Hull, spread: Field) -> Advice:
        """Call vertices back into the hull, and to its skin as long as they may have left it by chance."""
        away = hull.grid.sample(hull.field, mesh.vertices).astype(np.float64)
        sigma = hull.grid.sample(spread, mesh.vertices).astype(np.float64)
        doubt = 1 + (away / (OUTLINE_GIVES_WAY * sigma)) ** 2
        certainty = np.where(away > 0, 1 / OUTSIDE_SIGMA**2 / self.space.unit_mm**2, 1 / (sigma**2 * doubt**2))
        return Advice(-away, certainty)


ROUNDS = ((0.84, 2.0, 25.0, 0.45, 1.5), (0.42, 2.5, 2.5, 0.3, 1.0))
"""For each sweep: what a pixel covers at the object, in units, if the photos are as fine; front and back of the reach
in units; the step in pixels of the median neighbour; how nearly views must agree, in units."""
REFINE_PIXEL = 0.21
"""In units; finer photos hold more noise than shape."""
FINEST_DETAIL = 0.5
SWEEP_NEIGHBOURS = 4
WITNESSES = 8
AGREEING, FEW_AGREEING = 2, 1
"""Witnesses that must have measured a place alike; of few views hardly two others see it. (Twelve of the bunny, F@1:
.891 with one, .861 with two.)"""
FEW_BACK = 5.0
"""In units: how far behind the skin few views look in the last sweep too; the first leaves more of their hull."""
LEAST_HULL_WEIGHT = 0.1
REFINE_STEPS = (0.3, 0.3, 0.2, 0.2, 0.15, 0.15)
"""In units: how far before and behind a vertex the photos are compared, round by round."""
REFINE_RADIUS = 1.0
"""Half the edge of the compared patch, in units."""
OUTLINE_GIVES_WAY = 1.0
"""At how many sigma below the hull's skin the outlines lose half of their say, and soon all."""
OUTSIDE_SIGMA = 0.2
STIFFNESS = 300.0
STAY = 1.0
