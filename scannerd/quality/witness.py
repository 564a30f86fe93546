"""Everything that is measured on one frame, before anybody judges it."""

from dataclasses import dataclass

import cv2
import numpy as np

from drivers.picture import Plane, Planes
from drivers.protocols import Frame
from offload.wire.bundle import MatSpec
from scannerd.quality.camera_stand import Stand
from scannerd.quality.exposure import Clipping, clipping_of
from scannerd.quality.flags import more_than
from scannerd.quality.framing import Framing, framing_of
from scannerd.quality.look import MatReading
from scannerd.quality.mat_reading import MatReader
from scannerd.quality.mat_view import MatPainter, MatView
from scannerd.quality.object_edges import ObjectEdges, object_edges
from scannerd.quality.printed_edges import PrintedEdges, printed_edges
from scannerd.quality.rooms import Room, Rooms
from scannerd.quality.silhouette import Seen

MIDDLE = 0.6
"""Where the object probably is, while nobody can tell: this share of width and height."""
SKETCH_WIDTH_PX = 676
"""Two thirds of the companion of twelve megapixels."""
OUTLINE = 0.02
"""Of the picture's width, around a mask."""
LEAST_OBJECT = 0.004
"""Of the picture; less is a speck of dust."""


@dataclass(frozen=True)
class Testimony:
    """The measurements."""

    photo_width_px: int
    sketch: Planes
    """The companion as small as masks are drawn."""
    mat: MatReading | None
    view: MatView | None
    print: PrintedEdges | None
    seen: Seen | None
    """The object, nowhere if there is none; None while nobody can tell."""
    knows_object: bool
    """Whether `seen` shows one."""
    mask: Plane
    """(h, w) of the companion: the object, or the picture's middle while nobody can tell."""
    edges: ObjectEdges
    clipping: Clipping | None
    framing: Framing | None
    stand: Stand | None
    """None where too little of the mat was read to tell."""
    room: Room
    off_mm: float
    """How far the camera is from where it usually stands; 0 while nobody can tell."""


class Witness:
    """Measures the frames of one ring after the other. Memory is that of some companions, however many frames."""

    def __init__(self, mat: MatSpec | None) -> None:
        self._reader = MatReader(mat) if mat is not None else None
        self._painter = MatPainter(self._reader) if self._reader is not None else None
        self._ring: int | None = None
        self._rooms = Rooms()

    def look(self, frame: Frame, ring: int) -> Testimony:
        """Measure a frame. A new ring begins with nothing learnt: the camera stands elsewhere."""
        if ring != self._ring:
            self._ring, self._rooms = ring, Rooms()
        photo, small = frame.photo.y, frame.small
        mat = self._reader.read(photo, small.y) if self._reader is not None else None
        # Masks are drawn by shapes, not by pixels: a picture so wide shows them well enough.
        sketch = small.shrunk_to_width(SKETCH_WIDTH_PX)
        view, edges_of_print = None, None
        if mat is not None and self._reader is not None and self._painter is not None:
            view = self._painter.view(mat, photo.shape[1], (sketch.width_px, sketch.height_px))
            edges_of_print = printed_edges(photo, self._reader.spec, mat, self._reader.corners_mm)
        stand = None
        if mat is not None and view is not None:
            stand = Stand.of(view.fit, mat, photo.shape[1], view.half_side_mm)
        room = self._rooms.seen_from(stand, has_mat=view is not None)
        seen = room.silhouette.look(sketch, view)
        knows = seen is not None and cv2.countNonZero(seen.mask) >= LEAST_OBJECT * seen.mask.size
        mask = _as_large(seen.mask, small.y) if seen is not None and knows else middle_of(small.y)
        return Testimony(
            photo_width_px=photo.shape[1],
            sketch=sketch,
            mat=mat,
            view=view,
            print=edges_of_print,
            seen=seen,
            knows_object=knows,
            mask=mask,
            # Without a mat, a plain object's outline may be all there is to measure.
            edges=object_edges(photo, small.y, mask if view is not None else _with_outline(mask)),
            clipping=clipping_of(small.y, mask),
            framing=framing_of(mask) if knows else None,
            stand=stand,
            room=room,
            off_mm=self._rooms.off_mm(room, stand),
        )

    @property
    def usual_room(self) -> Room | None:
        """The room as it is seen from where most photos were taken."""
        return self._rooms.usual

    def look_again(self, room: Room, sketch: Planes, mat: MatReading, photo_width_px: int) -> Framing | None:
        """Return how the object of an earlier photo from this room is framed, as far as is known by now."""
        if self._painter is None:
            return None
        view = self._painter.view(mat, photo_width_px, (sketch.width_px, sketch.height_px))
        seen = room.silhouette.look(sketch, view) if view is not None else None
        return framing_of(seen.mask) if seen is not None else None

    def forget(self) -> None:
        """Begin anew with the room: what was learnt was not as it looks."""
        self._rooms = Rooms()

    def learn(self, testimony: Testimony) -> None:
        """What this frame showed is how the room usually looks."""
        self._rooms.learn(testimony.room, testimony.stand, has_mat=testimony.view is not None)
        testimony.room.silhouette.learn(testimony.sketch, testimony.view, testimony.seen)


def _as_large(mask: Plane, picture: Plane) -> Plane:
    """Return a mask of a picture's size, its edge smooth."""
    if mask.shape == picture.shape:
        return mask
    large = cv2.resize(mask, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
    return more_than(np.asarray(large, np.uint8), 127.0)


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
