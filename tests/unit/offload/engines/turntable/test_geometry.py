from typing import Any

import numpy as np
import pytest

from offload.engines.protocol import EngineCancelled
from offload.engines.turntable.geometry import reconstruct_geometry
from offload.engines.turntable.mesh import examine_skin
from offload.engines.turntable.views import Space
from offload.wire.jobs import Stage


class Patience:
    """Cancels after so many questions."""

    def __init__(self, questions: int = 10**9) -> None:
        self.left = questions

    def raise_if_cancelled(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise EngineCancelled("enough")


def test_a_ball_comes_back_closed_and_true(ball: Any) -> None:
    told: list[tuple[Stage, float]] = []
    mesh = reconstruct_geometry(
        ball.views, Space(voxel=1.5, floor=None), lambda stage, part: told.append((stage, part)), Patience()
    )
    skin = examine_skin(mesh)
    assert skin.watertight
    assert skin.components == 1
    error = np.abs(ball.error(mesh))
    seen = mesh.vertices[:, 2] > ball.centre[2] - 10
    assert error[seen].mean() < 0.25
    assert np.percentile(error[seen], 95) < 0.7
    assert {stage for stage, _ in told} == {Stage.HULL, Stage.SWEEP, Stage.FUSE, Stage.REFINE}
    assert all(0 <= part <= 1 for _, part in told)


def test_eight_plain_views_still_give_the_hull(make_ball: Any) -> None:
    plain = make_ball(count=8, painted=False)
    mesh = reconstruct_geometry(plain.views, Space(voxel=2.0, floor=None), lambda stage, part: None, Patience())
    assert examine_skin(mesh).watertight
    around = np.abs(mesh.vertices[:, 2] - plain.centre[2]) < 15
    assert np.abs(plain.error(mesh))[around].mean() < 1.5


def test_nine_views_measure_what_no_outline_tells(make_ball: Any) -> None:
    """A ring at 30 degrees leaves a cone on top of the hull; few views must take it away too."""
    few = make_ball(count=9)
    mesh = reconstruct_geometry(few.views, Space(voxel=1.5, floor=None), lambda stage, part: None, Patience())
    seen = mesh.vertices[:, 2] > few.centre[2] - 5
    error = np.abs(few.error(mesh))[seen]
    assert error.mean() < 0.35
    assert np.percentile(error, 95) < 1.0


def test_it_stops_when_asked(ball: Any) -> None:
    patience = Patience(5)
    with pytest.raises(EngineCancelled):
        reconstruct_geometry(ball.views, Space(voxel=2.0, floor=None), lambda stage, part: None, patience)
    assert patience.left == -1
