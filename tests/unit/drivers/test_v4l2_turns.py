"""Who works when: at once while there is room, else one after the other, and nobody for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from drivers.protocols import DriverError
from drivers.v4l2_turns import NoRoom, Turns

HANG_S = 20.0


class Stream:
    def __init__(self, bus: str | None = "usb1") -> None:
        self.bus = bus
        self.stops = 0

    def stop_stream(self) -> None:
        self.stops += 1


def refuse() -> None:
    raise NoRoom("full", "usb1")


def crowded(*cameras: Stream) -> Turns:
    """Return turns of cameras at bus usb1, or elsewhere, where the first found no room."""
    turns = Turns()
    for camera in cameras:
        turns.work(turns.ask(camera), camera, lambda: None, threading.Event())
    with pytest.raises(NoRoom):
        turns.work(turns.ask(cameras[0]), cameras[0], refuse, threading.Event())
    return turns


def test_with_room_they_work_at_once() -> None:
    turns, met = Turns(), threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        work = [
            threads.submit(turns.work, turns.ask(camera), camera, lambda: met.wait(HANG_S), threading.Event())
            for camera in (Stream(), Stream())
        ]
        assert sorted(each.result(HANG_S) for each in work) == [0, 1]
    assert not turns.are_taken_by(Stream())


def test_without_room_a_job_waits_for_the_one_that_works_and_is_done_anew() -> None:
    turns, first, second = Turns(), Stream(), Stream()
    begun, may_end = threading.Event(), threading.Event()
    tries: list[int] = []

    def work() -> None:
        begun.set()
        assert may_end.wait(HANG_S)

    def open_second() -> str:
        tries.append(first.stops)
        if len(tries) == 1:
            may_end.set()
            raise NoRoom("full", "usb1")
        return "open"

    with ThreadPoolExecutor(2) as threads:
        working = threads.submit(turns.work, turns.ask(first), first, work, threading.Event())
        assert begun.wait(HANG_S)
        opening = threads.submit(turns.work, turns.ask(second), second, open_second, threading.Event())
        assert opening.result(HANG_S) == "open"
        working.result(HANG_S)
    assert (tries, second.stops, turns.are_taken_by(second)) == ([0, 1], 0, True)


def test_turns_come_in_the_order_of_asking_whoever_is_there_first() -> None:
    one, other = Stream(), Stream()
    turns, order = crowded(one, other), list[str]()
    early, late = turns.ask(one), turns.ask(other)
    with ThreadPoolExecutor(2) as threads:
        last = threads.submit(turns.work, late, other, lambda: order.append("late"), threading.Event())
        threads.submit(turns.work, early, one, lambda: order.append("early"), threading.Event()).result(HANG_S)
        last.result(HANG_S)
    assert order == ["early", "late"]


def test_a_place_that_nobody_wants_any_more_holds_nobody_up() -> None:
    camera = Stream()
    turns = crowded(camera)
    given_up, abandoned = turns.ask(camera), turns.ask(camera)
    nobody_waits = threading.Event()
    nobody_waits.set()
    with pytest.raises(DriverError, match="nobody waits"):
        turns.work(abandoned, camera, lambda: None, nobody_waits)
    turns.withdraw(given_up)
    assert turns.work(turns.ask(camera), camera, lambda: "done", threading.Event()) == "done"


def test_when_all_are_closed_it_is_found_out_anew() -> None:
    one, other = Stream(), Stream()
    turns = crowded(one, other)
    turns.leave(one)
    assert turns.are_taken_by(other)
    turns.leave(other)
    assert not turns.are_taken_by(other)


def test_cameras_on_other_buses_neither_wait_nor_are_stopped() -> None:
    here, elsewhere = Stream("usb1"), Stream("usb3")
    turns = crowded(here, Stream("usb1"), elsewhere)
    met = threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        work = [
            threads.submit(turns.work, turns.ask(camera), camera, lambda: met.wait(HANG_S), threading.Event())
            for camera in (here, elsewhere)
        ]
        assert sorted(each.result(HANG_S) for each in work) == [0, 1]
    assert elsewhere.stops == 0
    assert turns.are_taken_by(here)
    assert not turns.are_taken_by(elsewhere)


def test_two_full_buses_have_a_line_each() -> None:
    cameras = [Stream("usb1"), Stream("usb3")]
    turns, met = crowded(*cameras), threading.Barrier(2)
    tries = iter([NoRoom("full", "usb3")])

    def refuse_once() -> None:
        for refusal in tries:
            raise refusal

    turns.work(turns.ask(cameras[1]), cameras[1], refuse_once, threading.Event())
    assert all(turns.are_taken_by(camera) for camera in cameras)
    with ThreadPoolExecutor(2) as threads:
        work = [
            threads.submit(turns.work, turns.ask(camera), camera, lambda: met.wait(HANG_S), threading.Event())
            for camera in cameras
        ]
        assert sorted(each.result(HANG_S) for each in work) == [0, 1]


def test_a_camera_whose_bus_nobody_knows_yet_waits_for_all_and_stops_all_that_are_short_of_room() -> None:
    here, elsewhere, new = Stream("usb1"), Stream("usb3"), Stream(None)
    turns = crowded(here, elsewhere)
    begun, may_end, done = threading.Event(), threading.Event(), list[str]()

    def work() -> None:
        begun.set()
        assert may_end.wait(HANG_S)
        done.append("here")

    with ThreadPoolExecutor(2) as threads:
        working = threads.submit(turns.work, turns.ask(here), here, work, threading.Event())
        assert begun.wait(HANG_S)
        place = turns.ask(new)
        opening = threads.submit(turns.work, place, new, lambda: done.append("new"), threading.Event())
        may_end.set()
        for each in (working, opening):
            each.result(HANG_S)
    assert done == ["here", "new"]
    assert (here.stops, elsewhere.stops) == (1, 0)
