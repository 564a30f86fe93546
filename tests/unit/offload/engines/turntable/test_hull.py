import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import trimesh

from offload.engines.protocol import BadInput
from offload.engines.turntable.contact import contact_sigma
from offload.engines.turntable.hull import carve_hull
from offload.engines.turntable.mesh import examine_skin
from offload.engines.turntable.raster import rasterise
from offload.engines.turntable.views import Space

SPACE = Space(voxel=1.5, floor=None)


def sees_outline(ball: Any, vertices: np.ndarray) -> np.ndarray:
    """Where a ring at 30 degrees sees the ball's outline: up to 60 degrees of latitude."""
    latitude = np.degrees(
        np.arcsin((vertices[:, 2] - ball.centre[2]) / np.linalg.norm(vertices - ball.centre, axis=1))
    )
    return np.abs(latitude) < 45


def test_the_hull_of_a_ball_holds_it_closely_from_outside(ball: Any) -> None:
    hull = carve_hull(ball.views, SPACE)
    error = ball.error(hull.mesh)
    assert hull.biting == ()
    assert examine_skin(hull.mesh).watertight
    assert error.min() > -0.35, "a tenth of a pixel of discretisation aside, nothing of the ball is cut away"
    around = sees_outline(ball, hull.mesh.vertices)
    # Sixteen tangent planes: at most r (1 / cos(360/32) - 1) = 0.6 mm outside.
    assert np.median(error[around]) < 0.4
    assert np.percentile(error[around], 95) < 0.9


def test_masks_that_bite_are_named_and_left_out(make_ball: Callable[..., Any]) -> None:
    ball = make_ball(count=24)
    masks = ball.views.masks.copy()
    masks[7, 60:120, 90:150] = 0
    masks[15, 80:110, 70:110] = 0
    hull = carve_hull(dataclasses.replace(ball.views, masks=masks), SPACE)
    assert hull.biting == ("0007.jpg", "0015.jpg")
    assert ball.error(hull.mesh).min() > -0.5


@pytest.mark.parametrize("count", [9, 12, 18])
def test_a_tunnel_that_one_of_few_views_looks_through_stays_open(make_ball: Callable[..., Any], count: int) -> None:
    """True outlines of few views cut alone or in pairs; none may be taken for a mask that lost a piece."""
    ball = make_ball(count=count)
    pipe = trimesh.creation.annulus(r_min=4.0, r_max=20.0, height=40.0)
    along = ball.views.centres[0] - ball.centre
    pipe.apply_transform(trimesh.geometry.align_vectors([0, 0, 1], along / np.linalg.norm(along)))
    pipe.apply_translation(ball.centre)
    height, width = ball.views.masks.shape[1:]
    faces = np.asarray(pipe.faces, np.int32)
    masks = [np.isfinite(rasterise(pipe.vertices, faces, p, height, width)[0]) for p in ball.views.projections]
    hull = carve_hull(dataclasses.replace(ball.views, masks=np.array(masks).astype(np.uint8)), SPACE)
    assert hull.biting == ()
    assert not hull.tolerant
    assert hull.grid.sample(hull.field, ball.centre[None])[0] > 1, "the tunnel is open"


def test_the_floor_closes_the_underside(ball: Any) -> None:
    hull = carve_hull(ball.views, Space(voxel=1.5, floor=25.0))
    assert examine_skin(hull.mesh).watertight
    assert hull.mesh.vertices[:, 2].min() == pytest.approx(25.0, abs=0.05)


def test_skin_that_outlines_pin_down_is_trusted_and_the_cone_on_top_is_not(ball: Any) -> None:
    hull = carve_hull(ball.views, SPACE)
    sigma = contact_sigma(hull, SPACE)
    error = ball.error(hull.mesh)
    sure = sigma < 0.25
    assert sure.mean() > 0.4
    assert np.percentile(error[sure], 95) < 0.4
    apex = np.argmax(hull.mesh.vertices[:, 2])
    assert error[apex] > 2
    assert sigma[apex] > 0.5


def test_an_empty_mask_names_its_photo(ball: Any) -> None:
    masks = ball.views.masks.copy()
    masks[3] = 0
    with pytest.raises(BadInput, match=r"0003\.jpg"):
        carve_hull(dataclasses.replace(ball.views, masks=masks), SPACE)


def test_bounds_beside_the_object_are_said(ball: Any) -> None:
    elsewhere = Space(voxel=1.5, floor=None, low=np.array([500.0, 500, 500]), high=np.array([600.0, 600, 600]))
    with pytest.raises(BadInput, match="hold nothing"):
        carve_hull(ball.views, elsewhere)
