"""A bad button on a whole daemon: bounces, chatter, a contact that sticks. Judged by what the scanner does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bench_settings import bench_settings

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from scannerd.app import Daemon
from scannerd.config import Config
from scannerd.hardware import build_hardware
from scannerd.settings.file import parse_config

BUTTON = {"hold_s": 1.5, "warn_s": 0.5, "stuck_s": 3.0, "debounce_s": 0.2}
"""Slow, so that a busy machine which holds the finger up for a moment makes no other press of it."""
DEADLINE_S = 60.0


def settings(folder: Path, views: int) -> Config:
    text = bench_settings(
        folder,
        camera={"width_px": 160, "height_px": 120},
        scan={"views": views},
        quality={"ask_a_person": False},
        button=BUTTON,
    )
    return parse_config(text)


@asynccontextmanager
async def scanner(
    folder: Path, views: int = 3, before: Callable[[Bench], None] = lambda _: None
) -> AsyncIterator[tuple[Daemon, Bench]]:
    config = settings(folder, views)
    with install_bench(GreyCard(), speed=20) as bench:
        before(bench)
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            yield daemon, bench


async def until(holds: Callable[[], bool]) -> None:
    """What happens on the bench's wires tells nobody; it has to be looked at."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def bounce(bench: Bench, closed: bool, pulses: int) -> None:
    """Change the contact as metal does: it springs back some times, a millisecond each, before it rests."""
    for _ in range(pulses):
        (bench.finger.down if closed else bench.finger.up)()
        time.sleep(0.001)
        (bench.finger.up if closed else bench.finger.down)()
        time.sleep(0.001)
    (bench.finger.down if closed else bench.finger.up)()


def bouncing_press(bench: Bench, stays_s: float) -> None:
    bounce(bench, True, 6)
    time.sleep(stays_s)
    bounce(bench, False, 12)


def warnings(daemon: Daemon) -> list[str]:
    return [remark.message for remark in daemon.board.state().warnings if "button" in remark.message]


async def test_a_press_that_bounces_starts_one_scan_and_pauses_nothing(tmp_path: Path) -> None:
    async with scanner(tmp_path) as (daemon, bench):
        await asyncio.to_thread(bouncing_press, bench, 0.4)
        await until(lambda: daemon.board.state().last_scan is not None)
        last = daemon.board.state().last_scan
        assert last is not None
        assert (last.outcome, last.frames_done) == ("completed", 3)
        assert daemon.store.scan_ids() == [last.scan_id]
        assert warnings(daemon) == []


async def test_disturbances_shorter_than_a_finger_start_nothing(tmp_path: Path) -> None:
    def disturb(bench: Bench) -> None:
        for _ in range(50):
            bench.finger.press(0.002)
            time.sleep(0.005)

    async with scanner(tmp_path) as (daemon, bench):
        await asyncio.to_thread(disturb, bench)
        await asyncio.to_thread(bench.finger.press, 0.4)
        await until(lambda: daemon.board.state().last_scan is not None)
        assert len(daemon.store.scan_ids()) == 1


async def test_chatter_at_the_release_of_a_long_press_is_no_further_press(tmp_path: Path) -> None:
    async with scanner(tmp_path, views=240) as (daemon, bench):
        await asyncio.to_thread(bouncing_press, bench, 0.4)
        await until(lambda: daemon.running is not None)
        await asyncio.to_thread(bouncing_press, bench, 2.4)
        await until(lambda: daemon.board.state().last_scan is not None)
        await asyncio.sleep(0.5)
        last = daemon.board.state().last_scan
        assert last is not None
        assert last.outcome == "cancelled"
        assert daemon.running is None
        assert len(daemon.store.scan_ids()) == 1


async def test_a_button_that_sticks_at_the_start_starts_nothing_until_it_works_again(tmp_path: Path) -> None:
    async with scanner(tmp_path, before=lambda bench: bench.finger.down()) as (daemon, bench):
        await until(lambda: bool(warnings(daemon)))
        assert "ignored until it is let go" in warnings(daemon)[0]
        assert daemon.store.scan_ids() == []
        bench.finger.up()
        await until(lambda: len(warnings(daemon)) == 2)
        assert daemon.store.scan_ids() == []
        await asyncio.to_thread(bench.finger.press, 0.4)
        await until(lambda: len(daemon.store.scan_ids()) == 1)


async def test_a_button_that_sticks_later_is_told_once_and_takes_no_scan_with_it(tmp_path: Path) -> None:
    async with scanner(tmp_path) as (daemon, bench):
        bench.finger.down()
        await until(lambda: bool(warnings(daemon)))
        await asyncio.sleep(0.5)
        assert len(warnings(daemon)) == 1
        assert "held down for more than 3 s" in warnings(daemon)[0]
        bench.finger.up()
        await until(lambda: len(warnings(daemon)) == 2)
        await asyncio.to_thread(bench.finger.press, 0.4)
        await until(lambda: len(daemon.store.scan_ids()) == 1)


async def test_a_contact_that_never_rests_is_told_and_floods_nobody(tmp_path: Path) -> None:
    def chatter(bench: Bench) -> None:
        ends_s = time.monotonic() + 4
        while time.monotonic() < ends_s:
            bench.finger.down()
            bench.finger.up()
            time.sleep(0.0005)

    async with scanner(tmp_path) as (daemon, bench):
        await asyncio.to_thread(chatter, bench)
        await until(lambda: len(warnings(daemon)) == 2)
        assert "opens and closes without rest" in warnings(daemon)[0]
        assert warnings(daemon)[1] == "button: works again"
        assert daemon.store.scan_ids() == []


async def test_the_lamp_tells_the_whole_story_of_a_scan_and_is_dark_at_the_end(tmp_path: Path) -> None:
    async with scanner(tmp_path) as (daemon, bench):
        await until(lambda: bench.world.lamp.lit)
        await asyncio.to_thread(bench.finger.press, 0.4)
        await until(lambda: daemon.board.state().last_scan is not None)
        await until(lambda: bench.world.lamp.lit)
    assert not bench.world.lamp.lit
