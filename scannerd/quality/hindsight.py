"""A ring's first photos, looked at again once later ones have told how the room looks and where the camera stands.

Before that nobody can tell whether what hangs over the picture's border is the object or the room behind it. Kept are
the sketches of those few photos alone, until they were looked at again: half a megabyte each.
"""

from dataclasses import dataclass

from drivers.picture import Planes
from offload.wire.bundle import Place
from scannerd.quality.camera_stand import Stand
from scannerd.quality.look import Afterthought, Aspect, Finding, MatReading
from scannerd.quality.rooms import Room
from scannerd.quality.witness import Testimony, Witness

PHOTOS_TO_LOOK_BACK = 8
"""So many of a ring's photos were kept: the room is known well, and what is looked at again lies on the disk."""


@dataclass(frozen=True)
class Early:
    """What is kept of a photo that nobody could judge well."""

    place: Place
    sketch: Planes
    photo_width_px: int
    mat: MatReading | None
    stand: Stand | None
    room: Room


class Hindsight:
    """Of one ring at a time, one side up."""

    def __init__(self) -> None:
        self._ring: tuple[int, int] | None = None
        self._judged: tuple[Early, bool] | None = None
        self._early: list[Early] = []
        self._kept = 0

    def saw(self, place: Place, testimony: Testimony) -> None:
        """A photo was judged; whether it is kept, `keep` tells."""
        if (place.ring, place.side) != self._ring:
            self._ring, self._early, self._kept = (place.ring, place.side), [], 0
        whole = testimony.seen is not None and testimony.seen.whole
        early = Early(
            place, testimony.sketch, testimony.photo_width_px, testimony.mat, testimony.stand, testimony.room
        )
        self._judged = (early, whole) if place.is_plain else None

    def keep(self, place: Place) -> None:
        """The photo that was judged last is kept because it seemed good."""
        judged, self._judged = self._judged, None
        if judged is None or judged[0].place != place or self._kept >= PHOTOS_TO_LOOK_BACK:
            return
        early, whole = judged
        self._kept += 1
        self._early = [each for each in self._early if each.place.index != place.index]
        if not whole:
            self._early.append(early)

    def look_back(self, witness: Witness, most_cut_off: float) -> tuple[Afterthought, ...]:
        """Return what is wrong with the first photos, once that can be told; each is looked at once more and no more.

        `witness` looks at their sketches, with what it knows of the room by now.
        """
        usual = witness.usual_room
        if self._kept < PHOTOS_TO_LOOK_BACK or usual is None:
            return ()
        early, self._early = self._early, []
        found = ((each.place, _fault_of(each, witness, usual, most_cut_off)) for each in early)
        return tuple(Afterthought(place, finding) for place, finding in found if finding is not None)


def _fault_of(early: Early, witness: Witness, usual: Room, most_cut_off: float) -> Finding | None:
    if early.room is not usual:
        return _elsewhere(early, usual)
    if early.mat is None:
        return None
    framing = witness.look_again(usual, early.sketch, early.mat, early.photo_width_px)
    if framing is None or framing.cut_off <= most_cut_off:
        return None
    says = f"{framing.cut_off:.1%} of the object's outline is cut off, limit {most_cut_off:.1%}, as later photos show"
    return Finding(Aspect.CUT_OFF, framing.cut_off, most_cut_off, "", False, says)


def _elsewhere(early: Early, usual: Room) -> Finding | None:
    if early.stand is None or usual.stand is None:
        if early.room.has_mat or not usual.has_mat:
            return None
        return Finding(Aspect.MAT, 0.0, 1.0, "", False, "the mat could not be read, as it is in this ring's others")
    off_mm, limit_mm = early.stand.out_of_place_mm(usual.stand), early.stand.limit_mm
    says = f"the camera stood elsewhere: the mat is seen {off_mm:.1f} mm out of place, limit {limit_mm:.1f} mm"
    return Finding(Aspect.STAND, off_mm, limit_mm, "mm", False, says)
