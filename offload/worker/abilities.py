"""What this machine has that a job may need."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from offload.depot.needs import Abilities

CUDA, MESHROOM = "cuda", "meshroom"
NVIDIA_DEVICE = Path("/dev/nvidia0")
MESHROOM_PROGRAMS = ("meshroom_batch", "aliceVision_incrementalSfM")


def abilities_here(named: Sequence[str], memory_gb: float | None = None) -> Abilities:
    """Return those that are named, or else what is found; memory is the machine's unless it is given."""
    found = set(named) or _found()
    return Abilities(frozenset(found), memory_gb if memory_gb is not None else _memory_gb())


def _found() -> set[str]:
    has_meshroom = any(shutil.which(program) for program in MESHROOM_PROGRAMS)
    return ({CUDA} if NVIDIA_DEVICE.exists() else set()) | ({MESHROOM} if has_meshroom else set())


def _memory_gb() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
