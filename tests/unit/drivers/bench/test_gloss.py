"""A glossy ball mirrors the lights where a mirror would, and nothing of it turns with the ball."""

import numpy as np
import pytest

from drivers.bench.picture.clutter import ball
from drivers.bench.picture.lights import AreaLight, bench_lighting
from drivers.bench.picture.rays import camera_pose
from drivers.bench.picture.textures import srgb_to_linear
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene, SceneObject

SIZE_PX = (480, 360)
RADIUS_MM = 40.0
GLAZE = 0.04
NEAR_PX = 12


def shine(angle_deg: float) -> np.ndarray:
    """Return (h, w): what gloss adds, linear light."""
    vertices, faces = ball(RADIUS_MM)
    photos = []
    for gloss in (GLAZE, 0.0):
        thing = SceneObject(vertices.astype(np.float32), faces.astype(np.uint32), paint_seed=1, gloss=gloss)
        scene = Scene(thing, None, mat_offset_mm=(0.0, 0.0))
        # Dim enough that no highlight is blown out.
        photos.append(Renderer(scene).render(Exposure(*SIZE_PX, (angle_deg,), exposure_us=8_000.0)))
    glossy, matt = (srgb_to_linear(photo).mean(axis=2) for photo in photos)
    return np.asarray(glossy - matt)


def mirror_px(scene: Scene, light: AreaLight) -> np.ndarray:
    """Return where a mirroring ball shows a light: its normal halves the way from light to eye."""
    pose = camera_pose(scene.camera)
    centre = np.array([0.0, 0.0, RADIUS_MM])
    place = light.centre_mm.astype(float)
    normal = np.array([0.0, 0.0, 1.0])
    for _ in range(50):
        at = centre + RADIUS_MM * normal
        half = (place - at) / np.linalg.norm(place - at) + (pose.centre_mm - at) / np.linalg.norm(pose.centre_mm - at)
        normal = half / np.linalg.norm(half)
    seen = scene.camera.matrix_px(*SIZE_PX) @ (pose.R @ (centre + RADIUS_MM * normal) + pose.t)
    return np.asarray(seen[:2] / seen[2])


def brightest_px(light: np.ndarray, near_px: np.ndarray) -> np.ndarray:
    """Return the middle of the brightest spot around a place."""
    left, top = np.round(near_px).astype(int) - NEAR_PX
    there = light[top : top + 2 * NEAR_PX + 1, left : left + 2 * NEAR_PX + 1]
    y, x = np.nonzero(there > 0.9 * there.max())
    return np.array([x.mean() + left, y.mean() + top])


def test_lights_are_mirrored_where_a_mirror_shows_them() -> None:
    vertices, faces = ball(RADIUS_MM)
    scene = Scene(SceneObject(vertices.astype(np.float32), faces.astype(np.uint32)), None)
    light = shine(0.0)
    assert light.max() > 0.05
    assert light.min() > -0.02, "gloss takes no light away, but for noise"
    key, fill, _ = bench_lighting(scene.light_seed).lights
    for lamp in (key, fill):
        expected = mirror_px(scene, lamp)
        assert np.linalg.norm(brightest_px(light, expected) - expected) < 4


def test_a_highlight_stays_where_it_is_while_the_object_turns() -> None:
    """Which is why glossy objects are hard: what moves with the camera is no mark on the surface."""
    still, turned = shine(0.0), shine(40.0)
    shining = still > 0.5 * still.max()
    assert shining.sum() > 50
    assert turned[shining] == pytest.approx(still[shining], rel=0.25)
    assert turned.max() == pytest.approx(still.max(), rel=0.1)
