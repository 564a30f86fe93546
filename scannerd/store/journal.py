"""The journal: JSON objects, one a line, each on the disk before anything counts on it.

Every line has `seq` (0, 1, 2 …), `at` (ISO time) and `type`; the rest belongs to the type.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from scannerd.fault_kind import FaultKind
from scannerd.store.durable import StoreFault, explained, fsync_folder

LONGEST_SEAL_BYTES = 400
"""Of the line that tells of the seal; it has no words of people in it."""


class JournalBroken(StoreFault):
    """A line before the last is not what was written. Somebody edited the file, or the disk is dying."""

    kind = FaultKind.STORE_DAMAGED


@dataclass(frozen=True)
class JournalLine:
    """One thing that happened."""

    seq: int
    at: str
    type: str
    body: Mapping[str, Any] = field(default_factory=dict)
    end_bytes: int = 0
    """Where in the file the next line begins."""


def _parse(text: bytes, seq: int, end_bytes: int) -> JournalLine | None:
    """Return the line, or None when it is not line number `seq` of a journal."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("seq") != seq:
        return None
    at, kind = value.pop("at", None), value.pop("type", None)
    if not isinstance(at, str) or not isinstance(kind, str):
        return None
    del value["seq"]
    return JournalLine(seq, at, kind, value, end_bytes)


def stream(path: Path, after: JournalLine | None = None) -> Iterator[JournalLine]:
    """Yield the lines that count, one by one, those behind `after`; a last line torn by a power cut does not count.

    Changes nothing, so it may run beside the daemon that writes. Raises JournalBroken, StoreFault.
    """
    seq, end_bytes = (after.seq + 1, after.end_bytes) if after else (0, 0)
    try:
        with path.open("rb") as file:
            file.seek(end_bytes)
            for text in file:
                end_bytes += len(text)
                line = _parse(text, seq, end_bytes) if text.endswith(b"\n") else None
                if line is None:
                    if any(rest.endswith(b"\n") for rest in file):
                        raise JournalBroken(
                            f"{path}: line {seq + 1} is not entry {seq}; restore the file or start a new scan"
                        )
                    return
                yield line
                seq += 1
    except OSError as error:
        raise StoreFault(f"{path}: cannot be read: {error.strerror}") from error


def replay(path: Path) -> tuple[list[JournalLine], int]:
    """Return all lines that count and their length in bytes. Raises JournalBroken, StoreFault."""
    lines = list(stream(path))
    return lines, lines[-1].end_bytes if lines else 0


def ends_with_seal(path: Path) -> bool:
    """Whether the last line tells of the seal; reads no more than that line. Raises OSError."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_SEAL_BYTES))
        end = file.read()
    return end.endswith(b"\n") and b'"type":"sealed"' in end.rstrip(b"\n").rpartition(b"\n")[2]


class Journal:
    """The journal of one scan, open for appending."""

    def __init__(self, path: Path, last: JournalLine | None, now: Callable[[], datetime] | None = None) -> None:
        """`last` is the last line that counts."""
        self.path = path
        self._next_seq = last.seq + 1 if last else 0
        self._good_bytes = last.end_bytes if last else 0
        self._now = now or (lambda: datetime.now(UTC))
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)

    @classmethod
    def create(cls, path: Path, now: Callable[[], datetime] | None = None) -> Self:
        """Begin an empty journal."""
        journal = cls(path, None, now)
        fsync_folder(path.parent)
        return journal

    @classmethod
    def open(
        cls,
        path: Path,
        now: Callable[[], datetime] | None = None,
        hear: Callable[[JournalLine], None] = lambda line: None,
    ) -> Self:
        """Let `hear` have every line, and go on after the last whole one. Raises JournalBroken, StoreFault."""
        last = None
        for line in stream(path):
            hear(line)
            last = line
        journal = cls(path, last, now)
        journal._drop_torn_end()
        return journal

    def append(self, kind: str, **body: Any) -> JournalLine:
        """Write a line and fsync it. Raises StoreFault; then the journal is as it was."""
        at = self._now().isoformat()
        record = {"seq": self._next_seq, "at": at, "type": kind, **body}
        data = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with explained(self.path, len(data)):
            try:
                self._write(data)
            except OSError:
                self._drop_torn_end()
                raise
        line = JournalLine(self._next_seq, at, kind, body, self._good_bytes + len(data))
        self._next_seq, self._good_bytes = line.seq + 1, line.end_bytes
        return line

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, data: bytes) -> None:
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], self._good_bytes + written)
        os.fsync(self._descriptor)

    def _drop_torn_end(self) -> None:
        if os.fstat(self._descriptor).st_size > self._good_bytes:
            os.ftruncate(self._descriptor, self._good_bytes)
            os.fsync(self._descriptor)
