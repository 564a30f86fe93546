import pytest
from timed_journal import (
    CYCLE_S,
    FLOOR_S,
    JUDGE_S,
    MOVE_S,
    frame,
    overlapped_photo,
    overlapped_scan,
    photo_of_before,
    write_journal,
)

from scannerd.store.durable import StoreFault
from scannerd.store.layout import ScanFolder
from scannerd.timing.figures import ScanFigures, figures_of
from scannerd.timing.record import NoTimes, timing_of
from scannerd.timing.table import table_of


def figures(tmp_path, lines) -> ScanFigures:
    return figures_of(timing_of(ScanFolder(write_journal(tmp_path / "mug", lines))))


def test_an_even_scan_takes_its_cycle_a_photo(tmp_path):
    seen = figures(tmp_path, overlapped_scan(10))
    assert seen.photos == 10
    assert seen.seconds == pytest.approx(10 * CYCLE_S)
    assert seen.ratio == pytest.approx(CYCLE_S / FLOOR_S)
    assert seen.over.slower_s == pytest.approx(0.2, abs=1e-6)
    assert seen.over.total_s == pytest.approx(seen.seconds - seen.floor_s)
    judge = next(stage for stage in seen.stages if stage.stage == "judge")
    assert (judge.lane, judge.photos) == ("judge", 10)
    assert (judge.median_s, judge.p95_s) == pytest.approx((JUDGE_S, JUDGE_S))
    assert judge.share == pytest.approx(JUDGE_S / CYCLE_S)


def test_waiting_for_the_disk_and_retakes_are_told_apart_from_pauses(tmp_path):
    lines = [
        overlapped_photo(0, 0.0),
        overlapped_photo(1, CYCLE_S + 0.5, waited_s=0.5),
        overlapped_photo(2, 2 * CYCLE_S + 1.5, attempt=2),
        overlapped_photo(3, 3 * CYCLE_S + 1.75),
    ]
    over = figures(tmp_path, lines).over
    assert over.waited_s == pytest.approx(0.5)
    assert over.retaking_s == pytest.approx(1.0)
    assert over.between_s == pytest.approx(0.25)
    assert over.slower_s == pytest.approx(4 * 0.02)


def test_a_journal_of_before_counts_judging_and_storing_as_standing(tmp_path):
    seen = figures(tmp_path, [photo_of_before(index) for index in range(4)])
    assert not seen.overlapped
    assert seen.seconds == pytest.approx(4 * (MOVE_S + 0.3 + 0.15 + 0.1 + 0.25))
    assert seen.over.stood_s == pytest.approx(4 * 0.35)
    assert [stage.stage for stage in seen.stages] == ["move", "settle", "capture", "judge", "store"]
    assert any("not when" in line for line in table_of(seen))


def test_a_resumed_scan_does_not_count_what_lay_between_its_runs(tmp_path):
    lines = [*overlapped_scan(3), {"type": "resumed", "frames": 3}, *overlapped_scan(3, began_s=7.0)]
    for line in lines[4:]:
        line["frame"]["index"] += 3
    seen = figures(tmp_path, lines)
    assert seen.runs == 2
    assert seen.seconds == pytest.approx(6 * CYCLE_S)


def test_photos_without_times_are_counted_and_left_out(tmp_path):
    seen = figures(tmp_path, [{"type": "frame", "frame": frame(0)}, overlapped_photo(1, 0.0)])
    assert (seen.photos, seen.untimed) == (1, 1)


def test_a_scan_without_times_says_so(tmp_path):
    with pytest.raises(NoTimes, match="mug: no photo yet"):
        figures(tmp_path, [])
    with pytest.raises(NoTimes, match="1 photos, none of them with times"):
        figures(tmp_path, [{"type": "frame", "frame": frame(0)}])


@pytest.mark.parametrize(
    "times", [{"stages": {"move": 3}}, {"move_s": "fast"}, [], {"stages": {"move": [0, None]}}, {"stages": [1]}]
)
def test_times_that_nobody_wrote_are_named_by_their_line(tmp_path, times):
    line = {"type": "frame", "frame": frame(0), "times": times}
    with pytest.raises(StoreFault, match="journal entry 1: its times cannot be understood"):
        figures(tmp_path, [line])
