from drivers.clock import SystemClock


async def test_both_waits_end_after_the_deadline_and_not_before() -> None:
    clock = SystemClock()
    deadline_s = clock.now_s() + 0.02
    clock.sleep_until(deadline_s)
    assert clock.now_s() >= deadline_s
    deadline_s = clock.now_s() + 0.02
    await clock.wait_until(deadline_s)
    assert clock.now_s() >= deadline_s


async def test_a_deadline_in_the_past_is_no_wait() -> None:
    clock = SystemClock()
    clock.sleep_until(clock.now_s() - 1e9)
    await clock.wait_until(clock.now_s() - 1e9)
