"""A memory card beneath a program's files: what is made durable takes the card's time, on the bench's clock.

It stands between the program and the kernel: `os.fsync` returns once the card would have it. Until then the kernel
keeps what was written in memory, so writing alone costs nothing. A card does one thing at a time, whoever waits.
Speed classes are the SD Association's: class 10 and A1 promise 10 MB/s in sequence, A1 500 scattered writes of 4 KB a
second besides. An fsync on a journaling file system is several of those, one after the other. A card that tidies up
inside is busy meanwhile: 0.25 s is what its specification allows (SD Physical Layer, 4.6.2.2), worn ones take longer.
"""

import os
import random
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from drivers.bench.bench_clock import BenchClock

PAGE_BYTES = 4096


@dataclass(frozen=True)
class CardMake:
    """How a card behaves."""

    says: str
    write_mb_s: float
    """In sequence; 10⁶ bytes."""
    commit_s: float
    """What an fsync takes besides its bytes, median."""
    spread: float
    """Of that: the standard deviation of its natural logarithm."""
    stall_share: float
    """Of all fsyncs that meet a card which is tidying up."""
    stall_s: tuple[float, float]
    """How long that takes, from and to."""


CARDS = {
    "a1": CardMake("a good card, A1", 25.0, 0.010, 0.4, 0.005, (0.10, 0.25)),
    "class10": CardMake("a cheap card, class 10", 10.0, 0.035, 0.5, 0.02, (0.10, 0.50)),
    "worn": CardMake("a worn card", 5.0, 0.070, 0.7, 0.04, (0.5, 3.0)),
}


class HasFileNumber(Protocol):
    """As the kernel knows it."""

    def fileno(self) -> int:
        """Return it."""


class SdCard:
    """Beneath all files of one folder, of this process, while the context lasts."""

    def __init__(self, make: CardMake, clock: BenchClock, folder: Path, seed: int = 0) -> None:
        self._make = make
        self._clock = clock
        self._folder = f"{folder.resolve()}/"
        self._random = random.Random(seed)
        self._busy = threading.Lock()
        self._written: dict[int, tuple[str, int]] = {}
        self._kernel: Any = os.fsync
        self.syncs = 0
        self.bytes = 0
        """Made durable so far."""
        self.busy_s = 0.0
        self.longest_s = 0.0

    def __enter__(self) -> Self:
        self._kernel = os.fsync
        os.fsync = self._fsync
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.fsync = self._kernel

    def _fsync(self, fd: "int | HasFileNumber") -> None:
        file = fd if isinstance(fd, int) else fd.fileno()
        self._kernel(file)
        name = str(Path(f"/proc/self/fd/{file}").readlink())
        if f"{name}/".startswith(self._folder):
            self._keep(self._dirty_bytes(file, name))

    def _keep(self, size_bytes: int) -> None:
        with self._busy:
            took_s = self._commit_s() + size_bytes / (self._make.write_mb_s * 1e6)
            self.syncs += 1
            self.bytes += size_bytes
            self.busy_s += took_s
            self.longest_s = max(self.longest_s, took_s)
            self._clock.sleep_until(self._clock.now_s() + took_s)

    def _commit_s(self) -> float:
        make = self._make
        usual_s = make.commit_s * self._random.lognormvariate(0.0, make.spread)
        stalls = self._random.random() < make.stall_share
        return usual_s + (self._random.uniform(*make.stall_s) if stalls else 0.0)

    def _dirty_bytes(self, file: int, name: str) -> int:
        """Return what was written since the file was synced last: what it has grown by, or all of it."""
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return PAGE_BYTES
        known, before = self._written.get(status.st_ino, ("", 0))
        self._written[status.st_ino] = (name, status.st_size)
        grown = status.st_size - (before if known == name else 0)
        return max(grown if grown > 0 else status.st_size, PAGE_BYTES)


def card_named(name: str) -> CardMake:
    """Return one of CARDS. Raises ValueError."""
    if name not in CARDS:
        raise ValueError(f"card {name!r}: use {', '.join(CARDS)}")
    return CARDS[name]
