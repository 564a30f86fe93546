"""Things to put on the bench, by name: modelled here, the project's own, or any mesh file."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray

from drivers.bench.picture.clutter import Solid, turned
from drivers.bench.render_set import thing_named
from drivers.bench.scene import SceneObject

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SCANNERD_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / "meshes"
FILES = {"bunny": DATA / "stanford-bunny.obj", "spot": DATA / "spot" / "spot_triangulated.obj"}


class MissingThing(ValueError):
    """A mesh that somebody must fetch first. The message says from where."""


Colours = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def thing(name: str, paint_seed: int) -> SceneObject:
    """Return `owl`, one of `modelled`, one of `FILES`, or the mesh of a file; bare meshes are painted by the seed.

    Raises MeshFileError, MissingThing.
    """
    if name == "owl":
        return thing_named("default")
    if name in modelled:
        return modelled[name]()
    if name in FILES and not FILES[name].is_file():
        raise MissingThing(f"{FILES[name]}: not there (docs/test-data.md says where it comes from); see --objects")
    found = thing_named(str(FILES.get(name, name)))
    return found if found.paint_seed is None else replace(found, paint_seed=paint_seed)


def mug() -> SceneObject:
    """Return a plain, cream-coloured mug with a handle, 95 mm tall: hardly an edge on it but its outline."""
    wall = [(0.0, 0.0), (34.0, 0.0), (38.0, 3.0), (41.0, 50.0), (41.5, 94.0), (40.0, 95.0), (38.5, 94.0)]
    body = turned([*wall, (38.0, 50.0), (35.0, 7.0), (0.0, 5.0)], 128)
    ring = trimesh.creation.torus(26.0, 5.5, major_sections=64, minor_sections=24)
    handle = np.asarray(ring.vertices)[:, [2, 0, 1]] * [0.9, 1.0, 1.1] + [0.0, 43.0, 50.0]
    handle[:, 1] = np.maximum(handle[:, 1], 39.5)  # what would reach into the mug ends within its wall
    return _made([body, (handle, np.asarray(ring.faces))], lambda at: _flat(at, (0.62, 0.56, 0.44)))


def gear() -> SceneObject:
    """Return a plain grey gear wheel of 24 teeth on a shaft, 60 mm tall."""
    angle = np.linspace(0, 2 * np.pi, 24 * 16, endpoint=False)
    tooth = np.clip(3.0 * np.sin(24 * angle), -1, 1)
    rims = [(58.0, 18.0), (58.0, 19.0), (58.0, 41.0), (58.0, 42.0)]
    wheel, faces = turned([(0.0, 18.0), (15.0, 18.0), *rims, (15.0, 42.0), (0.0, 42.0)], len(angle))
    rows = wheel.reshape(-1, len(angle), 3)
    rows[2:6, :, :2] *= (1 + 0.075 * tooth)[None, :, None]
    shaft = turned([(0.0, 0.0), (14.0, 0.0), (14.0, 59.0), (13.0, 60.0), (0.0, 60.0)], 96)
    return _made([(rows.reshape(-1, 3), faces), shaft], lambda at: _flat(at, (0.34, 0.34, 0.35)))


def ball() -> SceneObject:
    """Return a striped ball of 110 mm: its outline never changes while it turns."""
    made = trimesh.creation.icosphere(subdivisions=6, radius=55.0)
    return _made([(np.asarray(made.vertices) + np.array([0, 0, 55.0]), np.asarray(made.faces))], _striped)


def box() -> SceneObject:
    """Return a plain cardboard box, 90 x 60 x 110 mm."""
    made = trimesh.creation.box((90.0, 60.0, 110.0)).subdivide_to_size(3.0)
    solid = (np.asarray(made.vertices) + np.array([0, 0, 55.0]), np.asarray(made.faces))
    return _made([solid], lambda at: _flat(at, (0.45, 0.3, 0.17)))


modelled: dict[str, Callable[[], SceneObject]] = {"mug": mug, "gear": gear, "ball": ball, "box": box}


def _striped(at_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = np.arctan2(at_mm[:, 1], at_mm[:, 0])
    dark = (np.sin(7 * turn + at_mm[:, 2] / 9) > 0)[:, None]
    return np.asarray(np.where(dark, (0.06, 0.10, 0.32), (0.75, 0.55, 0.12)))


def _flat(at_mm: NDArray[np.float64], colour: tuple[float, float, float]) -> NDArray[np.float64]:
    return np.tile(np.array(colour), (len(at_mm), 1))


def _made(solids: list[Solid], colours: Colours) -> SceneObject:
    vertices, faces, count = [], [], 0
    for points, triangles in solids:
        vertices.append(points)
        faces.append(triangles + count)
        count += len(points)
    at = np.concatenate(vertices)
    return SceneObject(
        at.astype(np.float32),
        np.concatenate(faces).astype(np.uint32),
        vertex_colours=colours(at).astype(np.float32),
        height_mm=float(at[:, 2].max()),
    )
