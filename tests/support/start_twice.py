"""Two people start a scan at once, one of them twice: `python start_twice.py STORE [again]`.

With `again` it is later, and one of them asks once more. Prints the answers as JSON; ends when no scan runs any more.
"""

import asyncio
import json
import sys
from pathlib import Path

import scan_to_the_end

from drivers.bench.install import install_bench
from scannerd.app import Daemon
from scannerd.commands import StartScan
from scannerd.events import ScanEnded
from scannerd.hardware import build_hardware
from scannerd.requests import Answer, Request
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

VIEWS = 3


def unfinished(folder: Path) -> list[str]:
    layout = StoreLayout(folder)
    return [scan_id for scan_id in ScanStore(layout).scan_ids() if not layout.scan(scan_id).manifest.exists()]


async def start(folder: Path, senders: list[str]) -> None:
    waiting = unfinished(folder)
    with install_bench(scan_to_the_end.see, speed=scan_to_the_end.SPEED) as bench:
        config = scan_to_the_end.settings(folder, VIEWS)
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            events = daemon.events.subscribe()

            async def ask(sender: str) -> Answer:
                return await daemon.ask(Request(StartScan(), sender, "test"))

            answers = await asyncio.gather(*map(ask, senders))
            print(json.dumps([[answer.status, answer.scan_id, answer.repeated] for answer in answers]), flush=True)
            if waiting or daemon.running is not None:
                async for event in events:
                    if isinstance(event, ScanEnded):
                        return


if __name__ == "__main__":
    asyncio.run(start(Path(sys.argv[1]), ["anna"] if "again" in sys.argv else ["anna", "ben", "anna"]))
