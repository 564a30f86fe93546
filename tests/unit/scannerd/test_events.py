import asyncio

from scannerd.events import EventBus, Warned


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
