"""Every scan in the folder in a few bytes: what is to be done with it, and when to look at it again."""

import time
from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from offload.sync.lanes import Rank
from offload.sync.outbox import JOURNAL, MANIFEST
from offload.sync.state import STATE, read_state
from offload.wire.jobs import SyncState

NEW_S = 3600.0
"""A scan that got its last photo within this may get another one at any time."""
LOOK_S, SELDOM_S = 0.25, 10.0
LOOKS_AT_A_TIME = 200
SETTLED_NS = 1_000_000_000


class Standing(StrEnum):
    """What is to be done with a scan."""

    READY = "ready"
    CARRIED = "carried"
    RESTING = "resting"
    """Not sealed, and everything so far is on the service."""
    FOLLOWED = "followed"
    HOMEWARD = "homeward"
    """Its results are being fetched."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Stamp:
    """What changes when a scan gets a photo or its seal."""

    journal_ns: int
    journal_bytes: int
    manifest_ns: int

    @classmethod
    def of(cls, folder: Path) -> "Stamp | None":
        """Return it; None for a folder that is no scan."""
        journal, manifest = _status(folder / JOURNAL), _status(folder / MANIFEST)
        if journal is None and manifest is None:
            return None
        journal_ns, journal_bytes = journal or (0, 0)
        return cls(journal_ns, journal_bytes, manifest[0] if manifest else 0)

    @property
    def last_photo_ns(self) -> int:
        """About when the latest photo came."""
        return self.journal_ns or self.manifest_ns


@dataclass(slots=True)
class Entry:
    """One scan."""

    folder: Path
    stamp: Stamp
    standing: Standing
    look_at_s: float = 0.0

    def put_off(self) -> None:
        """Choose when to look again whether it changed."""
        age_s = time.time() - self.stamp.last_photo_ns / 1e9
        self.look_at_s = time.monotonic() + (LOOK_S if abs(age_s) < NEW_S else SELDOM_S)


class Backlog:
    """All scans of a folder. A look costs one stat of the folder, and two of each scan that may still grow."""

    def __init__(self, scans: Path) -> None:
        self._scans = scans
        self._listed_ns: int | None = None
        self._strangers: set[str] = set()
        """Folders that are no scans yet."""
        self.entries: dict[str, Entry] = {}
        self._names: dict[Standing, set[str]] = {standing: set() for standing in Standing}

    def listed_anew(self) -> tuple[set[str], set[str]] | None:
        """Return the names that came and those that went; None while the folder did not change."""
        try:
            changed_ns = self._scans.stat().st_mtime_ns
        except FileNotFoundError:
            changed_ns = 0
        if changed_ns == self._listed_ns and not self._strangers:
            return None
        # What comes within the same tick of the file system's clock would not be seen.
        is_over = abs(time.time_ns() - changed_ns) > SETTLED_NS
        self._listed_ns = changed_ns if is_over else None
        found = (
            {entry.name for entry in self._scans.iterdir() if not entry.name.startswith(".")} if changed_ns else set()
        )
        self._strangers &= found
        return found - self.entries.keys(), self.entries.keys() - found

    def examine(self, name: str) -> tuple[Entry, SyncState | None] | None:
        """Take a scan in, with what sync remembers of it; None while it is no scan."""
        folder = self._scans / name
        stamp = Stamp.of(folder)
        if stamp is None:
            if folder.is_dir():
                self._strangers.add(name)
            return None
        self._strangers.discard(name)
        state = read_state(folder)
        entry = Entry(folder, stamp, _standing(folder, stamp, state))
        entry.put_off()
        self.entries[name] = entry
        self._names[entry.standing].add(name)
        return entry, state

    def put(self, name: str, standing: Standing) -> None:
        """Note what is to be done with a scan from now on."""
        entry = self.entries[name]
        self._names[entry.standing].discard(name)
        entry.standing = standing
        self._names[standing].add(name)

    def put_down(self, name: str, standing: Standing, *, at_bytes: int | None = None) -> None:
        """Have a scan rest until it changes. `at_bytes`: how much of its journal was seen; more makes it ready."""
        entry = self.entries[name]
        entry.stamp = Stamp.of(entry.folder) or entry.stamp
        is_seen = at_bytes is None or (entry.stamp.journal_bytes == at_bytes and entry.stamp.manifest_ns == 0)
        self.put(name, standing if is_seen else Standing.READY)
        entry.put_off()

    def forget(self, name: str) -> None:
        """Let go of a scan that was deleted."""
        self._names[self.entries.pop(name).standing].discard(name)

    def wake(self) -> None:
        """Make those ready that got a photo or a seal since they were put down."""
        now_s, looks = time.monotonic(), 0
        for name in [*self._names[Standing.RESTING], *self._names[Standing.FAILED]]:
            entry = self.entries[name]
            if entry.look_at_s > now_s:
                continue
            stamp = Stamp.of(entry.folder)
            if stamp is not None and stamp != entry.stamp:
                entry.stamp = stamp
                self.put(name, Standing.READY)
            entry.put_off()
            looks += 1
            if looks >= LOOKS_AT_A_TIME:
                break

    def having(self, standing: Standing) -> Set[str]:
        """Return the scans of which this is to be done."""
        return self._names[standing]

    def rank(self, name: str, first: str | None) -> Rank:
        """Return how urgent a scan is: a person's choice, then the newest."""
        entry = self.entries.get(name)
        return (0 if name == first else 1, -entry.stamp.last_photo_ns if entry is not None else 0)


def _standing(folder: Path, stamp: Stamp, state: SyncState | None) -> Standing:
    """What sync remembers of a scan saves asking, unless the scan has changed since."""
    if state is None:
        return Standing.READY
    if state.results_in_place:
        return Standing.DONE
    status = _status(folder / STATE)
    sealed_since = status is not None and stamp.manifest_ns > status[0]
    if state.job is not None and not sealed_since:
        if not state.job.state.final:
            return Standing.FOLLOWED
        return Standing.FOLLOWED if state.job.results else Standing.DONE
    if (
        stamp.manifest_ns == 0
        and state.resting_at_bytes is not None
        and state.resting_at_bytes == stamp.journal_bytes
    ):
        return Standing.RESTING
    return Standing.READY


def _status(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
