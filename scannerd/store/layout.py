"""Where everything of the store lies. Nobody else spells these names."""

from dataclasses import dataclass
from pathlib import Path

from offload.wire.bundle import StoredFile


@dataclass(frozen=True)
class ScanFolder:
    """One scan's folder."""

    path: Path

    @property
    def scan_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def plan(self) -> Path:
        """The frozen plan, written before the first move."""
        return self.path / "plan.json"

    @property
    def journal(self) -> Path:
        """What happened, one JSON object a line."""
        return self.path / "journal.jsonl"

    @property
    def frames(self) -> Path:
        """The photos."""
        return self.path / "frames"

    @property
    def thumbnails(self) -> Path:
        """Small copies of the photos."""
        return self.path / "thumbnails"

    @property
    def background(self) -> Path:
        """A photo of the empty turntable, where there is one."""
        return self.background_of(0, "")

    def background_of(self, number: int, name: str) -> Path:
        """That of one camera; the first needs no name."""
        return self.path / _background(number, name)

    @property
    def manifest(self) -> Path:
        """The seal."""
        return self.path / "manifest.json"

    @property
    def contact_sheet(self) -> Path:
        """All thumbnails on one picture."""
        return self.path / "contact_sheet.jpg"

    @property
    def poses(self) -> Path:
        """Where the camera stood for each photo."""
        return self.path / "poses.json"

    @property
    def extras(self) -> tuple[Path, ...]:
        """What travels with the photos, where it was made."""
        return self.poses, self.contact_sheet

    @property
    def sync(self) -> Path:
        """How far the scan is on its way up and back; written by sync."""
        return self.path / "sync.json"

    @property
    def results(self) -> Path:
        """The model; appears whole or not at all."""
        return self.path / "results"

    def frame(self, index: int, take: int = 1) -> Path:
        """The photo of one viewpoint; each time that it is taken anew it has another name."""
        return self.frames / f"{take_name(index, take)}.jpg"

    def thumbnail(self, index: int, take: int = 1) -> Path:
        """The small copy of one photo."""
        return self.thumbnails / f"{take_name(index, take)}.jpg"

    def thumbnail_of(self, photo: StoredFile) -> Path:
        """The small copy of this photo."""
        return self.thumbnails / Path(photo.name).name


def _background(number: int, name: str) -> str:
    return f"background-{name}.jpg" if number else "background.jpg"


def take_name(index: int, take: int) -> str:
    """Return what the files of one photo begin with: `0007`, then `0007_2` for the one that replaces it.

    A name is never written twice, so the journal's line and the file that it names agree at every instant.
    """
    return f"{index:04d}" if take == 1 else f"{index:04d}_{take}"


@dataclass(frozen=True)
class StoreLayout:
    """The store's own folder."""

    root: Path

    @property
    def scans(self) -> Path:
        """Holds one folder a scan."""
        return self.root / "scans"

    @property
    def lock(self) -> Path:
        """Locked by the one daemon that may write."""
        return self.root / "lock"

    @property
    def trash(self) -> Path:
        """Holds deleted scans until they are restored or forgotten."""
        return self.root / "trash"

    @property
    def commands(self) -> Path:
        """Which commands were obeyed."""
        return self.root / "commands.jsonl"

    @property
    def removed(self) -> Path:
        """Which scans made room for others, one JSON object a line."""
        return self.root / "removed.jsonl"

    @property
    def lift_rest(self) -> Path:
        """Where the lift rests."""
        return self.root / "lift.json"

    @property
    def tokens(self) -> Path:
        """Which devices are paired; holds no token, only hashes."""
        return self.root / "tokens.json"

    @property
    def background(self) -> Path:
        """The photo of the empty turntable for scans to come."""
        return self.background_of(0, "")

    def background_of(self, number: int, name: str) -> Path:
        """The one of a camera; its facts lie beside it."""
        return self.root / _background(number, name)

    def scan(self, scan_id: str) -> ScanFolder:
        """The folder of one scan."""
        return ScanFolder(self.scans / scan_id)

    def deleted(self, scan_id: str) -> ScanFolder:
        """The folder of a scan in the trash."""
        return ScanFolder(self.trash / scan_id)

    def unborn(self, scan_id: str) -> ScanFolder:
        """Where a scan is put together before it appears, whole, under its name."""
        return ScanFolder(self.scans / f".{scan_id}.new")


@dataclass(frozen=True)
class TrashLayout(StoreLayout):
    """The store as if the deleted scans were the ones that are there."""

    @property
    def scans(self) -> Path:
        """Holds the deleted scans."""
        return self.trash
