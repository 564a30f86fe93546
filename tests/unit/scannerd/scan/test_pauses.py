"""A pause takes its time to begin: the table comes to rest, photos reach the disk. Who goes on meanwhile is heard."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from scannerd.events import Event, ScanPaused
from scannerd.scan.control import RunControl
from scannerd.scan.pauses import Pauses


@dataclass
class Stage:
    """Everything that a pause waits for; whoever goes on does so while the table comes to rest."""

    control: RunControl = field(default_factory=RunControl)
    told: list[Event] = field(default_factory=list)
    goes_on_while_coming_to_rest: bool = False
    waited: int = 0
    in_hand: int = 0

    async def rest(self) -> None:
        if self.goes_on_while_coming_to_rest:
            self.control.resume()

    def break_rhythm(self) -> None:
        pass

    async def wait_for_resume(self, patience_s: float | None) -> bool:
        self.waited += 1
        self.control.resume()
        return False

    def pauses(self) -> Pauses:
        scan: Any = type("Scan", (), {"plan": type("Plan", (), {"scan_id": "cup"})})
        stage: Any = self
        return Pauses(scan, stage, stage, self.control, stage, lambda _: None, self.told.append)


@pytest.mark.parametrize("goes_on", [False, True])
async def test_a_person_who_goes_on_before_everything_rests_is_not_waited_for(goes_on: bool) -> None:
    stage = Stage(goes_on_while_coming_to_rest=goes_on)
    stage.control.pause()
    await stage.pauses().pause(None)
    assert (len(stage.told), stage.waited) == ((0, 0) if goes_on else (1, 1))
    assert not stage.control.pause_wanted


async def test_a_question_is_asked_whatever_was_wanted_before_it() -> None:
    stage = Stage(goes_on_while_coming_to_rest=True)
    await stage.pauses().pause("turn the object over")
    assert stage.told == [ScanPaused("cup", "turn the object over", None)]
    assert stage.waited == 1
