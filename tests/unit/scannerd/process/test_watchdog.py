"""When the watchdog is fed, and when it is not; the whole, with a process and its signals, is in test_service.py."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from scannerd.process.manager import ServiceManager
from scannerd.process.watchdog import Lap, Watchdog


class CountingManager(ServiceManager):
    def __init__(self, watchdog_s: float | None) -> None:
        super().__init__(None, watchdog_s)
        self.fed = 0

    def alive(self) -> None:
        self.fed += 1


@dataclass
class Table:
    lap: Lap = field(default_factory=lambda: Lap("idle", 100.0, None))
    answer_s: float = 10.0
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def ping(self) -> None:
        await self.answers.wait()


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


async def test_a_young_phase_is_fed_and_an_old_one_is_not(caplog: pytest.LogCaptureFixture) -> None:
    manager, table = CountingManager(20.0), Table(Lap("scan cup: capturing", 3.0, 8.0))
    watchdog = Watchdog(table, manager)
    watchdog.feed()
    assert manager.fed == 1
    table.lap = Lap("scan cup: capturing", 8.5, 8.0)
    watchdog.feed()
    watchdog.feed()
    assert manager.fed == 1
    assert caplog.text.count("scan cup: capturing has lasted 8 s, at most 8 s expected; systemd will restart") == 1
    table.lap = Lap("scan cup: judging", 0.1, 8.0)
    watchdog.feed()
    assert manager.fed == 2
    assert "it goes on after all" in caplog.text


async def test_a_desk_that_does_not_answer_is_not_fed() -> None:
    manager, table, clock = CountingManager(20.0), Table(), Clock()
    watchdog = Watchdog(table, manager, clock)
    running = asyncio.get_running_loop().create_task(watchdog.run())
    await asyncio.sleep(0.01)
    assert manager.fed == 1
    clock.now_s = 9.0
    watchdog.feed()
    assert manager.fed == 2, "slow is not dead"
    clock.now_s = 11.0
    watchdog.feed()
    assert manager.fed == 2
    assert watchdog.trouble() == "commands are not answered: 11 s, at most 10 s expected"
    table.answers.set()
    await asyncio.sleep(0.01)
    watchdog.feed()
    assert manager.fed == 3
    running.cancel()
    await asyncio.wait({running})


def test_the_period_follows_systemds_and_without_one_it_still_looks(caplog: pytest.LogCaptureFixture) -> None:
    assert Watchdog(Table(), CountingManager(2.0)).period_s == 0.5
    assert Watchdog(Table(), CountingManager(60.0)).period_s == 5.0
    lonely = Watchdog(Table(Lap("sealing", 99.0, 5.0)), CountingManager(None))
    assert lonely.period_s == 5.0
    with caplog.at_level(logging.CRITICAL):
        lonely.feed()
    assert "sealing has lasted 99 s, at most 5 s expected; restart the daemon" in caplog.text
