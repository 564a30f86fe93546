"""The table of faults: complete, safe, and in words that say what to do."""

import pytest

from scannerd.fault_kind import FaultKind
from scannerd.scan.fault_policy import HANDLING, Then, handling_of, question_of


def test_every_kind_has_a_row() -> None:
    assert set(HANDLING) == set(FaultKind)


@pytest.mark.parametrize("kind", FaultKind)
def test_whoever_is_asked_is_told_what_to_do(kind: FaultKind) -> None:
    handling = HANDLING[kind]
    if handling.then in (Then.ASK, Then.WAIT):
        assert handling.question
        assert question_of(kind, "what: observed, expected").endswith(handling.question)


@pytest.mark.parametrize("kind", FaultKind)
def test_where_nobody_can_be_asked_nothing_waits_for_ever(kind: FaultKind) -> None:
    assert handling_of(kind, ask_a_person=False).then is not Then.ASK
    assert handling_of(kind, ask_a_person=False).tries == HANDLING[kind].tries


def test_an_advice_that_the_driver_gave_is_not_given_twice() -> None:
    said = "no image from imx477 in 4.0 s; check the ribbon cable, then Resume"
    assert question_of(FaultKind.CAMERA_SILENT, said) == said
    assert question_of(FaultKind.TURNTABLE_JAMMED, "it does not turn") == (
        "it does not turn; free the platter, then Resume"
    )


def test_a_motor_is_never_forced_more_than_once() -> None:
    assert HANDLING[FaultKind.TURNTABLE_JAMMED].tries == 1


def test_a_mistake_of_our_own_is_not_tried_again() -> None:
    assert HANDLING[FaultKind.INSIDE] == HANDLING[FaultKind.DISK_FAULT]
    assert HANDLING[FaultKind.INSIDE].tries == 0
