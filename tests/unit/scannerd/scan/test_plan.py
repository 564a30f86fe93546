import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from offload.wire.bundle import CameraModel
from scannerd.commands import Wishes
from scannerd.config import Config
from scannerd.scan.pattern import MOST_PHOTOS
from scannerd.scan.plan import ScanPlan, plan_scan

CAMERA = CameraModel(make="Raspberry Pi", model="imx477", focal_length_mm=9.0, pixel_pitch_um=3.925)
WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def photos_of(wishes: Wishes) -> int:
    several = (wishes.rings, wishes.sides, wishes.repeats, wishes.exposure_bracket, wishes.focus_bracket)
    return math.prod(number or 1 for number in several) * (wishes.views or Config().scan.views)


WISHES = st.builds(
    Wishes,
    views=st.none() | st.integers(3, 30),
    rings=st.none() | st.integers(1, 3),
    sides=st.none() | st.integers(1, 3),
    repeats=st.none() | st.integers(1, 3),
    exposure_bracket=st.none() | st.integers(1, 3),
    focus_bracket=st.none() | st.integers(1, 3),
).filter(lambda wishes: photos_of(wishes) <= MOST_PHOTOS)


@given(WISHES)
def test_a_plan_is_the_same_after_the_disk(wishes: Wishes) -> None:
    plan = plan_scan(Config(), CAMERA, "a-scan", WHEN, wishes)
    assert ScanPlan.model_validate_json(plan.model_dump_json(indent=2)) == plan
    assert [view.index for view in plan.viewpoints] == list(range(len(plan.viewpoints)))
    assert (plan.rings, plan.sides) == (wishes.rings or 1, wishes.sides or 1)


def test_a_plan_from_before_there_were_rings_and_sides_still_loads() -> None:
    plan = plan_scan(Config(), CAMERA, "a-scan", WHEN, Wishes(views=4))
    text = json.loads(plan.model_dump_json())
    text["viewpoints"] = [{"index": view["index"], "angle_deg": view["angle_deg"]} for view in text["viewpoints"]]
    assert ScanPlan.model_validate_json(json.dumps(text)) == plan


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
