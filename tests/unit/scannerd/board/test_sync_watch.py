"""The watch over scans on their way, on files as sync writes them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offload.sync.link_file import LINK
from offload.wire.jobs import SyncState
from offload.wire.link import LinkState
from scannerd.board.sync_watch import SyncWatch
from scannerd.events import Event, LinkChanged, SyncProgressed
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.worker_thread import WorkerThread

PATIENCE_S = 60.0


class Shop:
    """A store whose scans are on their way, and what is heard of them."""

    def __init__(self, folder: Path) -> None:
        self.layout = StoreLayout(folder)
        self.layout.scans.mkdir()
        self.heard: list[SyncProgressed] = []
        self.links: list[LinkState | None] = []
        self._more = asyncio.Event()

    def scan(self, scan_id: str, **state: object) -> None:
        folder = self.layout.scan(scan_id)
        folder.path.mkdir(exist_ok=True)
        folder.plan.touch()
        sync = SyncState(scan_id=scan_id, updated_at=datetime.now(UTC), **state)  # type: ignore[arg-type]
        folder.sync.write_text(sync.model_dump_json())

    def hear(self, event: Event) -> None:
        if isinstance(event, LinkChanged):
            self.links.append(event.link)
        else:
            assert isinstance(event, SyncProgressed)
            self.heard.append(event)
        self._more.set()

    async def until_links(self, wanted: list[int | None]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while [link and link.waiting for link in self.links] != wanted:
                self._more.clear()
                await self._more.wait()

    async def until(self, wanted: Callable[[SyncProgressed], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not any(wanted(event) for event in self.heard):
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def watching(shop: Shop) -> AsyncIterator[None]:
    reading = WorkerThread("reading")
    watch = asyncio.create_task(SyncWatch(ScanStore(shop.layout), reading, shop.hear).run(), name="watch")
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.wait({watch})
        reading.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def test_every_change_is_told_of_old_scans_and_of_those_that_come(shop: Shop) -> None:
    shop.scan("cup", files_confirmed=1)
    async with watching(shop):
        await shop.until(lambda event: event.sync.files_confirmed == 1)
        shop.scan("cup", files_confirmed=22)
        await shop.until(lambda event: event.sync.files_confirmed == 22)
        shop.scan("jug", files_confirmed=3)
        await shop.until(lambda event: event.scan_id == "jug")
        shop.scan("jug", results_in_place=True)
        await shop.until(lambda event: event.scan_id == "jug" and event.sync.results_in_place)


async def test_what_was_finished_before_the_start_is_no_news(shop: Shop) -> None:
    shop.scan("old", results_in_place=True)
    shop.scan("cup", files_confirmed=1)
    async with watching(shop):
        await shop.until(lambda event: event.scan_id == "cup")
    assert {event.scan_id for event in shop.heard} == {"cup"}


async def test_a_scan_that_was_deleted_and_fetched_back_is_told_again(shop: Shop) -> None:
    shop.scan("cup", files_confirmed=1)
    async with watching(shop):
        await shop.until(lambda event: event.scan_id == "cup")
        shop.layout.scan("cup").path.rename(shop.layout.root / "aside")
        shop.scan("jug", files_confirmed=2)
        await shop.until(lambda event: event.scan_id == "jug")
        shop.heard.clear()
        (shop.layout.root / "aside").rename(shop.layout.scan("cup").path)
        await shop.until(lambda event: event.scan_id == "cup")


async def test_the_way_to_the_service_is_told_while_a_sync_runs(shop: Shop) -> None:
    link = shop.layout.scans / LINK
    link.parent.mkdir()
    async with watching(shop):
        link.write_text(LinkState(waiting=7, updated_at=datetime.now(UTC)).model_dump_json())
        await shop.until_links([7])
        link.write_text(LinkState(waiting=12, updated_at=datetime.now(UTC)).model_dump_json())
        await shop.until_links([7, 12])
        link.unlink()
        await shop.until_links([7, 12, None])
