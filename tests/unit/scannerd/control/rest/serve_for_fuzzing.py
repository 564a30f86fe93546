"""The REST door on a fast bench, in a process of its own: prints where it is and a token, ends with its input.

`python serve_for_fuzzing.py FOLDER`
"""

import asyncio
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


async def serve(folder: Path) -> None:
    from drivers.bench.install import install_bench
    from scannerd.control.rest.gate import Pace

    scan_on_bench = _load(HERE.parents[1] / "scan_on_bench.py")
    rest_on_bench = _load(HERE / "rest_on_bench.py")
    pace = Pace(requests_burst=1e9, changes_burst=1e9)
    with install_bench(scan_on_bench.OverheadCamera(), speed=scan_on_bench.SPEED) as bench:
        async with rest_on_bench.serving(bench, folder / "store", folder / "s")(pace=pace) as served:
            print(json.dumps({"url": served.url, "token": served.token}), flush=True)
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
