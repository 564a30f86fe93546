"""Whether the platter stands where it was commanded to: lost steps, seen on the mat, corrected and told.

An open-loop motor that stalls for a moment goes on as if nothing had happened, and every later photo of the scan
would carry the error. The mat tells the true angle to some hundredths of a degree.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offload.wire.sidecar import FrameSidecar
from scannerd.quality.look import MatReading
from scannerd.quality.mat_reading import MatReader
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.scan.platter_view import LEAST_CORNERS, CannotTell, PlatterView, Reference
from scannerd.scan.relocate import CannotLocate, Corners, heading_limit_deg, heading_turned_deg
from scannerd.scan.slip_trend import Slip, trend_warning

MAX_SLIP_DEG = 0.25
"""More than this is corrected, so that of 0.3° none is missed; less does no harm, for every photo's angle is kept as
it was seen."""
SURE = 4.0
"""So many standard deviations a slip must be larger than."""
REFERENCES = 6
"""Photos of a ring that the platter's view is learned from; more make it hardly truer."""
HARDLY_TURNED = 0.5
"""A platter that went less than this share of its way is taken to be jammed: the photo is nearer to the viewpoint
before than to its own."""


@dataclass(frozen=True)
class SlipVerdict:
    """What one photo says about the platter."""

    seen_deg: float | None = None
    """The platter's angle; None where the mat does not tell."""
    slipped_deg: float = 0.0
    """Seen less expected, after all corrections so far."""
    correct: bool = False
    """Whether the station should count with `offset_deg` from now on."""
    offset_deg: float = 0.0
    """Platter's angle less axis's: as this photo shows it where `correct`, else as known before."""
    jammed: bool = False
    """The platter hardly turned, or not at all, though it was told to: this photo is not of its viewpoint. The mat
    has shown it: where this holds, the angle is known."""
    warning: str | None = None
    """For people: a trend, with numbers."""
    unread: str | None = None
    """Why the mat does not tell."""


class _Ring:
    """What one camera saw in one ring, with the object lying on one side."""

    def __init__(self, plan: ScanPlan) -> None:
        """`plan` as the camera has it."""
        self.plan = plan
        self.references: list[Reference] = []
        self.view: PlatterView | None = None


class SlipWatch:
    """Watches one scan. Call `see` in the order in which the photos were taken; from one thread at a time."""

    def __init__(
        self,
        plan: ScanPlan,
        max_slip_deg: float = MAX_SLIP_DEG,
        max_speed_deg_s: float | None = None,
        viewpoints: Callable[[], Sequence[Viewpoint]] | None = None,
        *,
        lifted: bool = False,
    ) -> None:
        """`max_speed_deg_s` is the turntable's, for the words of a warning; `viewpoints` are the plan's, and those
        that are added to it. `lifted`: a motor moves the camera from ring to ring.
        """
        self._heading_limit_deg = heading_limit_deg(lifted=lifted)
        self._plan = plan
        self._viewpoints = viewpoints or (lambda: plan.viewpoints)
        self._max_slip_deg = max_slip_deg
        self._max_speed_deg_s = max_speed_deg_s
        self._rings: dict[tuple[int, int, int], _Ring] = {}
        self._offset_deg: float | None = None
        self._seen_before_deg: float | None = None
        self._photos = 0
        self.slips: list[Slip] = []

    def remember(self, sidecar: FrameSidecar) -> None:
        """Learn again from a photo that an earlier run stored, so that angles go on being counted from its first.

        Call it in the order of the photos.
        """
        if sidecar.mat is None or sidecar.index >= len(self._viewpoints()):
            return
        seen_deg = sidecar.commanded_angle_deg if sidecar.seen_angle_deg is None else sidecar.seen_angle_deg
        with contextlib.suppress(CannotTell):  # As little as it told the earlier run.
            self._learn(self._ring(sidecar.index), Reference(seen_deg, MatReading.stored(sidecar.mat)))

    def recount(self, offset_deg: float, angle_deg: float) -> None:
        """Somebody found out where the platter stands: what was known before is void.

        A platter that does not leave `angle_deg`, where it stands now, is jammed still.
        """
        self._offset_deg = offset_deg
        self._seen_before_deg = angle_deg

    def see(
        self,
        index: int,
        commanded_deg: float,
        reading: MatReading | None,
        offset_deg: float = 0.0,
        *,
        still: bool = True,
    ) -> SlipVerdict:
        """Judge one photo.

        `commanded_deg` is the angle that the station moved to: the axis's plus `offset_deg`, the station's offset at
        that time. A photo may have been taken before the correction that an earlier one brought: both know it.
        Where the platter was not `still`, its angle says nothing about where it stops, and no slip is claimed.
        """
        self._photos += 1
        if self._offset_deg is None:
            self._offset_deg = offset_deg
        expected_deg = commanded_deg - offset_deg + self._offset_deg
        ring = self._ring(index)
        if reading is None or self._plan.mat is None:
            return SlipVerdict(offset_deg=self._offset_deg, unread="too little of the mat is seen")
        if ring.view is None:
            return self._first(index, expected_deg, reading)
        try:
            seen = ring.view.angle(reading, expected_deg)
        except CannotTell as reason:
            return SlipVerdict(offset_deg=self._offset_deg, unread=str(reason))
        slipped_deg = seen.angle_deg - expected_deg
        if not still:
            return SlipVerdict(seen.angle_deg, slipped_deg, offset_deg=self._offset_deg)
        self._learn(ring, Reference(seen.angle_deg, reading))
        if abs(slipped_deg) <= max(self._max_slip_deg, SURE * seen.deviation_deg):
            self._seen_before_deg = seen.angle_deg
            return SlipVerdict(seen.angle_deg, slipped_deg, offset_deg=self._offset_deg)
        return self._slipped(index, expected_deg, seen.angle_deg)

    def _first(self, index: int, expected_deg: float, reading: MatReading) -> SlipVerdict:
        """The first photo of a ring stands where it was commanded to: later ones are compared with it.

        Unless other rings of the side show that it cannot: a platter may jam just when a ring begins.
        """
        ring, offset_deg = self._ring(index), self._offset_deg or 0.0
        seen_deg = self._seen_from_another_height(index, expected_deg, reading)
        verdict = SlipVerdict(expected_deg, offset_deg=offset_deg)
        if seen_deg is not None and abs(seen_deg - expected_deg) > self._heading_limit_deg:
            verdict = self._slipped(index, expected_deg, seen_deg)
            if verdict.jammed:
                return verdict
        try:
            self._learn(ring, Reference(verdict.seen_deg or 0.0, reading))
        except CannotTell as reason:
            return SlipVerdict(offset_deg=offset_deg, unread=str(reason))
        self._seen_before_deg = verdict.seen_deg
        return verdict

    def _seen_from_another_height(self, index: int, expected_deg: float, reading: MatReading) -> float | None:
        """Return the platter's angle by another ring of the same side, the turn nearest to what is expected."""
        here = self._viewpoints()[index]
        # Cameras look from different sides: only a photo of the same one is a compass.
        same = (here.side, here.camera)
        others = [ring.references[0] for key, ring in self._rings.items() if key[1:] == same and ring.references]
        if not others:
            return None
        before, plan = others[-1], self._ring(index).plan
        try:
            corners = self._corners(before.reading), self._corners(reading)
            turned_deg = heading_turned_deg(*corners, plan.size_px, plan.focal_px)
        except CannotLocate:
            return None
        seen_deg = before.angle_deg + turned_deg
        return seen_deg + 360 * round((expected_deg - seen_deg) / 360)

    def _corners(self, reading: MatReading) -> Corners:
        assert self._plan.mat is not None
        if len(reading.numbers) < LEAST_CORNERS:
            raise CannotLocate(f"{len(reading.numbers)} corners of the mat seen, {LEAST_CORNERS} needed")
        return reading.pixels, MatReader(self._plan.mat).corners_mm[reading.numbers]

    def _slipped(self, index: int, expected_deg: float, seen_deg: float) -> SlipVerdict:
        before_deg = self._seen_before_deg
        moved_deg = expected_deg - before_deg if before_deg is not None else 0.0
        jammed = before_deg is not None and _way_deg(seen_deg - before_deg) < HARDLY_TURNED * _way_deg(moved_deg)
        if jammed and before_deg is not None:
            seen_deg -= 360 * round((seen_deg - before_deg) / 360)  # A mat does not tell whole turns.
        slipped_deg = seen_deg - expected_deg
        self._seen_before_deg = seen_deg
        self._offset_deg = (self._offset_deg or 0.0) + slipped_deg
        self.slips.append(Slip(index, self._photos, slipped_deg, moved_deg))
        warning = None if jammed else trend_warning(self.slips, self._max_speed_deg_s)
        return SlipVerdict(seen_deg, slipped_deg, True, self._offset_deg, jammed, warning)

    def _ring(self, index: int) -> _Ring:
        viewpoint = self._viewpoints()[index]
        key = (viewpoint.ring, viewpoint.side, viewpoint.camera)
        if key not in self._rings:
            self._rings[key] = _Ring(self._plan.of_camera(viewpoint.camera))
        return self._rings[key]

    def _learn(self, ring: _Ring, reference: Reference) -> None:
        """Raises CannotTell, for the ring's first reference only."""
        if len(ring.references) >= REFERENCES or self._plan.mat is None:
            return
        references: Sequence[Reference] = [*ring.references, reference]
        try:
            ring.view = PlatterView(self._plan.mat, ring.plan.size_px, references)
        except CannotTell:
            if ring.view is None:
                raise
            return
        ring.references = list(references)


def _way_deg(turn_deg: float) -> float:
    """Return how far apart a turn's ends are, 0 to 180."""
    return abs((turn_deg + 180) % 360 - 180)
