"""The journal: JSON objects, one a line, each on the disk before anything counts on it.

Every line has `seq` (0, 1, 2 …), `at` (ISO time) and `type`; the rest belongs to the type.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from scannerd.store.durable import StoreFault, explained, fsync_folder


class JournalBroken(StoreFault):
    """A line before the last is not what was written. Somebody edited the file, or the disk is dying."""


@dataclass(frozen=True)
class JournalLine:
    """One thing that happened."""

    seq: int
    at: str
    type: str
    body: Mapping[str, Any] = field(default_factory=dict)


def _parse(text: bytes, seq: int) -> JournalLine | None:
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
    return JournalLine(seq, at, kind, value)


def replay(path: Path) -> tuple[list[JournalLine], int]:
    """Return the lines that count and their length in bytes; a last line torn by a power cut does not count.

    Changes nothing, so it may run beside the daemon that writes. Raises JournalBroken, StoreFault.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreFault(f"{path}: cannot be read: {error.strerror}") from error
    lines: list[JournalLine] = []
    good_bytes = 0
    while good_bytes < len(data):
        end = data.find(b"\n", good_bytes)
        line = _parse(data[good_bytes:end], len(lines)) if end >= 0 else None
        if line is None:
            if b"\n" in data[end + 1 :] and end >= 0:
                raise JournalBroken(
                    f"{path}: line {len(lines) + 1} is not entry {len(lines)}; restore the file or start a new scan"
                )
            break
        lines.append(line)
        good_bytes = end + 1
    return lines, good_bytes


class Journal:
    """The journal of one scan, open for appending."""

    def __init__(
        self, path: Path, lines: list[JournalLine], good_bytes: int, now: Callable[[], datetime] | None = None
    ) -> None:
        self.path = path
        self.lines = lines
        self._good_bytes = good_bytes
        self._now = now or (lambda: datetime.now(UTC))
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)

    @classmethod
    def create(cls, path: Path, now: Callable[[], datetime] | None = None) -> Self:
        """Begin an empty journal."""
        journal = cls(path, [], 0, now)
        fsync_folder(path.parent)
        return journal

    @classmethod
    def open(cls, path: Path, now: Callable[[], datetime] | None = None) -> Self:
        """Replay a journal and go on after its last whole line. Raises JournalBroken, StoreFault."""
        lines, good_bytes = replay(path)
        journal = cls(path, lines, good_bytes, now)
        journal._drop_torn_end()
        return journal

    def append(self, kind: str, **body: Any) -> JournalLine:
        """Write a line and fsync it. Raises StoreFault; then the journal is as it was."""
        line = JournalLine(len(self.lines), self._now().isoformat(), kind, body)
        record = {"seq": line.seq, "at": line.at, "type": kind, **body}
        data = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with explained(self.path, len(data)):
            try:
                self._write(data)
            except OSError:
                self._drop_torn_end()
                raise
        self._good_bytes += len(data)
        self.lines.append(line)
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
