"""Runs a program on a recorded disk: `disk_recorder.c`, compiled once, stands between it and the C library."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("disk_recorder.c")


class NoRecorder(RuntimeError):
    """There is no C compiler to build the recorder with."""


@cache
def recorder() -> Path:
    """Return the compiled recorder. Raises NoRecorder."""
    if shutil.which("gcc") is None:
        raise NoRecorder("the power is cut beneath the program by a C library: install gcc")
    library = Path(tempfile.mkdtemp(prefix="disk-recorder-")) / "recorder.so"
    command = [
        "gcc",
        "-O1",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        "-o",
        str(library),
        str(SOURCE),
        "-ldl",
        "-lpthread",
    ]
    subprocess.run(command, check=True)
    return library


@dataclass(frozen=True)
class Disk:
    """A folder whose every change is recorded while a program with this environment runs."""

    root: Path
    record: Path
    marks: Path

    def environment(self, kill: str | None = None) -> Mapping[str, str]:
        """Return what to add to a program's environment; `kill` is the recorder's DISK_KILL."""
        more = {"DISK_KILL": kill} if kill else {}
        return {
            "LD_PRELOAD": str(recorder()),
            "DISK_ROOT": str(self.root),
            "DISK_RECORD": str(self.record),
            "DISK_MARKS": str(self.marks),
            **more,
        }


@dataclass(frozen=True)
class Operation:
    """One line of the record; see `disk_recorder.c`."""

    kind: str
    a: int
    b: int
    c: int
    name: str
    data: bytes


def read_record(path: Path) -> Iterator[Operation]:
    """Yield what was recorded, in order."""
    with path.open("rb") as file:
        while line := file.readline():
            kind, a, b, c, name = line.decode().rstrip("\n").split(" ", 4)
            data = file.read(int(c)) if kind in "WK" else b""
            yield Operation(kind, int(a), int(b), int(c), name, data)
