from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from offload.wire.bundle import CameraModel
from scannerd.config import Config
from scannerd.scan.plan import ScanPlan, Wishes, plan_scan, viewpoints_on

CAMERA = CameraModel(make="Raspberry Pi", model="imx477", focal_length_mm=9.0, pixel_pitch_um=3.925)
WHEN = datetime(2026, 1, 2, tzinfo=UTC)


@given(st.integers(min_value=3, max_value=720))
def test_a_ring_goes_once_round_in_equal_steps(views: int) -> None:
    viewpoints = viewpoints_on(views)
    angles = [view.angle_deg for view in viewpoints]
    assert [view.index for view in viewpoints] == list(range(views))
    assert angles[0] == 0
    steps = [after - before for before, after in zip(angles, [*angles[1:], 360.0], strict=True)]
    assert steps == pytest.approx([360 / views] * views)


@given(st.integers(min_value=3, max_value=720))
def test_a_plan_is_the_same_after_the_disk(views: int) -> None:
    plan = plan_scan(Config(), CAMERA, "a-scan", WHEN, Wishes(views=views))
    assert ScanPlan.model_validate_json(plan.model_dump_json(indent=2)) == plan
    assert len(plan.viewpoints) == views


def test_a_plan_with_a_gap_is_refused() -> None:
    plan = plan_scan(Config(), CAMERA, "a-scan", WHEN)
    with pytest.raises(ValidationError, match="numbered 0, 1, 2"):
        ScanPlan.model_validate(
            plan.model_dump() | {"viewpoints": [view.model_dump() for view in plan.viewpoints[1:]]}
        )


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 81])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        plan_scan(Config(), CAMERA, name, WHEN)
