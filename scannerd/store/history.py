"""What a scan's journal comes to, line by line: photos that count, amendments to the plan, what is wanted again.

At 1000 photos it is about a megabyte: of a photo only its entry is kept, as JSON, and read when somebody asks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from offload.wire.bundle import FrameEntry, StoredFile
from scannerd.scan.plan import Viewpoint
from scannerd.store.durable import StoreFault
from scannerd.store.journal import JournalLine


class Frames(Mapping[int, FrameEntry]):
    """The photos that count, by viewpoint, in the order in which they were first taken."""

    def __init__(self) -> None:
        self._entries: dict[int, bytes] = {}

    def __getitem__(self, index: int) -> FrameEntry:
        return FrameEntry.model_validate_json(self._entries[index])

    def __iter__(self) -> Iterator[int]:
        return iter(tuple(self._entries))  # Another thread may add a photo meanwhile.

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, index: object) -> bool:
        return index in self._entries

    def json(self, index: int) -> bytes:
        """Return one entry as it stands in the manifest."""
        return self._entries[index]

    def put(self, entry: FrameEntry) -> None:
        """Count a photo instead of the one before from the same viewpoint."""
        self._entries[entry.index] = entry.canonical_bytes()

    def drop(self, index: int) -> None:
        """Count a photo no more, if it was counted."""
        self._entries.pop(index, None)


class ScanHistory:
    """Takes in a journal; every line changes it as it changes the scan."""

    def __init__(self) -> None:
        self.lines = 0
        self.frames = Frames()
        self.extensions: tuple[Viewpoint, ...] = ()
        """Viewpoints that were added to the frozen plan."""
        self.locked: dict[int, Mapping[str, Any]] = {}
        """The settings that each camera was locked to last."""
        self.index_offset_deg: float | None = None
        """What to add to the axis's angle once its index was found; None: it has none."""
        self.retakes_wanted: tuple[int, ...] = ()
        """Viewpoints whose photo counts until a person's wish for another is fulfilled."""
        self.cancelled = False
        """A person ended the scan for good, and nobody has gone on with it since."""
        self.sealed = False
        self._takes: dict[int, int] = {}
        self._changes: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "frame": self._count,
            "raw": self._add_raw,
            "lost": self._lose,
            "retake": self._want,
            "extended": self._extend,
            "locked": self._lock,
            "indexed": self._index,
            "cancelled": lambda _: self._end(cancelled=True),
            "resumed": lambda _: self._end(cancelled=False),
            "sealed": lambda _: self._seal(),
        }

    def take_in(self, line: JournalLine) -> None:
        """Go on by one line. Raises StoreFault when it cannot be understood."""
        try:
            if (change := self._changes.get(line.type)) is not None:
                change(line.body)
        except (KeyError, TypeError, ValidationError) as error:
            raise StoreFault(f"journal entry {line.seq} ({line.type}) cannot be understood: {error}") from error
        self.lines += 1

    def next_take(self, index: int) -> int:
        """Return which take the next photo from a viewpoint will be, from 1."""
        return self._takes.get(index, 0) + 1

    def _count(self, body: Mapping[str, Any]) -> None:
        entry = FrameEntry.model_validate(body["frame"])
        self.frames.put(entry)
        self._takes[entry.index] = self.next_take(entry.index)
        self.retakes_wanted = tuple(index for index in self.retakes_wanted if index != entry.index)

    def _add_raw(self, body: Mapping[str, Any]) -> None:
        entry = self.frames[body["index"]]
        if entry.file.name == body["photo"]:  # Else another photo has taken its place meanwhile.
            raw = StoredFile.model_validate(body["file"])
            self.frames.put(entry.model_copy(update={"raw": raw, "raw_travels": bool(body["travels"])}))

    def _lose(self, body: Mapping[str, Any]) -> None:
        self.frames.drop(body["index"])

    def _want(self, body: Mapping[str, Any]) -> None:
        if body["index"] not in self.retakes_wanted:
            self.retakes_wanted += (body["index"],)

    def _extend(self, body: Mapping[str, Any]) -> None:
        self.extensions += tuple(Viewpoint.model_validate(view) for view in body["viewpoints"])

    def _lock(self, body: Mapping[str, Any]) -> None:
        self.locked[body.get("camera", 0)] = body["settings"]

    def _index(self, body: Mapping[str, Any]) -> None:
        self.index_offset_deg = float(body["offset_deg"])

    def _end(self, *, cancelled: bool) -> None:
        self.cancelled = cancelled

    def _seal(self) -> None:
        self.sealed = True


def history_of(lines: Iterable[JournalLine]) -> ScanHistory:
    """Return what these lines come to. Raises StoreFault."""
    history = ScanHistory()
    for line in lines:
        history.take_in(line)
    return history
