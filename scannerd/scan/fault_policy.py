"""What a scan does about each kind of fault: try again, wait, ask, or end. Nothing is lost by any of it. Pure.

A retry is safe where it does what was done before and cannot break anything: a frame is asked for again, a platter is
turned once more and slowly. Whatever needs hands pauses the scan with a question, and the motor is off until somebody
answers. What goes away by itself is waited for. A scan ends only where going on is useless; it can be resumed then.
"""

from dataclasses import dataclass
from enum import StrEnum

from scannerd.fault_kind import FaultKind


class Then(StrEnum):
    """What happens when retries did not help, or there are none."""

    GO_ON = "go on"
    """It was mended: said, counted, journaled."""
    ASK = "ask"
    """Pause with a question, motor off; Resume goes on from the same viewpoint."""
    WAIT = "wait"
    """Pause, motor off, until it is over; a person can go on sooner."""
    END = "end"
    """The run fails; Resume begins another one."""


@dataclass(frozen=True)
class Handling:
    """One row of the table."""

    tries: int
    """More attempts at the same thing; a frame's come out of the plan's `max_retakes` besides."""
    then: Then
    question: str = ""
    """What a person is asked to do, where the driver's message does not say it."""


HANDLING: dict[FaultKind, Handling] = {
    FaultKind.CAMERA_SILENT: Handling(1, Then.ASK, "check the ribbon cable, then Resume"),
    FaultKind.CAMERA_UNUSABLE: Handling(0, Then.END),
    FaultKind.FRAME_LATE: Handling(0, Then.GO_ON),
    FaultKind.TURNTABLE_JAMMED: Handling(1, Then.ASK, "free the platter, then Resume"),
    FaultKind.STEPS_LOST: Handling(0, Then.GO_ON),
    FaultKind.POSITION_LOST: Handling(0, Then.END),
    FaultKind.MAT_LOST: Handling(0, Then.ASK, "clear the view of the mat, then Resume"),
    FaultKind.LINK_BROKEN: Handling(2, Then.ASK, "check the cable, then Resume"),
    FaultKind.EMERGENCY_STOP: Handling(0, Then.ASK, "release the emergency stop, then Resume"),
    FaultKind.LOW_VOLTAGE: Handling(0, Then.WAIT, "it goes on by itself; Resume goes on now"),
    FaultKind.DISK_FULL: Handling(0, Then.WAIT, "it goes on by itself once there is room"),
    FaultKind.DISK_FAULT: Handling(0, Then.END),
    FaultKind.STORE_DAMAGED: Handling(0, Then.END),
    FaultKind.HARDWARE: Handling(0, Then.END),
    FaultKind.INSIDE: Handling(0, Then.END),
}


def handling_of(kind: FaultKind, *, ask_a_person: bool) -> Handling:
    """Return the row for this kind; where nobody can be asked, the run ends instead and can be resumed."""
    handling = HANDLING[kind]
    if handling.then is Then.ASK and not ask_a_person:
        return Handling(handling.tries, Then.END)
    return handling


def question_of(kind: FaultKind, message: str) -> str:
    """Return what people read: the fault in the driver's words, and what to do unless these say it already."""
    advice = HANDLING[kind].question
    return message if not advice or "Resume" in message or advice in message else f"{message}; {advice}"
