"""The process that plays lgpio's waves (drivers/lgpio_waves.py) over the bench's chip, by the bench's time."""

import importlib
import os
import sys
from pathlib import Path

from drivers.bench.chip_socket import FarChip
from drivers.lgpio_waves import serve

CHIP, SPEED = "BENCH_GPIO_CHIP", "BENCH_SPEED"
"""Where the chip is found, and how fast its clock runs."""


def main() -> None:
    """Run as a process."""
    sys.path.insert(0, str(Path(__file__).parent / "site"))
    lgpio = importlib.import_module("lgpio")
    lgpio.plug_in(FarChip(os.environ[CHIP]))
    os._exit(serve(lgpio, sys.argv[1:], speed=float(os.environ[SPEED])))


if __name__ == "__main__":
    main()
