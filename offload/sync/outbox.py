"""A scan's folder as a queue: which of its files must go up, read from its journal and its seal."""

import json
import logging
import time
from pathlib import Path

from pydantic import ValidationError

from offload.logs.fields import about
from offload.wire.bundle import FrameEntry, Manifest, StoredFile

log = logging.getLogger(__name__)

JOURNAL = "journal.jsonl"
MANIFEST = "manifest.json"


class BrokenScan(RuntimeError):
    """The scan's own files cannot be understood; the message says which and why."""


class Outbox:
    """Follows one scan's journal from where it was, and notices the seal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Manifest | None = None
        self._frames: dict[int, FrameEntry] = {}
        self._read_bytes = 0
        self._changed_s = 0.0
        self._wanted: tuple[StoredFile, ...] | None = None

    def refresh(self) -> None:
        """Take in what was journaled or sealed since the last look. Raises BrokenScan.

        A last line without its newline is still being written and waits for the next look.
        """
        if self.manifest is not None:
            return
        self._read_journal()
        self._read_manifest()

    def wanted(self) -> tuple[StoredFile, ...]:
        """Every file that must be on the service, as far as known: the sealed ones, else those of frames."""
        if self._wanted is None:
            self._wanted = self._listed()
        return self._wanted

    @property
    def journal_bytes(self) -> int:
        """How much of the journal has been taken in."""
        return self._read_bytes

    @property
    def idle_s(self) -> float:
        """How old the journal's latest line is, by the device's clock."""
        return abs(time.time() - self._changed_s)

    def _listed(self) -> tuple[StoredFile, ...]:
        if self.manifest is not None:
            return self.manifest.files()
        return tuple(file for index in sorted(self._frames) for file in self._frames[index].files())

    def path(self, file: StoredFile) -> Path:
        """Return where this file lies on the device."""
        return self.folder / file.name

    def _read_journal(self) -> None:
        journal = self.folder / JOURNAL
        try:
            status = journal.stat()
        except FileNotFoundError:
            return
        size_bytes, self._changed_s = status.st_size, status.st_mtime
        if size_bytes < self._read_bytes:  # Cut back by a recovery: read it anew.
            self._read_bytes = 0
            self._frames.clear()
        if size_bytes == self._read_bytes:
            return
        with journal.open("rb") as stream:
            stream.seek(self._read_bytes)
            whole, newline, _ = stream.read().rpartition(b"\n")
        self._read_bytes += len(whole) + len(newline)
        self._wanted = None
        for line in whole.split(b"\n"):
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line) if line.strip() else {}
            kind = entry.get("type") if isinstance(entry, dict) else None
            if kind == "frame":
                frame = FrameEntry.model_validate(entry["frame"])
                self._frames[frame.index] = frame
            elif kind == "lost":  # Found damaged on the device; it will be taken again.
                self._frames.pop(entry["index"], None)
        except (ValueError, KeyError) as problem:
            log.warning(
                "a line of the journal is not understood and left out: %s",
                problem,
                extra=about(scan=self.folder.name),
            )

    def _read_manifest(self) -> None:
        try:
            self.manifest = Manifest.model_validate_json((self.folder / MANIFEST).read_bytes())
            self._wanted = None
        except FileNotFoundError:
            return
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"]) or "content"
            raise BrokenScan(
                f"{self.folder / MANIFEST}: {where}: {first['msg']}; seal the scan again with this version"
            ) from problem
