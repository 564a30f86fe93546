"""Which commands were obeyed already, on the disk: a message that is delivered twice is carried out once.

A line is written before a command is carried out, and one with its answer afterwards. A command whose answer a power
cut swallowed is not tried again: nobody knows how far it got, and a person can look.
"""

import json
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scannerd.store.durable import explained, fsync_folder, write_durably

CAPACITY = 1000
"""So many commands are remembered, the latest."""


@dataclass(frozen=True)
class LedgerEntry:
    """One command. `answer` is None when the daemon ended before there was one."""

    command_id: str
    command: str
    """Its name and arguments, to tell the same command from another with the same id."""
    answer: dict[str, Any] | None = None


class CommandLedger:
    """Remembers commands by id. Only the thread that called may be inside a method."""

    def __init__(self, path: Path, capacity: int = CAPACITY) -> None:
        """Read what is there; lines that a power cut tore do not count. Raises StoreFault."""
        self._path = path
        self._capacity = capacity
        self._entries: OrderedDict[str, LedgerEntry] = OrderedDict()
        self._lines = 0
        self._read()
        self._rewrite()

    def find(self, command_id: str) -> LedgerEntry | None:
        """Return what is remembered of a command."""
        return self._entries.get(command_id)

    def begin(self, command_id: str, command: str) -> None:
        """Remember that a command is about to be carried out. Raises StoreFault; then it is remembered until the end
        of this process only."""
        self._remember(LedgerEntry(command_id, command))
        self._append({"id": command_id, "command": command})

    def answer(self, command_id: str, answer: dict[str, Any]) -> None:
        """Remember how it was answered. Raises StoreFault, as `begin` does."""
        self._remember(LedgerEntry(command_id, self._entries[command_id].command, answer))
        self._append({"id": command_id, "answer": answer})

    def _remember(self, entry: LedgerEntry) -> None:
        self._entries[entry.command_id] = entry
        self._entries.move_to_end(entry.command_id)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def _read(self) -> None:
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return
        for line in text.splitlines():
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue

    def _take(self, line: dict[str, Any]) -> None:
        command_id = line["id"]
        if "command" in line:
            self._remember(LedgerEntry(command_id, line["command"], line.get("answer")))
        elif command_id in self._entries:
            self._remember(LedgerEntry(command_id, self._entries[command_id].command, line["answer"]))

    def _rewrite(self) -> None:
        lines = (
            {"id": entry.command_id, "command": entry.command, **({"answer": entry.answer} if entry.answer else {})}
            for entry in self._entries.values()
        )
        write_durably(self._path, b"".join(_encoded(line) for line in lines))
        self._lines = len(self._entries)

    def _append(self, line: dict[str, Any]) -> None:
        if self._lines > 4 * self._capacity:
            self._rewrite()
            return
        data = _encoded(line)
        with explained(self._path, len(data)):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.write(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        if self._lines == 0:
            fsync_folder(self._path.parent)
        self._lines += 1


def _encoded(line: dict[str, Any]) -> bytes:
    # A line that a power cut tore off has no end: the next one begins on a line of its own. And each ends its own, so
    # that zeros which a power cut leaves behind it are no part of it.
    return b"\n" + json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
