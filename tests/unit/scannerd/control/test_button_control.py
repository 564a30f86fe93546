import pytest

from scannerd.commands import Command, Pause, Resume, StartScan
from scannerd.control.button import short_press_means
from scannerd.scan.phases import Phase


@pytest.mark.parametrize(
    ("phase", "interrupted", "command"),
    [
        (Phase.IDLE, None, StartScan()),
        (Phase.IDLE, "cup", Resume()),
        (Phase.PAUSED, None, Resume()),
        (Phase.MOVING, None, Pause()),
        (Phase.CAPTURING, None, Pause()),
        (Phase.SEALING, None, Pause()),
    ],
)
def test_a_short_press_is_the_one_thing_a_person_can_want(
    phase: Phase, interrupted: str | None, command: Command
) -> None:
    assert short_press_means(phase, interrupted) == command
