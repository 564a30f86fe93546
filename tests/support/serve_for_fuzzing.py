"""The REST door on a fast bench, in a process of its own: prints where it is and a token, ends with its input.

`python serve_for_fuzzing.py FOLDER`
"""

import asyncio
import json
import sys
from pathlib import Path

import rest_on_bench
import scan_on_bench

from drivers.bench.install import install_bench
from scannerd.control.rest.gate import Pace


async def serve(folder: Path) -> None:
    pace = Pace(requests_burst=1e9, changes_burst=1e9)
    with install_bench(scan_on_bench.OverheadCamera(), speed=scan_on_bench.SPEED) as bench:
        async with rest_on_bench.serving(bench, folder / "store", folder / "s")(pace=pace) as served:
            print(json.dumps({"url": served.url, "token": served.token}), flush=True)
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
