"""Whether the platter stands where it was commanded to: lost steps, seen on the mat, corrected and told.

An open-loop motor that stalls for a moment goes on as if nothing had happened, and every later photo of the scan
would carry the error. The mat tells the true angle to some hundredths of a degree.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offload.wire.sidecar import FrameSidecar
from scannerd.quality.look import MatReading
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.scan.platter_view import CannotTell, PlatterView, Reference
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
    """The platter hardly turned, or not at all, though it was told to: this photo is not of its viewpoint."""
    warning: str | None = None
    """For people: a trend, with numbers."""
    unread: str | None = None
    """Why the mat does not tell."""


class _Ring:
    """What was seen in one ring, with the object lying on one side."""

    def __init__(self) -> None:
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
    ) -> None:
        """`max_speed_deg_s` is the turntable's, for the words of a warning; `viewpoints` are the plan's, and those
        that are added to it.
        """
        self._plan = plan
        self._viewpoints = viewpoints or (lambda: plan.viewpoints)
        self._max_slip_deg = max_slip_deg
        self._max_speed_deg_s = max_speed_deg_s
        self._rings: dict[tuple[int, int], _Ring] = {}
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

    def recount(self, offset_deg: float) -> None:
        """Somebody found out where the platter stands: what was known before is void."""
        self._offset_deg = offset_deg
        self._seen_before_deg = None

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
            return self._first(ring, Reference(expected_deg, reading))
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

    def _first(self, ring: _Ring, reference: Reference) -> SlipVerdict:
        """The first photo of a ring stands where it was commanded to: later ones are compared with it."""
        offset_deg = self._offset_deg or 0.0
        try:
            self._learn(ring, reference)
        except CannotTell as reason:
            return SlipVerdict(offset_deg=offset_deg, unread=str(reason))
        self._seen_before_deg = reference.angle_deg
        return SlipVerdict(reference.angle_deg, offset_deg=offset_deg)

    def _slipped(self, index: int, expected_deg: float, seen_deg: float) -> SlipVerdict:
        slipped_deg = seen_deg - expected_deg
        before_deg = self._seen_before_deg
        moved_deg = expected_deg - before_deg if before_deg is not None else 0.0
        jammed = before_deg is not None and abs(seen_deg - before_deg) < HARDLY_TURNED * abs(moved_deg)
        self._seen_before_deg = seen_deg
        self._offset_deg = (self._offset_deg or 0.0) + slipped_deg
        self.slips.append(Slip(index, self._photos, slipped_deg, moved_deg))
        warning = None if jammed else trend_warning(self.slips, self._max_speed_deg_s)
        return SlipVerdict(seen_deg, slipped_deg, True, self._offset_deg, jammed, warning)

    def _ring(self, index: int) -> _Ring:
        viewpoint = self._viewpoints()[index]
        return self._rings.setdefault((viewpoint.ring, viewpoint.side), _Ring())

    def _learn(self, ring: _Ring, reference: Reference) -> None:
        """Raises CannotTell, for the ring's first reference only."""
        if len(ring.references) >= REFERENCES or self._plan.mat is None:
            return
        references: Sequence[Reference] = [*ring.references, reference]
        size_px = (self._plan.photo_width_px, self._plan.photo_height_px)
        try:
            ring.view = PlatterView(self._plan.mat, size_px, references)
        except CannotTell:
            if ring.view is None:
                raise
            return
        ring.references = list(references)
