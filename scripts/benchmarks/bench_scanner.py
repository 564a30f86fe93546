"""The scanner that the capture benches measure: production drivers on the real-time bench."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from drivers.bench.album.album_process import AlbumProcess
from drivers.bench.album.spec import AlbumSpec, Kind
from drivers.bench.install import Bench, install_bench
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.platter import PlatterMechanics
from drivers.bench.render_set import thing_named
from drivers.bench.rim import rim_px_per_deg
from drivers.bench.scene import Exposure, Scene
from drivers.bench.sd_card import SdCard, card_named
from drivers.picture import Planes, companion_size_px
from scannerd.config import Config
from scannerd.settings.file import parse_config

BELT_HZ, BELT_DAMPING = (6.0, 12.0), (0.07, 0.15)
"""Between these lie the belts of other seeds than 0."""
STIFF_HZ, STIFF_DAMPING = 60.0, 0.8
CONFIG = """
[store]
folder = "{store}"
reserve_mb = 0
[camera]
width_px = {width_px}
height_px = {height_px}
# What the album was rendered with.
metering = "configured"
[scan]
views = {views}
# More viewpoints than planned have no floor to be compared with.
propose = false
[quality]
ask_a_person = false
"""


@dataclass(frozen=True)
class ScannerOptions:
    """What is measured; plain values, since they travel to another process."""

    scene: str
    """A pickled scene."""
    albums: str
    store: str
    views: int = 60
    width_px: int = 4056
    pictures_px: int = 2028
    speed: float = 1.0
    """Of the bench's clock."""
    seed: int = 0
    """Of the table's belt; 0 is the bench's usual one."""
    views_in_all: int = 1000
    """Of a scan that goes round and round."""
    card: str = ""
    """What the store lies on, of `drivers.bench.sd_card`; empty: this machine's own disk."""
    stiff: bool = False
    """The table's belt is so stiff that the platter never swings: no photo is blurred, none is taken again."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of a photo: four to three, even."""
        return self.width_px, self.width_px * 3 // 4 // 2 * 2 if self.width_px != 4056 else 3040

    @property
    def spec(self) -> AlbumSpec:
        """Of the album for this camera."""
        return AlbumSpec(self.views, *self.size_px, *companion_size_px(*self.size_px), self.pictures_px)

    @property
    def config(self) -> Config:
        """The settings as shipped, but for size, number and place of the photos; nobody is there to be asked."""
        width_px, height_px = self.size_px
        return parse_config(CONFIG.format(store=self.store, width_px=width_px, height_px=height_px, views=self.views))

    @property
    def mechanics(self) -> PlatterMechanics:
        """The table: a stiffer or softer belt, more or less damped, as the seed says."""
        table = self.config.turntable
        usual = PlatterMechanics(steps_per_turn=round(table.steps_per_turn), microsteps=table.microsteps)
        if self.stiff:
            return replace(usual, resonance_hz=STIFF_HZ, damping_ratio=STIFF_DAMPING)
        if self.seed == 0:
            return usual
        random = np.random.default_rng(self.seed)
        return replace(usual, resonance_hz=random.uniform(*BELT_HZ), damping_ratio=random.uniform(*BELT_DAMPING))

    def load_scene(self) -> Scene:
        """Return what stands in front of the camera."""
        scene: Scene = pickle.loads(Path(self.scene).read_bytes())
        return scene


def write_scene(thing: str, path: Path) -> None:
    """Put "default" or the mesh of a file on the mat in front of the camera. Raises MeshFileError."""
    path.write_bytes(pickle.dumps(Scene(thing_named(thing), charuco_mat()), protocol=pickle.HIGHEST_PROTOCOL))


def fill_album(options: ScannerOptions, tell: Callable[[int, int], None]) -> Path:
    """Render what the album lacks and return its folder; `tell` hears how many of how many pictures are there."""
    with AlbumProcess(Path(options.scene), Path(options.albums), options.spec) as album:
        for done, whole in album.fill():
            tell(done, whole)
        return album.folder


class WatchedAlbum(AlbumProcess):
    """Remembers how far the platter turned while the shutter was open for each photo that somebody copied."""

    def __init__(self, scene: Path, albums: Path, spec: AlbumSpec) -> None:
        super().__init__(scene, albums, spec)
        self.travels_deg: list[tuple[float, float]] = []
        """Platter angle and travel of each photo, truth both."""

    def planes(self, exposure: Exposure) -> Planes:
        """Return what the sensor saw; see `AlbumProcess`."""
        if self.spec.kind_of(exposure) is Kind.STILL:
            angles_deg = exposure.platter_angles_deg
            middle_deg = angles_deg[len(angles_deg) // 2]
            self.travels_deg.append((middle_deg, max(angles_deg) - min(angles_deg)))
        return super().planes(exposure)

    def blurs_px(self, scene: Scene) -> list[float]:
        """Return by how many pixels each photo smears the object's rim."""
        return [travel * rim_px_per_deg(scene, *self.spec.size_px(Kind.STILL), at) for at, travel in self.travels_deg]


@contextmanager
def card_beneath(options: ScannerOptions, bench: Bench) -> Iterator[SdCard | None]:
    """Put the card beneath the store, where one was asked for."""
    if not options.card:
        yield None
        return
    with SdCard(card_named(options.card), bench.clock, Path(options.store), options.seed) as card:
        yield card


@contextmanager
def real_time_bench(options: ScannerOptions) -> Iterator[tuple[Bench, WatchedAlbum]]:
    """Install the bench beneath the drivers, its pictures from the album."""
    with (
        WatchedAlbum(Path(options.scene), Path(options.albums), options.spec) as album,
        install_bench(album, speed=options.speed, mechanics=options.mechanics) as bench,
    ):
        album.stop_world = bench.clock.paused
        yield bench, album
