"""What the mat says of the light, where hardly any of it is seen: nothing, rather than a guess."""

import numpy as np
import pytest

from scannerd.quality.mat_evidence import mat_evidence
from scannerd.quality.mat_view import MatView, PlaneFit

SHAPE = (120, 160)
PAPER, INK = 220.0, 60.0


def checked(paper_columns: int) -> MatView:
    """A mat seen from straight above, squares 12 px wide, blurred; paper is plain for so many columns of each."""
    x, y = np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[0]))
    is_paper = (x // 12 + y // 12) % 2 == 0
    share = np.where(is_paper, np.where(x % 12 < paper_columns, 1.0, 0.95), 0.0).astype(np.float32)
    places = np.dstack([x, -y]).astype(np.float32)
    return MatView(
        places_mm=places,
        on_mat=np.full(SHAPE, 255, np.uint8),
        print_share=share,
        half_side_mm=80.0,
        square_px=12.0,
        fit=PlaneFit(np.eye(3), 0.0, (SHAPE[1], SHAPE[0])),
    )


@pytest.mark.parametrize(("paper_columns", "told"), [(12, True), (0, False)])
def test_too_little_plain_paper_tells_nothing_of_the_light(paper_columns: int, told: bool) -> None:
    view = checked(paper_columns)
    bright = INK + (PAPER - INK) * view.print_share
    sight = np.dstack([bright, np.full(SHAPE, 128), np.full(SHAPE, 128)]).astype(np.uint8)
    evidence = mat_evidence(sight, view)
    assert not evidence.differs.any(), "the mat itself"
    assert (evidence.print_levels is not None) is told
    if evidence.print_levels is not None:
        assert (evidence.print_levels.paper, evidence.print_levels.ink) == pytest.approx((PAPER, INK), abs=2)
