"""An object that somebody lays on its head between two sides of a scan."""

import numpy as np
from numpy.typing import NDArray

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.picture.coat import coat_of
from drivers.bench.picture.surface import Surface
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene, SceneObject, turned_over

SIZE_PX = (480, 360)


def wedge() -> SceneObject:
    """A pyramid, 60 mm high, on a square foot, with a tip that is not over its middle."""
    corners = np.array([[-30, -30, 0], [30, -30, 0], [30, 30, 0], [-30, 30, 0], [10, 5, 60]], np.float32)
    faces = np.array([[0, 2, 1], [0, 3, 2], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]], np.uint32)
    return SceneObject(corners, faces, paint_seed=3)


def widths_px(mask: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how wide the object is in each row that shows it."""
    widths = (mask > 0).sum(axis=1)
    return np.asarray(widths[widths > 0])


def test_what_was_the_foot_is_on_top() -> None:
    renderer = Renderer(Scene(wedge(), charuco_mat()))
    upright, over = (widths_px(renderer.truth(*SIZE_PX, 0.0, 10.0, upside_down=over).mask) for over in (False, True))
    assert np.argmax(upright) > 0.8 * len(upright)
    assert np.argmax(over) < 0.2 * len(over)
    photos = [renderer.render(Exposure(*SIZE_PX, (0.0,), upside_down=over)) for over in (False, True, False)]
    assert np.array_equal(photos[0], photos[2]), "on its foot again"
    assert not np.array_equal(photos[0], photos[1])


def test_it_stands_on_the_platter_and_turns_outside_out() -> None:
    thing = wedge()
    over = thing.turned_over()
    assert (over.vertices_mm[:, 2].min(), over.vertices_mm[:, 2].max()) == (0, 60)
    assert np.array_equal(over.turned_over().vertices_mm, thing.vertices_mm)
    volumes = [
        np.einsum("mk,mk->m", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
        for corners in (one.vertices_mm[one.faces].astype(np.float64) for one in (thing, over))
    ]
    assert volumes[0] > 0
    assert np.isclose(volumes[0], volumes[1]), "a mirror image would be another object"


def test_its_paint_goes_with_it() -> None:
    thing = wedge()
    over = thing.turned_over()
    down = np.broadcast_to(np.array([0, 0, -1], np.float32), (400, 3))
    grid = np.stack(np.meshgrid(np.linspace(-20, 20, 20), np.linspace(-20, 20, 20)), axis=-1).reshape(-1, 2)
    above = np.column_stack([grid, np.full(400, 100)]).astype(np.float32)
    surface = Surface(thing.vertices_mm, thing.faces)
    over_surface = Surface(over.vertices_mm, over.faces)
    seen = surface.cast(above, down)
    seen_from_below = over_surface.cast(turned_over(above, 60.0), -down)
    paints = [
        coat_of(one, its).colours(hits, np.full(400, 0.5, np.float32))
        for one, its, hits in ((thing, surface, seen), (over, over_surface, seen_from_below))
    ]
    assert paints[0].std() > 0.02
    assert np.allclose(paints[0], paints[1], atol=0.02)
