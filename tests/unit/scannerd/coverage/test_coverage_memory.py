"""What coverage remembers of each photo. Allocations are counted, so nothing depends on the machine."""

import tracemalloc

import numpy as np
from seen_things import SMALL, barrel_mask, looks, plan_of
from turntable_seen import BenchTurn, true_lens

from scannerd.coverage.coverage import MASKS_KEPT, Coverage
from scannerd.coverage.sighting import KeptSighting, Sighting
from scannerd.quality.look import Look
from scannerd.scan.plan import ScanPlan

VIEWS = 24


def add(coverage: Coverage, plan: ScanPlan, found: list[Look], photos: range) -> None:
    """Take in photos of a scan that goes round and round."""
    for index in photos:
        turned = {"index": index, "angle_deg": index * 360 / VIEWS}
        view = plan.viewpoints[index % VIEWS].model_copy(update=turned)
        coverage.add(view, view.angle_deg, found[index % VIEWS], SMALL)


def test_a_photo_more_costs_coverage_some_kilobytes_at_first_and_about_one_later() -> None:
    plan, found = plan_of(VIEWS), looks(BenchTurn(views=VIEWS))
    coverage, weights = Coverage(plan), []
    tracemalloc.start()
    try:
        for photos in (range(30), range(30, MASKS_KEPT), range(MASKS_KEPT, 3 * MASKS_KEPT)):
            add(coverage, plan, found, photos)
            weights.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    at_30, with_all_masks, later = weights
    assert with_all_masks - at_30 < 0.8e6, "42 masks as they are would be 1.8 MB"
    assert later - with_all_masks < 0.5e6


def test_a_mask_comes_out_as_it_was_put_in() -> None:
    turn = BenchTurn(views=VIEWS)
    mask = barrel_mask(turn.true_pose(3))[:-7, :-3]
    sighting = Sighting(turn.true_pose(3), true_lens(), None, sharp=True)
    kept = KeptSighting.of(sighting, mask)
    assert np.array_equal(kept.whole.mask, mask)
    assert kept.whole.pose is sighting.pose
    assert len(kept.bits) <= mask.size / 8 + 1
