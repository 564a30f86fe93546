import pytest

from scannerd.scan.phases import TRANSITIONS, IllegalTransition, Phase, PhaseTracker


def test_every_phase_has_a_row_and_can_be_reached_from_idle() -> None:
    assert set(TRANSITIONS) == set(Phase)
    reached = {Phase.IDLE}
    while True:
        further = reached | {after for phase in reached for after in TRANSITIONS[phase]}
        if further == reached:
            break
        reached = further
    assert reached == set(Phase)


def test_every_phase_can_end_at_once() -> None:
    assert all(Phase.IDLE in following for phase, following in TRANSITIONS.items() if phase is not Phase.IDLE)


def test_nothing_is_captured_without_settling_and_nothing_settles_without_having_moved_or_been_taken() -> None:
    assert {phase for phase, after in TRANSITIONS.items() if Phase.CAPTURING in after} == {Phase.SETTLING}
    before_settling = {phase for phase, after in TRANSITIONS.items() if Phase.SETTLING in after}
    assert not before_settling & {Phase.IDLE, Phase.PREPARING, Phase.SEALING}


@pytest.mark.parametrize("start", list(Phase))
@pytest.mark.parametrize("end", list(Phase))
def test_the_tracker_allows_exactly_the_table(start: Phase, end: Phase) -> None:
    tracker = PhaseTracker()
    tracker.phase = start
    if end in TRANSITIONS[start]:
        tracker.enter(end)
        assert tracker.phase is end
    else:
        with pytest.raises(IllegalTransition, match=f"{start} → {end}"):
            tracker.enter(end)
        assert tracker.phase is start
