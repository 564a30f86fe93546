"""`scannerd run` on the bench, as `scripts/bench ready` starts it: `python ready_start.py CONFIG`.

The first line on standard output says how many seconds the simulated hardware took, which no device spends.
"""

import gc
import sys
import time

gc.disable()  # as the program's own entry does

import numpy as np  # noqa: E402 - the order is what is measured
from numpy.typing import NDArray  # noqa: E402

NUMPY_LOADED_S = time.perf_counter()

from drivers.bench.install import install_bench  # noqa: E402
from drivers.bench.scene import Exposure  # noqa: E402
from scannerd import entry  # noqa: E402


def grey(_: Exposure, out: NDArray[np.uint8], /) -> None:
    """What stands before this camera."""
    out[:] = 128


if __name__ == "__main__":
    bench = install_bench(grey)
    print(time.perf_counter() - NUMPY_LOADED_S, flush=True)
    sys.argv[:] = ["scannerd", "run", "--config", sys.argv[1]]
    entry.main()
