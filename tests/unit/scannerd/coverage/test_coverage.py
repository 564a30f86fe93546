"""Coverage of things whose outline and skin are known exactly, seen by the bench's own camera."""

from dataclasses import replace

import numpy as np
import pytest
from seen_things import BARREL, SMALL, barrel_mask, looks, plan_of
from turntable_seen import BenchTurn

from scannerd.coverage.coverage import Coverage
from scannerd.coverage.report import CoverageReport, ProposalKind
from scannerd.quality.look import Aspect, Finding, Look, Verdict
from scannerd.scan.plan import ScanPlan


def report_of(plan: ScanPlan, found: list[Look]) -> CoverageReport:
    coverage = Coverage(plan)
    for view, look in zip(plan.viewpoints, found, strict=True):
        coverage.add(view, view.angle_deg, look, SMALL)
    report = coverage.report()
    assert report is not None
    return report


def test_a_barrel_is_seen_but_for_its_foot():
    report = report_of(plan_of(24), looks(BenchTurn(views=24)))
    radius, height = BARREL
    foot = radius**2 / (2 * radius**2 + 2 * radius * height)
    assert report.covered_share == pytest.approx(1 - foot, abs=0.03)
    assert report.unseen_share == pytest.approx(foot, abs=0.03)
    assert report.underside_share == pytest.approx(foot, abs=0.03)
    assert report.covered_share + report.weak_share + report.unseen_share == pytest.approx(1, abs=1e-3)
    assert np.nanmax(np.array(report.map[2:], float)) < 0.1
    assert not report.guessed_camera
    assert report.proposal is not None
    assert report.proposal.kind is ProposalKind.FLIP
    assert report.proposal.gain_share == pytest.approx(foot, abs=0.03)
    assert [view.side for view in report.proposal.viewpoints] == [1] * 24
    assert report.proposal.viewpoints[0].index == 24
    assert report.proposal.viewpoints[0].angle_deg == 360.0


def test_a_camera_that_looks_level_misses_the_top_and_a_higher_ring_is_proposed():
    report = report_of(plan_of(24), looks(BenchTurn(elevation_deg=8.0, views=24)))
    assert report.covered_share == pytest.approx(0.71, abs=0.05)
    proposal = report.proposal
    assert proposal is not None
    assert proposal.kind is ProposalKind.RING
    assert proposal.elevation_deg is not None
    assert proposal.elevation_deg >= 25
    assert {view.elevation_deg for view in proposal.viewpoints} == {proposal.elevation_deg}
    assert {view.ring for view in proposal.viewpoints} == {1}


def test_blurred_photos_leave_their_side_weak():
    found = looks(BenchTurn(views=24))
    blurred = Finding(Aspect.SHARPNESS, 4.0, 2.0, "px", False, "")
    found[4:16] = [replace(look, verdict=Verdict.ASK, findings=(blurred,)) for look in found[4:16]]
    report = report_of(plan_of(24), found)
    assert report.covered_share < 0.7
    weak = np.nanmean(np.array(report.map[2:6], float), axis=0)
    # The bench's camera stands at -90° of the mat at 0°, and goes round the other way: photo 10 looks from 120°.
    middle = (-90 - 150) % 360 / 15
    assert weak[int(middle)] > 0.8
    assert weak[int(middle + 12) % 24] < 0.1


def test_one_wrong_mask_does_not_eat_the_object():
    found = looks(BenchTurn(views=24))
    found[5] = replace(found[5], mask=barrel_mask(BenchTurn(views=24).true_pose(5), radius_mm=10.0))
    assert report_of(plan_of(24), found).covered_share == pytest.approx(0.857, abs=0.04)


def test_reports_come_while_it_scans_and_grow():
    plan, found = plan_of(36), looks(BenchTurn(views=36))
    coverage, told = Coverage(plan), []
    for view, look in zip(plan.viewpoints, found, strict=True):
        report = coverage.add(view, view.angle_deg, look, SMALL)
        if report is not None:
            told.append(report)
    assert len(told) >= 4
    assert [report.covered_share for report in told] == sorted(report.covered_share for report in told)
    assert all(report.proposal is None for report in told)


def test_photos_without_the_mat_are_placed_by_their_angle():
    found = looks(BenchTurn(views=24))
    found[3:9] = [replace(look, mat=None) for look in found[3:9]]
    assert report_of(plan_of(24), found).covered_share == pytest.approx(0.857, abs=0.03)


def test_without_any_mat_it_is_a_guess_and_says_so():
    found = [replace(look, mat=None) for look in looks(BenchTurn(views=24))]
    report = report_of(plan_of(24, mat=None), found)
    assert report.guessed_camera
    assert report.covered_share == pytest.approx(0.857, abs=0.08)


def test_nothing_is_told_of_photos_that_show_no_object():
    found = [replace(look, mask=None) for look in looks(BenchTurn(views=24))]
    coverage, plan = Coverage(plan_of(24)), plan_of(24)
    for view, look in zip(plan.viewpoints, found, strict=True):
        assert coverage.add(view, view.angle_deg, look, SMALL) is None
    assert coverage.report() is None


def test_brackets_and_repeats_show_nothing_new():
    plan, found = plan_of(24), looks(BenchTurn(views=24))
    coverage = Coverage(plan)
    for view, look in zip(plan.viewpoints, found, strict=True):
        coverage.add(view.model_copy(update={"repeat": 1}), view.angle_deg, look, SMALL)
    assert coverage.report() is None


def test_turned_over_it_is_told_of_the_side_that_is_up_now():
    plan, found = plan_of(24), looks(BenchTurn(views=24))
    coverage = Coverage(plan)
    for side in (0, 1):
        for view, look in zip(plan.viewpoints, found, strict=True):
            coverage.add(view.model_copy(update={"side": side}), view.angle_deg, look, SMALL)
    report = coverage.report()
    assert report is not None
    assert (report.side, report.photos) == (1, 24)
    assert report.proposal is None
