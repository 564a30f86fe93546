"""Everything that is measured on one frame, before anybody judges it."""

from dataclasses import dataclass

import cv2
import numpy as np

from drivers.picture import Plane, Planes
from drivers.protocols import Frame
from offload.wire.bundle import MatSpec
from scannerd.quality.exposure import Clipping, clipping_of
from scannerd.quality.framing import Framing, framing_of
from scannerd.quality.look import MatReading
from scannerd.quality.mat_reading import MatReader
from scannerd.quality.mat_view import MatPainter, MatView
from scannerd.quality.object_edges import ObjectEdges, object_edges
from scannerd.quality.printed_edges import PrintedEdges, printed_edges
from scannerd.quality.silhouette import Seen, Silhouette

MIDDLE = 0.6
"""Where the object probably is, while nobody can tell: this share of width and height."""
OUTLINE = 0.02
"""Of the picture's width, around a mask."""
LEAST_OBJECT = 0.004
"""Of the picture; less is a speck of dust."""


@dataclass(frozen=True)
class Testimony:
    """The measurements."""

    photo_width_px: int
    mat: MatReading | None
    view: MatView | None
    print: PrintedEdges | None
    seen: Seen | None
    """The object, nowhere if there is none; None while nobody can tell."""
    knows_object: bool
    """Whether `seen` shows one."""
    edges: ObjectEdges
    clipping: Clipping | None
    framing: Framing | None


class Witness:
    """Measures the frames of one ring after the other. Memory is that of some companions, however many frames."""

    def __init__(self, mat: MatSpec | None) -> None:
        self._reader = MatReader(mat) if mat is not None else None
        self._painter = MatPainter(self._reader) if self._reader is not None else None
        self._ring: int | None = None
        self._silhouette = Silhouette()

    def look(self, frame: Frame, ring: int) -> Testimony:
        """Measure a frame. A new ring begins with nothing learnt: the camera stands elsewhere."""
        if ring != self._ring:
            self._ring, self._silhouette = ring, Silhouette()
        photo, small = frame.photo.y, frame.small
        mat = self._reader.read(photo, small.y) if self._reader is not None else None
        view, edges_of_print = None, None
        if mat is not None and self._reader is not None and self._painter is not None:
            view = self._painter.view(mat, photo.shape[1], (small.width_px, small.height_px))
            edges_of_print = printed_edges(photo, self._reader.mat, mat, self._reader.corners_mm)
        seen = self._silhouette.look(small, view)
        knows = seen is not None and cv2.countNonZero(seen.mask) >= LEAST_OBJECT * seen.mask.size
        mask = seen.mask if seen is not None and knows else middle_of(small.y)
        return Testimony(
            photo_width_px=photo.shape[1],
            mat=mat,
            view=view,
            print=edges_of_print,
            seen=seen,
            knows_object=knows,
            # Without a mat, a plain object's outline may be all there is to measure.
            edges=object_edges(photo, small.y, mask if view is not None else _with_outline(mask)),
            clipping=clipping_of(small.y, mask),
            framing=framing_of(mask) if knows else None,
        )

    def learn(self, small: Planes, testimony: Testimony) -> None:
        """What this companion showed is how the room usually looks."""
        self._silhouette.learn(small, testimony.view, testimony.seen)


def _with_outline(mask: Plane) -> Plane:
    side = max(3, 2 * round(mask.shape[1] * OUTLINE) + 1)
    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)), np.uint8)


def middle_of(picture: Plane) -> Plane:
    """Return a mask of the middle of (h, w)."""
    height, width = picture.shape
    top, left = round(height * (1 - MIDDLE) / 2), round(width * (1 - MIDDLE) / 2)
    mask = np.zeros((height, width), np.uint8)
    mask[top : height - top, left : width - left] = 255
    return mask
