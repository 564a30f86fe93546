"""A camera that stayed where it is sees the same of a mat that turned; one that was bumped does not."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from scannerd.quality.camera_stand import LEAST_CORNERS, Stand
from scannerd.quality.look import MatReading
from scannerd.quality.mat_view import PlaneFit
from scannerd.quality.rooms import PHOTOS_TO_STAND, Room, Rooms

SIZE_PX = (676, 507)
HALF_SIDE_MM = 135.0


def _stand(turn_deg: float, pan_deg: float = 0.0, zoom: float = 1.0, nearer_mm: float = 0.0) -> Stand:
    """Return what a pinhole camera 600 mm from the axis sees of a mat that lies 3 mm beside it."""
    tilt, pan, turn = math.radians(-125.0), math.radians(pan_deg), math.radians(turn_deg)
    level = np.array([[1, 0, 0], [0, math.cos(tilt), -math.sin(tilt)], [0, math.sin(tilt), math.cos(tilt)]])
    aim = np.array([[math.cos(pan), 0, math.sin(pan)], [0, 1, 0], [-math.sin(pan), 0, math.cos(pan)]])
    platter = np.array([[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
    lens = np.array([[900.0 * zoom, 0, SIZE_PX[0] / 2], [0, 900.0 * zoom, SIZE_PX[1] / 2], [0, 0, 1]])
    away = np.array([0.0, 0.0, 600.0 - nearer_mm])
    on_mat = np.array([[1.0, 0, 3.0], [0, 1, 0], [0, 0, 0]])
    to_pixels = lens @ aim @ (level @ platter @ on_mat + np.outer(away, [0, 0, 1]))
    fit = PlaneFit(np.asarray(np.linalg.inv(to_pixels / to_pixels[2, 2]), np.float64), 0.0, SIZE_PX)
    along = np.linspace(-100, 100, 9)
    places = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    stand = Stand.of(fit, _reading(fit.pixels(places)), SIZE_PX[0], HALF_SIDE_MM)
    assert stand is not None
    return stand


def _reading(pixels: NDArray[np.float64]) -> MatReading:
    return MatReading(np.arange(len(pixels)), pixels)


@pytest.mark.parametrize("turn_deg", [10.0, 90.0, 180.0])
def test_a_mat_that_turned_is_seen_from_the_same_place(turn_deg: float) -> None:
    assert _stand(turn_deg).out_of_place_mm(_stand(0.0)) < 0.05


@pytest.mark.parametrize("bump", [{"pan_deg": 3.0}, {"zoom": 1.05}, {"nearer_mm": 40.0}])
def test_a_camera_that_was_bumped_stands_elsewhere_wherever_the_mat_is(bump: dict[str, float]) -> None:
    assert not _stand(40.0, **bump).is_that_of(_stand(0.0))
    assert not _stand(0.0).is_that_of(_stand(40.0, **bump))


def test_too_few_corners_tell_nothing() -> None:
    stand = _stand(0.0)
    few = _reading(stand.corners_px[: LEAST_CORNERS - 1].astype(np.float64))
    assert Stand.of(stand.fit, few, SIZE_PX[0], HALF_SIDE_MM) is None


def _learnt(rooms: Rooms, *stands: Stand | None, has_mat: bool = True) -> list[Room]:
    seen = []
    for stand in stands:
        seen.append(rooms.seen_from(stand, has_mat=has_mat))
        rooms.learn(seen[-1], stand, has_mat=has_mat)
    return seen


def test_a_bumped_camera_sees_a_room_of_its_own_and_the_usual_one_stays_as_it_was() -> None:
    rooms = Rooms()
    first, bumped, second, third = _learnt(rooms, _stand(0), _stand(10, pan_deg=3), _stand(20), _stand(30))
    assert first is second is third is rooms.usual
    assert bumped is not first
    assert rooms.off_mm(bumped, _stand(10, pan_deg=3)) > 1.0
    assert rooms.off_mm(first, _stand(40)) == 0.0


def test_where_the_camera_stands_is_not_said_before_it_is_known() -> None:
    rooms = Rooms()
    _learnt(rooms, *(_stand(10.0 * turn) for turn in range(PHOTOS_TO_STAND - 1)))
    bumped = _stand(30.0, zoom=1.1)
    assert rooms.off_mm(rooms.seen_from(bumped, has_mat=True), bumped) == 0.0


def test_a_camera_that_was_put_elsewhere_stands_there_from_then_on() -> None:
    rooms = Rooms()
    before, *_, after = _learnt(rooms, *[_stand(0)] * 4, *[_stand(0, pan_deg=5)] * 4)
    assert rooms.usual is after
    assert after is not before


def test_a_photo_whose_mat_was_not_read_is_no_standard_for_those_where_it_is() -> None:
    rooms = Rooms()
    (unread,) = _learnt(rooms, None, has_mat=False)
    first, second = _learnt(rooms, _stand(0), _stand(10))
    assert first is second
    assert first is not unread
    assert rooms.seen_from(None, has_mat=False) is first


def test_a_mat_of_which_little_is_seen_shows_one_room() -> None:
    rooms = Rooms()
    hidden, shown = _learnt(rooms, None, _stand(0))
    assert hidden is shown
