"""What the simulated libcamera is plugged into: the world in front of the lens, and who computes its pictures."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from drivers.bench.dma_heap import BenchDmaHeap
from drivers.bench.mosaic import mosaic
from drivers.bench.scene import Exposure
from drivers.bench.sensor_models import IMX477, SensorModel
from drivers.bench.world import Shot, World
from drivers.picture import Planes

Size = tuple[int, int]
"""Width and height, in pixels."""


class PictureSource(Protocol):
    """Computes what the sensor saw, in as much time as it wants: the world stands still meanwhile.

    It is asked at the size of a photo or of its companion, whichever somebody looks at. A companion of a photo that
    was computed is shrunk from it; frames that nobody looks at are never asked for.
    """

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        """Fill `out`: (height, width, 3), uint8, RGB, sRGB-encoded, C-contiguous."""


@runtime_checkable
class ReadyPictures(Protocol):
    """Pictures that lie ready, in place of a source, for a bench whose time must not stand still."""

    def planes(self, exposure: Exposure) -> Planes:
        """Return what the sensor saw, `exposure.width_px` by `height_px`, in no more time than copying it takes.

        Asked in the thread that reads the frame, at photo's and companion's size alike: nothing is shrunk here. May
        be asked for a companion first, for its photo later or never. The planes are only read, so share them freely.
        """


class CameraRig:
    """One camera on its tripod."""

    def __init__(
        self,
        world: World,
        pictures: PictureSource | ReadyPictures,
        heap: BenchDmaHeap,
        prepare: Callable[[int, int], None] | None = None,
        model: SensorModel = IMX477,
        number: int = 0,
        elevation_deg: float | None = None,
    ) -> None:
        """Point a camera at the world. `prepare` is told early which width and height will be asked for.

        `number` counts the cameras from 0, `elevation_deg` is of a tripod of its own; None: it is the world's camera,
        which hands and motors move.
        """
        self.world = world
        self.model = model
        self.heap = heap
        self._pictures = pictures
        self._prepare = prepare
        self.number = number
        self._elevation_deg = elevation_deg

    @property
    def hangs(self) -> bool:
        """Whether it has stopped sending frames."""
        return self.world.camera_hangs if self.number == 0 else self.number in self.world.others_hang

    def expose(self, shot: Shot, size_px: Size) -> Exposure:
        """Gather the light of one frame, as its shutter closes."""
        return self._from_here(self.world.expose(shot, *size_px))

    def sight(self, shot: Shot, size_px: Size) -> Exposure:
        """Return what a frame would show."""
        return self._from_here(self.world.sight(shot, *size_px))

    def _from_here(self, exposure: Exposure) -> Exposure:
        return exposure if self._elevation_deg is None else replace(exposure, elevation_deg=self._elevation_deg)

    def configure(self, size_px: Size) -> None:
        """Announce the size of pictures to come."""
        if self._prepare is not None:
            self._prepare(*size_px)

    def latent(self, exposure: Exposure, sizes_px: list[Size]) -> "LatentFrame":
        """Return a frame that will be looked at in some of these sizes, the photo's first, or never."""
        return LatentFrame(self, exposure, sizes_px)

    @property
    def shrinks(self) -> bool:
        """Whether companions are made of photos."""
        return not isinstance(self._pictures, ReadyPictures)

    def develop(self, exposure: Exposure) -> Planes:
        """Return the picture. Unless it lies ready, the world stands still while it is being computed."""
        if isinstance(self._pictures, ReadyPictures):
            return self._pictures.planes(exposure)
        return Planes.from_rgb(self.develop_rgb(exposure))

    def develop_rgb(self, exposure: Exposure) -> NDArray[np.uint8]:
        """The same as (height, width, 3) RGB."""
        if isinstance(self._pictures, ReadyPictures):
            return self._pictures.planes(exposure).rgb()
        pixels = np.empty((exposure.height_px, exposure.width_px, 3), np.uint8)
        with self.world.clock.paused():
            self._pictures(exposure, pixels)
        return pixels


class LatentFrame:
    """One exposure, in every size in which somebody may look at it: computed when somebody does."""

    def __init__(self, rig: CameraRig, exposure: Exposure, sizes_px: list[Size]) -> None:
        """`sizes_px`: the photo's first."""
        self._rig = rig
        self._exposure = exposure
        self._photo_px, *self._smaller_px = sizes_px
        self._shrunk: dict[Size, Planes] = {}
        self._photo: NDArray[np.uint8] | None = None
        self.comes_raw = False
        """Whether somebody may ask for the mosaic: the photo that it is made of is kept."""

    def planes(self, size_px: Size) -> Planes:
        """Return the picture; a companion is shrunk from its photo where somebody has looked at that already."""
        if size_px in self._shrunk:
            return self._shrunk.pop(size_px)
        if size_px == self._photo_px and self.comes_raw:
            picture = Planes.from_rgb(self._developed_photo())
        else:
            picture = self._rig.develop(self._at(size_px))
        if size_px == self._photo_px and self._rig.shrinks:
            self._shrunk = {smaller: picture.shrunk(*smaller) for smaller in self._smaller_px}
        self._count(size_px)
        return picture

    def rgb(self, size_px: Size) -> NDArray[np.uint8]:
        """Return (height, width, 3)."""
        pixels = self._rig.develop_rgb(self._at(size_px))
        self._count(size_px)
        return pixels

    def mosaic(self, size_px: Size, bits: int) -> NDArray[np.uint16]:
        """Return what the sensor measured, (height, width)."""
        photo = self._developed_photo()
        with self._rig.world.clock.paused():
            return mosaic(photo, self._exposure, size_px, bits)

    def _developed_photo(self) -> NDArray[np.uint8]:
        if self._photo is None:
            self._photo = self._rig.develop_rgb(self._at(self._photo_px))
        return self._photo

    def _at(self, size_px: Size) -> Exposure:
        return replace(self._exposure, width_px=size_px[0], height_px=size_px[1])

    def _count(self, size_px: Size) -> None:
        if size_px == self._photo_px:
            self._rig.world.pictures += 1
        else:
            self._rig.world.companions += 1
