"""Photos of two cameras, of different size and white balance."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from offload.engines.poses import Poses, posed_image
from offload.engines.protocol import BadInput
from offload.engines.stop_request import StopRequest
from offload.engines.turntable.camera_colours import with_one_colour
from offload.engines.turntable.posed_views import prepare_posed_views
from offload.engines.turntable.views import Mesh, ViewSet

GAIN = np.array([1.25, 0.9, 0.75])


def skin() -> Mesh:
    """The ball of the conftest, 30 mm around (0, 0, 40)."""
    rings, around = 60, 120
    polar, turn = np.linspace(0, np.pi, rings), 2 * np.pi * np.arange(around) / around
    points = np.array([[np.sin(p) * np.cos(t), np.sin(p) * np.sin(t), np.cos(p)] for p in polar for t in turn])
    faces = []
    for row in range(rings - 1):
        for column in range(around):
            a, b = row * around + column, row * around + (column + 1) % around
            faces += [[a, a + around, b], [b, a + around, b + around]]
    return Mesh(30.0 * points + [0, 0, 40.0], np.array(faces, np.int32))


def seen_by_two(views: ViewSet) -> ViewSet:
    """Every other photo is another camera's, which sees other colours."""
    cameras = tuple(view % 2 for view in range(len(views)))
    images = views.images.copy()
    for view in np.flatnonzero(cameras):
        images[view] = np.clip(images[view] * GAIN + 0.5, 0, 255).astype(np.uint8)
    return replace(views, images=images, cameras=cameras)


def test_the_second_cameras_colours_become_the_firsts(make_ball: Callable[..., object]) -> None:
    views: ViewSet = make_ball(elevations_deg=(20.0, 45.0)).views  # type: ignore[attr-defined]
    two = seen_by_two(views)
    gains = with_one_colour(two, skin(), 0.5, StopRequest())
    assert gains[0] == pytest.approx([1, 1, 1])
    assert gains[1] == pytest.approx(1 / GAIN, rel=0.02)
    own = views.masks[1] > 0
    apart = two.images[1][own].astype(float) - views.images[1][own]
    assert np.abs(np.median(apart, axis=0)).max() <= 2


def test_one_camera_is_left_as_it_is(make_ball: Callable[..., object]) -> None:
    views: ViewSet = make_ball().views  # type: ignore[attr-defined]
    before = views.images.copy()
    assert with_one_colour(views, skin(), 0.5, StopRequest()) == pytest.approx(np.ones((1, 3)))
    assert np.array_equal(views.images, before)


def test_cameras_that_share_no_place_stay_as_they_are(make_ball: Callable[..., object]) -> None:
    views: ViewSet = make_ball().views  # type: ignore[attr-defined]
    alone = replace(views, masks=views.masks.copy(), cameras=(0,) * 8 + (1,) * 8)
    alone.masks[8:] = 0
    assert with_one_colour(alone, skin(), 0.5, StopRequest()) == pytest.approx(np.ones((2, 3)))


def written(folder: Path, views: ViewSet, smaller: dict[int, float], tell_size: bool = True) -> Poses:
    """Write the photos, some of them smaller, and return their poses."""
    images = []
    for view in range(len(views)):
        factor, K, photo = smaller.get(view, 1.0), views.K[view].copy(), views.images[view]
        if factor != 1:
            photo = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            if tell_size:
                K[:2] *= factor
                K[:2, 2] += 0.5 * factor - 0.5
        name = f"{view:02d}.png"
        cv2.imwrite(str(folder / name), photo)
        images.append(posed_image(name, K, views.R[view], views.t[view], np.zeros(5)))
    return Poses.model_validate({"units": "mm", "images": images})


def test_photos_of_two_sizes_become_crops_of_one(make_ball: Callable[..., object], tmp_path: Path) -> None:
    ball = make_ball(elevations_deg=(20.0, 45.0), width=320, height=240)
    views: ViewSet = ball.views  # type: ignore[attr-defined]
    poses = written(tmp_path, views, dict.fromkeys(range(16, 32), 0.625))
    prepared = prepare_posed_views(tmp_path, poses, None, lambda stage, part: None, StopRequest())
    crops = prepared.views
    assert crops.cameras == (0,) * 16 + (1,) * 16
    assert crops.detail[0] == 1
    assert crops.detail[16] == pytest.approx(0.625, rel=0.02)
    for view in range(32):
        centre = crops.projections[view] @ [0, 0, 40, 1]
        rows, columns = np.nonzero(crops.masks[view])
        assert (columns.mean(), rows.mean()) == pytest.approx(tuple(centre[:2] / centre[2]), abs=1.5)
        assert int(crops.masks[view].sum()) == pytest.approx(int(crops.masks[0].sum()), rel=0.06)


def test_a_photo_of_another_size_with_the_same_lens_is_named(
    make_ball: Callable[..., object], tmp_path: Path
) -> None:
    views: ViewSet = make_ball().views  # type: ignore[attr-defined]
    poses = written(tmp_path, views, {5: 0.5}, tell_size=False)
    with pytest.raises(BadInput, match=r"05\.png: 120x90 pixels, the other photos have 240x180"):
        prepare_posed_views(tmp_path, poses, None, lambda stage, part: None, StopRequest())
