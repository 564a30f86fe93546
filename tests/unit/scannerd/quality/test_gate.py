"""The gate accepts good photos of anything and stops blurred, blown-out and black ones."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.picture import Planes
from drivers.protocols import Frame
from offload.wire.bundle import Place
from offload.wire.sidecar import SidecarFinding
from scannerd.config import QualitySection
from scannerd.quality.gate import Gate
from scannerd.quality.look import Aspect, Finding, Remedy, Verdict

Thing = Callable[[int, float], NDArray[np.uint8]]

LIMITS = QualitySection()
PLACE = Place(index=0)


def a_frame(pixels: NDArray[np.uint8]) -> Frame:
    """Return RGB as a camera delivers it."""
    photo = Planes.from_rgb(pixels)
    return Frame(photo, photo.shrunk(photo.width_px // 2, photo.height_px // 2), 20_000, 1.0, 0.0)


def a_plain_thing(turn: int, blur_px: float = 1.0) -> NDArray[np.uint8]:
    """Return a photo of a smooth grey ball before a smooth grey wall: nothing but its outline is an edge."""
    y, x = np.mgrid[0:480, 0:640].astype(np.float32)
    wall = 90 + 0.05 * x
    radius = np.hypot(x - 320 - 20 * np.sin(turn), y - 240)
    ball = 150 - 0.2 * radius
    photo = np.where(radius < 90, ball, wall).astype(np.float32)
    photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), blur_px), np.float32)
    photo += np.random.default_rng(turn).normal(0, 1.5, photo.shape).astype(np.float32)
    return np.clip(photo, 0, 255).astype(np.uint8)[:, :, None].repeat(3, axis=2)


def a_textured_thing(turn: int, blur_px: float = 1.0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(turn)
    coarse = rng.uniform(20, 230, (48, 64, 3)).astype(np.float32)
    photo = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), blur_px)).astype(np.uint8)


def judged(gate: Gate, photos: list[NDArray[np.uint8]]) -> list[Verdict]:
    verdicts = []
    for photo in photos:
        look = gate.judge(a_frame(photo), PLACE)
        gate.learn(look)
        verdicts.append(look.verdict)
    return verdicts


def test_good_photos_of_a_plain_thing_are_accepted() -> None:
    assert set(judged(Gate(LIMITS), [a_plain_thing(turn) for turn in range(12)])) == {Verdict.ACCEPT}


def test_a_thing_with_a_plain_back_is_accepted_all_round() -> None:
    faces = [a_textured_thing(1), a_textured_thing(2), a_plain_thing(3), a_plain_thing(4), a_textured_thing(5)]
    assert set(judged(Gate(LIMITS), faces)) == {Verdict.ACCEPT}


def test_edges_that_lie_between_two_pixels_are_sharp_whatever_the_others_were() -> None:
    gate = Gate(LIMITS)
    gate.remember(PLACE, [Finding(Aspect.SHARPNESS, 0.3, 1.0, "px", True, "")] * 5)
    softer = gate.judge(a_frame(a_textured_thing(5, blur_px=0.2)), PLACE)
    assert softer.verdict is Verdict.ACCEPT, softer.reason
    assert gate.judge(a_frame(a_textured_thing(5, blur_px=1.5)), PLACE).verdict is Verdict.RETAKE


@pytest.mark.parametrize("thing", [a_plain_thing, a_textured_thing])
def test_a_blurred_photo_is_taken_again_with_both_widths_in_the_reason(thing: Thing) -> None:
    gate = Gate(LIMITS)
    judged(gate, [thing(turn, 1.0) for turn in range(4)])
    look = gate.judge(a_frame(thing(5, 3.0)), PLACE)
    assert look.verdict is Verdict.RETAKE
    assert "px wide, this scan's" in look.reason
    assert "limit" in look.reason
    assert Aspect.SHARPNESS in look.faults


def test_one_blurred_photo_at_the_start_sets_no_standard() -> None:
    gate = Gate(LIMITS)
    judged(gate, [a_textured_thing(0, blur_px=2.5), a_textured_thing(1), a_textured_thing(2)])
    assert gate.judge(a_frame(a_textured_thing(3, blur_px=4.0)), PLACE).verdict is Verdict.RETAKE


def test_a_resumed_scan_keeps_its_standard() -> None:
    first, resumed = Gate(LIMITS), Gate(LIMITS)
    for turn in range(3):
        look = first.judge(a_frame(a_textured_thing(turn)), PLACE)
        stored = SidecarFinding(aspect="sharpness", value=1 / look.sharpness, limit=1.0, unit="px", passed=True)
        resumed.remember(PLACE, [stored])
    assert resumed.judge(a_frame(a_textured_thing(9, blur_px=4.0)), PLACE).verdict is Verdict.RETAKE


def test_a_ring_has_a_standard_of_its_own() -> None:
    gate = Gate(LIMITS)
    judged(gate, [a_textured_thing(turn) for turn in range(3)])
    assert gate.judge(a_frame(a_textured_thing(3, blur_px=2.0)), PLACE).verdict is Verdict.RETAKE
    assert gate.judge(a_frame(a_textured_thing(3, blur_px=2.0)), Place(index=9, ring=1)).verdict is Verdict.ACCEPT


def test_the_first_photo_asks_for_another_exposure_and_a_later_one_asks_a_person() -> None:
    gate = Gate(LIMITS)
    white = a_frame(np.full((480, 640, 3), 255, np.uint8))
    look = gate.judge(white, PLACE)
    assert (look.verdict, look.remedy) == (Verdict.RETAKE, Remedy.DARKER)
    assert look.reason.startswith("100% of the middle is blown out, limit 35%")
    black = gate.judge(a_frame(np.zeros((480, 640, 3), np.uint8)), PLACE)
    assert (black.verdict, black.remedy) == (Verdict.RETAKE, Remedy.BRIGHTER)
    assert "lens cap" in black.reason
    judged(gate, [a_textured_thing(1)])
    assert gate.judge(white, PLACE).verdict is Verdict.ASK
    gate.tolerate([Aspect.CLIPPED])
    assert Aspect.CLIPPED in gate.judge(white, PLACE).faults
    assert gate.judge(white, PLACE).verdict is not Verdict.ASK


@pytest.mark.data
def test_real_photos_all_round_a_real_thing_are_accepted(test_data: Path) -> None:
    files = sorted((test_data / "middlebury_dino_ring").glob("dino00*.png"))
    gate = Gate(LIMITS)
    photos = [np.asarray(cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB), np.uint8) for file in files]
    assert len(photos) == 48
    assert judged(gate, photos) == [Verdict.ACCEPT] * 48
    out_of_focus = np.asarray(cv2.GaussianBlur(photos[20], (0, 0), 3.0), np.uint8)
    assert gate.judge(a_frame(out_of_focus), PLACE).verdict is Verdict.RETAKE
