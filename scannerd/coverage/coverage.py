"""Coverage while a scan runs: carves a coarse hull photo by photo, and asks every camera what it sees of it.

The hull shrinks with each photo, so what a camera sees of it must be asked again and again. Each photo brings its own
mask and pays for some of the cameras before it; when all have been asked about one hull, there is a report.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.wire.bundle import Place
from scannerd.coverage.cameras import Cameras
from scannerd.coverage.proposal import best_proposal
from scannerd.coverage.report import CoverageReport
from scannerd.coverage.sight import sees
from scannerd.coverage.sighting import KeptSighting, Mask, Sighting
from scannerd.coverage.tally import report_on
from scannerd.coverage.voxel_hull import SIDE, Box, Skin, VoxelHull, skin_of
from scannerd.quality.look import Aspect, Look, Verdict
from scannerd.scan.plan import ScanPlan, Viewpoint

MASK_WIDTH_PX = 240
"""Masks are kept this small: some pixels a voxel."""
MASKS_KEPT = 72
"""For drawing the box closer; of more, every other one is kept."""
CLOSER_AFTER_DEG, CLOSER_AFTER_MASKS = 100.0, 6
"""Seen from so far around, the object is narrow enough for the box to be drawn close around it."""
MUCH_SMALLER = 0.85
CARVED_AT_A_TIME, ASKED_AT_A_TIME = 200_000, 8
"""About so many voxels are carved, and cameras asked, for every photo that comes: some 20 ms of a quick core."""
LEAST_MASKS = 3
BOX_OF_MAT = 1.1
"""Edge of the first box, over the mat's longer side."""


@dataclass
class _Round:
    """One hull, and the cameras asked about it so far."""

    skin: Skin
    sightings: list[Sighting]
    seen: NDArray[np.uint16] = field(init=False)
    asked: int = 0

    def __post_init__(self) -> None:
        self.seen = np.zeros(len(self.skin), np.uint16)

    def ask(self, most: int) -> bool:
        """Ask some more cameras; return whether all have been."""
        for sighting in self.sightings[self.asked : self.asked + most]:
            if sighting.sharp:
                self.seen += sees(sighting, self.skin)
        self.asked = min(len(self.sightings), self.asked + most)
        return self.asked == len(self.sightings)


class Coverage:
    """What one scan's photos show of the object as it lies on one side. Not for two threads at once."""

    def __init__(self, plan: ScanPlan) -> None:
        self._plan = plan
        self._cameras: dict[int, Cameras] = {}
        self._begin(side=0)

    def _begin(self, side: int) -> None:
        self._side = side
        self._hull: VoxelHull | None = None
        self._sightings: dict[int, Sighting] = {}
        """Without their masks."""
        self._kept: list[KeptSighting] = []
        self._stride = 1
        self._masks = 0
        self._angles_deg = (math.inf, -math.inf)
        self._is_close = False
        self._to_carve: deque[KeptSighting] = deque()
        self._round: _Round | None = None

    def add(
        self, place: Place, angle_deg: float, look: Look, small_size: tuple[int, int] | None = None
    ) -> CoverageReport | None:
        """Take in a photo that was kept; return a new report when one is ready, which is not with every photo.

        `angle_deg` is where the platter stood, `small_size` the companion's width and height, for photos without a
        mask. Brackets and repeats show nothing new and are passed over; a photo taken again replaces the first one.
        """
        if not place.is_plain:
            return None
        if place.side != self._side:
            self._begin(place.side)
        camera = self._camera(place.camera)
        pose = camera.pose(place, angle_deg, look.mat, look.mask)
        # What one camera alone guesses fits neither to the mat nor to what another one guesses.
        if pose is None or (camera.guessed and (place.camera or not self._guessed)):
            return None
        mask = _small(look.mask)
        width, height = (
            (mask.shape[1], mask.shape[0])
            if mask is not None
            else small_size or self._plan.of_camera(place.camera).size_px
        )
        sighting = Sighting(pose, camera.lens_at(width, height), None, _is_sharp(look))
        self._sightings[place.index] = sighting
        if mask is not None:
            self._take(KeptSighting.of(sighting, mask), angle_deg)
        return self._work()

    def report(self, viewpoints: Sequence[Viewpoint] | None = None) -> CoverageReport | None:
        """Return what all photos so far show, and what would help; None when no photo showed the object.

        `viewpoints` are all that the scan has by now, where it was extended: a proposal is numbered on from the last.
        Takes some milliseconds a photo: once, at the end of the views.
        """
        self._carve()
        self._draw_closer()
        self._carve()
        skin = self._skin()
        if skin is None:
            return None
        last = _Round(skin, list(self._sightings.values()))
        last.ask(len(last.sightings))
        planned = viewpoints or self._plan.viewpoints
        return self._told(last).with_proposal(best_proposal(planned, self._side, last.sightings, skin, last.seen))

    def _camera(self, number: int) -> Cameras:
        if number not in self._cameras:
            self._cameras[number] = Cameras(self._plan.of_camera(number))
        return self._cameras[number]

    @property
    def _guessed(self) -> bool:
        return all(camera.guessed for camera in self._cameras.values())

    def _take(self, sighting: KeptSighting, angle_deg: float) -> None:
        self._masks += 1
        self._angles_deg = (min(self._angles_deg[0], angle_deg), max(self._angles_deg[1], angle_deg))
        self._to_carve.append(sighting)
        if self._masks % self._stride == 0:
            self._kept.append(sighting)
        if len(self._kept) > MASKS_KEPT:
            self._kept, self._stride = self._kept[::2], self._stride * 2

    def _seen_around(self) -> bool:
        low_deg, high_deg = self._angles_deg
        return self._masks >= CLOSER_AFTER_MASKS and high_deg - low_deg >= CLOSER_AFTER_DEG

    def _work(self) -> CoverageReport | None:
        """Do one photo's share of what there is to do."""
        if self._seen_around() and not self._is_close:
            self._is_close = True
            if self._draw_closer():
                return None
        self._carve(CARVED_AT_A_TIME)
        if self._round is None:
            skin = self._skin() if self._masks >= LEAST_MASKS and not self._to_carve else None
            self._round = _Round(skin, list(self._sightings.values())) if skin is not None else None
            return None
        if not self._round.ask(ASKED_AT_A_TIME):
            return None
        done, self._round = self._round, None
        return self._told(done)

    def _carve(self, most: float = math.inf) -> None:
        """Work off what waits, until about so many voxels were looked at."""
        looked_at = 0
        while self._to_carve and looked_at < most:
            sighting = self._to_carve.popleft().whole
            if self._hull is None:
                self._hull = VoxelHull(self._first_box(sighting))
            looked_at += self._hull.carve(sighting)

    def _draw_closer(self) -> bool:
        """Begin a finer hull around what is left of the coarse one, if it is; the masks kept are carved anew."""
        box = self._hull.closer_box() if self._hull is not None else None
        if box is None or self._hull is None or box.voxel_mm > MUCH_SMALLER * self._hull.box.voxel_mm:
            return False
        self._hull = VoxelHull(box)
        self._to_carve = deque(self._kept)
        self._round = None
        return True

    def _first_box(self, sighting: Sighting) -> Box:
        """Around everything that could stand on the mat; without a mat, around what the first mask shows."""
        mat = self._plan.mat
        if mat is not None and not self._guessed:
            edge_mm = BOX_OF_MAT * max(mat.width_mm, mat.height_mm)
        else:
            assert sighting.mask is not None
            shown_px = np.ptp(np.argwhere(sighting.mask > 0), axis=0).max() + 1
            edge_mm = float(2 * shown_px / sighting.lens.focal_px * np.linalg.norm(sighting.pose.centre_mm))
        return Box((-edge_mm / 2, -edge_mm / 2, 0.0), edge_mm / SIDE)

    def _skin(self) -> Skin | None:
        return skin_of(self._hull.occupied(), self._hull.box) if self._hull is not None else None

    def _told(self, done: _Round) -> CoverageReport:
        return report_on(done.skin, done.seen, self._side, len(done.sightings), guessed=self._guessed)


def _small(mask: Mask | None) -> Mask | None:
    """Return the mask at the size it is kept in; None where it shows no object."""
    if mask is None or not mask.any():
        return None
    scale = MASK_WIDTH_PX / mask.shape[1]
    if scale >= 1:
        return mask.copy()
    size = (MASK_WIDTH_PX, max(1, round(mask.shape[0] * scale)))
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    return np.where(small > 127, 255, 0).astype(np.uint8)


def _is_sharp(look: Look) -> bool:
    """What a person overruled may be dark or cut off and still show its part of the object sharply."""
    for finding in look.findings:
        if finding.aspect is Aspect.SHARPNESS:
            return finding.passed
    return look.verdict is Verdict.ACCEPT
