"""The real lgpio on a line that is recorded: `gpio_recorder.c`, compiled once, stands where its kernel would be."""

import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SOURCE = Path(__file__).with_name("gpio_recorder.c")
ROOM = 400_000
HEAD = struct.Struct("QQ")


class NoRecorder(RuntimeError):
    """There is no C compiler to build the recorder with."""


@cache
def recorder() -> Path:
    """Return the compiled recorder. Raises NoRecorder."""
    if shutil.which("gcc") is None:
        raise NoRecorder("lgpio's line is recorded beneath it by a C library: install gcc")
    library = Path(tempfile.mkdtemp(prefix="gpio-recorder-")) / "recorder.so"
    command = ["gcc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


class GpioRecord:
    """What the line did."""

    def __init__(self, path: Path) -> None:
        """Nothing yet."""
        self._path = path
        path.write_bytes(HEAD.pack(0, ROOM))
        os.truncate(path, HEAD.size + 16 * ROOM)

    def rises_s(self) -> NDArray[np.float64]:
        """Return when it rose, in s of CLOCK_MONOTONIC."""
        return self._at_s(1)

    def falls_s(self) -> NDArray[np.float64]:
        """Return when it fell, in s of CLOCK_MONOTONIC."""
        return self._at_s(0)

    def _at_s(self, level: int) -> NDArray[np.float64]:
        with self._path.open("rb") as file:
            edges, _ = HEAD.unpack(file.read(HEAD.size))
            found = np.frombuffer(file.read(16 * edges), np.int64).reshape(-1, 2)
        return found[found[:, 1] == level, 0] * 1e-9


@contextmanager
def recorded_line() -> Iterator[GpioRecord]:
    """Let the processes that are started until the block ends find a /dev/gpiochip0 that is recorded."""
    with tempfile.TemporaryDirectory(prefix="gpio-record-") as folder:
        path = Path(folder) / "edges"
        record = GpioRecord(path)
        os.environ |= {"LD_PRELOAD": str(recorder()), "GPIO_RECORD": str(path)}
        try:
            yield record
        finally:
            del os.environ["LD_PRELOAD"], os.environ["GPIO_RECORD"]
