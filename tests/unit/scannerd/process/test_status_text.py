from datetime import UTC, datetime
from typing import Any

import pytest

from scannerd.board.state import DeviceState, Leg, Mood, RunningScan, UploadProgress
from scannerd.process.status_text import duration, status_text
from scannerd.scan.phases import Phase

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def state(phase: Phase = Phase.IDLE, **more: Any) -> DeviceState:
    return DeviceState(device="d", version="1", boot="b", seq=1, at=NOW, phase=phase, mood=Mood.IDLE, **more)


def scan(**more: Any) -> RunningScan:
    facts = {"scan_id": "cup", "frames_done": 17, "frames_planned": 36, "percent": 47.2, "elapsed_s": 9.0}
    return RunningScan(**(facts | more))


def upload(leg: Leg) -> UploadProgress:
    return UploadProgress(
        scan_id="mug", leg=leg, percent=0, files_confirmed=0, bytes_confirmed=0, bytes_known=1, updated_at=NOW
    )


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (state(Phase.CAPTURING, scan=scan(remaining_s=70.4)), "scan cup: 17 of 36 photos, 1 min 10 s left"),
        (state(Phase.MOVING, scan=scan(frames_done=0)), "scan cup: 0 of 36 photos"),
        (state(Phase.PREPARING, scan=scan()), "scan cup: 17 of 36 photos, preparing"),
        (state(Phase.PAUSED, scan=scan(remaining_s=70.0)), "paused; scan cup: 17 of 36 photos"),
        (
            state(Phase.PAUSED, scan=scan(question="too dark")),
            "paused: too dark; scan cup: 17 of 36 photos",
        ),
        (state(Phase.JOGGING), "turning the platter"),
        (state(Phase.BACKGROUND), "photographing the empty turntable"),
        (state(), "idle"),
        (state(uploads=(upload(Leg.UPLOADING), upload(Leg.UPLOADING))), "idle; 2 scans wait for upload"),
        (
            state(uploads=(upload(Leg.UPLOADING), upload(Leg.RECONSTRUCTING), upload(Leg.FAILED))),
            "idle; 1 scan waits for upload; 1 scan becomes a model; 1 scan has no model: the service failed",
        ),
        (state(interrupted="cup"), "idle; scan cup can be resumed"),
        (state(interrupted="cup", fault="no image"), "idle; scan cup failed: no image"),
    ],
)
def test_a_persons_words(shown: DeviceState, text: str) -> None:
    assert status_text(shown) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7530, "2 h 5 min")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
