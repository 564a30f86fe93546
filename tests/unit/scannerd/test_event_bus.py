import asyncio
import tracemalloc

from scannerd.coverage.report import CoverageReport
from scannerd.event_bus import EventBus
from scannerd.events import CoverageChanged, FrameJudged, FrameStored, PhaseChanged, StepTimes, Warned
from scannerd.scan.phases import Phase


async def test_every_listener_hears_every_event_in_order() -> None:
    bus = EventBus()
    first, second = bus.subscribe(), bus.subscribe()
    for number in range(3):
        bus.publish(Warned(str(number)))
    bus.close()
    assert [event async for event in first] == [Warned("0"), Warned("1"), Warned("2")]
    assert [event async for event in second] == [Warned("0"), Warned("1"), Warned("2")]


async def test_a_slow_listener_loses_the_oldest_and_knows_how_many() -> None:
    bus = EventBus(capacity=4)
    slow = bus.subscribe()
    for number in range(10):
        bus.publish(Warned(str(number)))
    assert slow.dropped == 6
    assert await anext(slow) == Warned("6")


async def test_a_listener_waits_for_the_next_event_and_ends_with_the_bus() -> None:
    bus = EventBus()
    with bus.subscribe() as listener:
        waiting = asyncio.ensure_future(anext(listener))
        await asyncio.sleep(0)
        bus.publish(Warned("late"))
        assert await waiting == Warned("late")
        bus.close()
        assert [event async for event in listener] == []
    assert [event async for event in bus.subscribe()] == []


async def test_events_have_numbers_and_a_listener_that_was_away_gets_what_it_missed() -> None:
    bus = EventBus(capacity=5)
    for number in range(1, 8):
        bus.publish(Warned(str(number)))
    late = bus.subscribe(after=4)
    bus.publish(Warned("8"))
    bus.close()
    heard = [(numbered.seq, numbered.event) async for numbered in late.numbered()]
    assert heard == [(number, Warned(str(number))) for number in range(5, 9)]


async def test_the_bus_knows_whether_it_remembers_all_that_somebody_missed() -> None:
    bus = EventBus(capacity=3)
    assert bus.remembers_since(0)
    for number in range(1, 6):
        bus.publish(Warned(str(number)))
    assert [bus.remembers_since(after) for after in range(7)] == [False, False, True, True, True, True, False]


async def test_a_follower_hears_of_an_event_before_any_listener_can() -> None:
    bus = EventBus()
    heard: list[object] = []
    listener = bus.subscribe()
    bus.follow(lambda numbered: heard.append((numbered.seq, numbered.event)))
    bus.publish(Warned("now"))
    assert heard == [(1, Warned("now"))]
    assert await anext(listener) == Warned("now")


def tell_of_a_photo(bus: EventBus, index: int) -> None:
    """As the daemon does, with numbers that no two photos share."""
    angle_deg = index * 6 + 0.01
    for phase in (Phase.MOVING, Phase.SETTLING, Phase.CAPTURING):
        bus.publish(PhaseChanged(phase, "cup", index, angle_deg))
    bus.publish(FrameJudged("cup", index, angle_deg, 1, "accept", f"edges {index / 7} px wide", index / 7))
    times = StepTimes(*(index / part for part in range(3, 10)))
    bus.publish(FrameStored("cup", index, angle_deg, 1, 10**6 + index, index / 7, times, index, 4000))
    shares = tuple(tuple(index / 7 + sector for sector in range(24)) for _ in range(8))
    bus.publish(CoverageChanged("cup", CoverageReport(0, index, index / 3, index / 4, index / 5, 0.0, shares)))


def test_what_is_remembered_of_a_long_scan_is_some_megabytes_at_most() -> None:
    bus = EventBus()
    tracemalloc.start()
    try:
        for index in range(200):
            tell_of_a_photo(bus, index)
        after_200 = tracemalloc.get_traced_memory()[0]
        for index in range(200, 600):
            tell_of_a_photo(bus, index)
        after_600 = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after_200 < 3e6
    assert after_600 - after_200 < 0.1e6
