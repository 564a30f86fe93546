"""Who works when: at once while there is room, else one after the other, and nobody for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from drivers.protocols import DriverError
from drivers.v4l2_turns import NoRoom, Turns

HANG_S = 20.0


class Stream:
    def __init__(self) -> None:
        self.stops = 0

    def stop_stream(self) -> None:
        self.stops += 1


def refuse() -> None:
    raise NoRoom("full")


def crowded(*cameras: Stream) -> Turns:
    turns = Turns()
    for camera in cameras:
        turns.work(turns.ask(), camera, lambda: None, threading.Event())
    with pytest.raises(NoRoom):
        turns.work(turns.ask(), cameras[0], refuse, threading.Event())
    return turns


def test_with_room_they_work_at_once() -> None:
    turns, met = Turns(), threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        work = [
            threads.submit(turns.work, turns.ask(), Stream(), lambda: met.wait(HANG_S), threading.Event())
            for _ in range(2)
        ]
        assert sorted(each.result(HANG_S) for each in work) == [0, 1]
    assert not turns.are_taken


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
            raise NoRoom("full")
        return "open"

    with ThreadPoolExecutor(2) as threads:
        working = threads.submit(turns.work, turns.ask(), first, work, threading.Event())
        assert begun.wait(HANG_S)
        opening = threads.submit(turns.work, turns.ask(), second, open_second, threading.Event())
        assert opening.result(HANG_S) == "open"
        working.result(HANG_S)
    assert (tries, second.stops, turns.are_taken) == ([0, 1], 0, True)


def test_turns_come_in_the_order_of_asking_whoever_is_there_first() -> None:
    one, other = Stream(), Stream()
    turns, order = crowded(one, other), list[str]()
    early, late = turns.ask(), turns.ask()
    with ThreadPoolExecutor(2) as threads:
        last = threads.submit(turns.work, late, other, lambda: order.append("late"), threading.Event())
        threads.submit(turns.work, early, one, lambda: order.append("early"), threading.Event()).result(HANG_S)
        last.result(HANG_S)
    assert order == ["early", "late"]


def test_a_place_that_nobody_wants_any_more_holds_nobody_up() -> None:
    camera = Stream()
    turns = crowded(camera)
    given_up, abandoned = turns.ask(), turns.ask()
    nobody_waits = threading.Event()
    nobody_waits.set()
    with pytest.raises(DriverError, match="nobody waits"):
        turns.work(abandoned, camera, lambda: None, nobody_waits)
    turns.withdraw(given_up)
    assert turns.work(turns.ask(), camera, lambda: "done", threading.Event()) == "done"


def test_when_all_are_closed_it_is_found_out_anew() -> None:
    one, other = Stream(), Stream()
    turns = crowded(one, other)
    turns.leave(one)
    assert turns.are_taken
    turns.leave(other)
    assert not turns.are_taken
