"""What a disk may hold after a power cut, by the rules that journaling file systems keep and no kinder ones.

Contents: what was written since the file's last fsync may be there, be missing, be torn or be zeros, each write for
itself. Names: what was created, renamed or removed since the folder's last fsync may have happened or not, in any
order; a rename happens as a whole, and is durable once one of its folders is fsynced. Nothing else is promised: an
fsync of a file does not make its name durable, nor the other way.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from disk_record import Operation


@dataclass(eq=False)
class Inode:
    """A file or folder. `entries` and `pending` are what the disk holds for sure and what it was told since."""

    is_folder: bool = False
    entries: dict[str, "Inode"] = field(default_factory=dict)
    durable: bytes = b""
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class NameChange:
    """Names set (to an inode) or removed (None), all or none of them."""

    names: tuple[tuple[Inode, str, Inode | None], ...]


class Fate:
    """Decides what becomes of everything that was not fsynced."""

    def name(self) -> bool:
        """Whether a change of names happened."""
        return True

    def write(self, data: bytes) -> bytes | None:
        """What is there of a write; None when nothing is, not even its length."""
        return data


class Dropped(Fate):
    """Nothing that was not fsynced is there."""

    def name(self) -> bool:
        return False

    def write(self, data: bytes) -> bytes | None:
        return None


class Emptied(Fate):
    """The names are there, the contents are not: what delayed allocation leaves."""

    def write(self, data: bytes) -> bytes | None:
        return None


class Zeroed(Fate):
    """Names and lengths are there, the contents are zeros."""

    def write(self, data: bytes) -> bytes | None:
        return bytes(len(data))


class Scattered(Fate):
    """Each change by chance."""

    def __init__(self, seed: str) -> None:
        self._chance = random.Random(seed)

    def name(self) -> bool:
        return self._chance.random() < 0.5

    def write(self, data: bytes) -> bytes | None:
        way = self._chance.randrange(5)
        if way == 0:
            return None
        if way == 1:
            return bytes(len(data))
        if way == 2:
            return data[: self._chance.randrange(len(data) + 1)]
        if way == 3:
            kept = self._chance.randrange(len(data) + 1)
            return data[:kept] + bytes(len(data) - kept)
        return data


Tree = dict[str, bytes | None]
"""What a folder holds: path from the root to content; None for a folder."""


class SimulatedDisk:
    """Follows a record; after each operation it can say what a power cut might leave."""

    def __init__(self, root: Path) -> None:
        """Begin with what is in `root` now, all of it durable."""
        self._inodes: dict[int, Inode] = {}
        self.root = self._taken_in(root)
        self._changes: list[NameChange] = []
        self.marks: list[str] = []
        self.unsure = False
        """Whether anything is not durable now."""

    def follow(self, operation: Operation) -> None:
        """Go on by one operation."""
        a, b, c, name, data = operation.a, operation.b, operation.c, operation.name, operation.data
        match operation.kind:
            case "C" | "M":
                self._inodes[a] = Inode(is_folder=operation.kind == "M")
                self._change((self._inodes[b], name, self._inodes[a]))
            case "L":
                self._change((self._inodes[b], name, self._inodes[a]))
            case "R":
                old, new = name.split("/")
                self._change((self._inodes[b], old, None), (self._inodes[c], new, self._inodes[a]))
            case "U":
                self._change((self._inodes[b], name, None))
            case "W" | "Z":
                self._inodes[a].pending.append((operation.kind, b, data))
            case "F":
                self._sync(self._inodes[a])
            case "K":
                self.marks += data.decode().splitlines()

    def after(self, fate: Fate) -> Tree:
        """Return what a power cut now leaves."""
        held: dict[Inode, dict[str, Inode]] = {}
        for change in self._changes:
            if fate.name():
                _apply(change, held)
        return dict(self._walk(self.root, "", held, fate))

    def durable(self, path: str) -> bytes | None:
        """Return the content that a file has for sure; None when it is not sure to be there."""
        node: Inode | None = self.root
        for part in path.split("/"):
            node = node.entries.get(part) if node else None
        return node.durable if node else None

    def durable_names(self, path: str) -> list[str]:
        """Return what is in a folder for sure."""
        node: Inode | None = self.root
        for part in path.split("/"):
            node = node.entries.get(part) if node else None
        return sorted(node.entries) if node else []

    def _taken_in(self, path: Path) -> Inode:
        node = self._inodes[path.stat().st_ino] = Inode(is_folder=path.is_dir())
        if node.is_folder:
            node.entries = {child.name: self._taken_in(child) for child in path.iterdir()}
        elif path.is_file():
            node.durable = path.read_bytes()
        return node

    def _change(self, *names: tuple[Inode, str, Inode | None]) -> None:
        self._changes.append(NameChange(names))

    def _sync(self, node: Inode) -> None:
        if not node.is_folder:
            node.durable, node.pending = _content(node, Fate()), []
            return
        wanted = {(node, name) for change in self._changes for folder, name, _ in change.names if folder is node}
        synced: list[NameChange] = []
        for change in reversed(self._changes):  # A name is set by what came last: earlier changes of it go first.
            if any((folder, name) in wanted for folder, name, _ in change.names):
                wanted |= {(folder, name) for folder, name, _ in change.names}
                synced.append(change)
        self._changes = [change for change in self._changes if change not in synced]
        for change in reversed(synced):
            for folder, name, inode in change.names:
                _set(folder.entries, name, inode)

    def _walk(
        self, node: Inode, path: str, held: dict[Inode, dict[str, Inode]], fate: Fate
    ) -> Iterator[tuple[str, bytes | None]]:
        for name, child in sorted(held.get(node, node.entries).items()):
            where = f"{path}/{name}" if path else name
            if child.is_folder:
                yield where, None
                yield from self._walk(child, where, held, fate)
            else:
                yield where, _content(child, fate)


def _apply(change: NameChange, held: dict[Inode, dict[str, Inode]]) -> None:
    for folder, name, inode in change.names:
        _set(held.setdefault(folder, dict(folder.entries)), name, inode)


def _set(entries: dict[str, Inode], name: str, inode: Inode | None) -> None:
    if inode is None:
        entries.pop(name, None)
    else:
        entries[name] = inode


def _content(node: Inode, fate: Fate) -> bytes:
    content = bytearray(node.durable)
    for kind, at, data in node.pending:
        if kind == "Z" and fate.name():
            del content[at:]
            content += bytes(at - len(content))
        elif kind == "W" and (there := fate.write(data)) is not None:
            content += bytes(max(0, at - len(content)))
            content[at : at + len(there)] = there
    return bytes(content)


def tree_of(root: Path) -> Tree:
    """Return what a real folder holds."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in sorted(root.rglob("*"))
    }


def materialise(tree: Tree, root: Path) -> None:
    """Make a real folder of it."""
    root.mkdir(parents=True)
    for path, content in tree.items():
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(content)


def fingerprint(tree: Tree, marks: Iterable[str]) -> str:
    """Return the same for the same tree after the same promises."""
    digest = hashlib.sha256("\0".join(marks).encode())
    for path, content in sorted(tree.items()):
        digest.update(f"\0{path}\0{'/' if content is None else len(content)}\0".encode() + (content or b""))
    return digest.hexdigest()
