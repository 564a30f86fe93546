"""Where the camera stands and how the object lies, and what has to happen before another ring or side."""

from offload.wire.bundle import Place
from scannerd.scan.camera_lift import CameraLift
from scannerd.scan.plan import Viewpoint
from scannerd.store.stored_scan import StoredScan


class Standing:
    """Of one run of one scan. A lift needs no person; the object always does, and so does a camera without a lift."""

    def __init__(self, scan: StoredScan, lift: CameraLift | None = None) -> None:
        """A scan that goes on stands where its latest photo was taken."""
        self._scan = scan
        self._lift = lift
        self._here: Place | None = max(scan.frames.values(), key=lambda frame: frame.taken_at, default=None)

    def fits(self, viewpoint: Viewpoint) -> bool:
        """Whether a photo can be taken from there at once; before the first one a person has put things right."""
        is_same = self._here is None or _place(self._here) == _place(viewpoint)
        return is_same and self._lift_fits(viewpoint)

    def question(self, viewpoint: Viewpoint) -> str | None:
        """Return what a person has to do first; None where nothing."""
        deeds = []
        if self._here is not None and self._here.side != viewpoint.side:
            deeds.append(self._turning(self._here.side, viewpoint.side))
        if self._lift is None and self._here is not None and _place(self._here) != _place(viewpoint):
            deeds += self._moving(self._here, viewpoint)
        if self._lift is not None and self._lift.elevation_deg is None and viewpoint.elevation_deg is not None:
            deeds.append(f"put the camera at its mark, {self._lift.mark_deg:g}° above the platter")
        if not deeds:
            return None
        return f"{self._name(viewpoint)}: {', '.join(deeds)}; then go on"

    async def reach(self, viewpoint: Viewpoint, asked: bool) -> None:
        """Be there: the lift goes by itself. `asked` when a person has done what `question` said.

        Raises DriverError, StoreFault.
        """
        if self._lift is not None and viewpoint.elevation_deg is not None and not self._lift_fits(viewpoint):
            if self._lift.elevation_deg is None and asked:
                await self._lift.believe_at_mark()
            await self._lift.go_to(viewpoint.elevation_deg)
        self._here = viewpoint

    def _lift_fits(self, viewpoint: Viewpoint) -> bool:
        return self._lift is None or viewpoint.elevation_deg is None or self._lift.stands_at(viewpoint.elevation_deg)

    def _name(self, viewpoint: Viewpoint) -> str:
        views = self._scan.viewpoints
        if self._here is not None and self._here.side != viewpoint.side:
            return f"side {viewpoint.side + 1} of {max(view.side for view in views) + 1}"
        return f"ring {viewpoint.ring + 1} of {max(view.ring for view in views) + 1}"

    def _turning(self, from_side: int, to_side: int) -> str:
        if to_side < from_side:
            return f"put the object back the way it lay for side {to_side + 1}"
        return "turn the object over, put it down in the middle"

    def _moving(self, here: Place, viewpoint: Viewpoint) -> list[str]:
        if here.ring == viewpoint.ring and here.elevation_deg == viewpoint.elevation_deg:
            return []
        where = "higher or lower"
        if viewpoint.elevation_deg is not None:
            where = f"to about {viewpoint.elevation_deg:g}° above the platter"
        which = "first camera" if self._scan.plan.cameras else "camera"
        deeds = [f"move the {which} {where}", "aim it at the middle of the object"]
        if here.side == viewpoint.side:
            deeds.append("leave the object where it is")
        return deeds


def _place(place: Place) -> tuple[int, int]:
    return place.side, place.ring
