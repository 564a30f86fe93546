"""An object that nothing but friction holds on the platter: turned hard, it stays behind, and runs on.

Coulomb's friction on a ring under its foot gives the object an angular acceleration of at most

    μ m g r / (m k²) = μ g r / k²

where r is the ring's radius and k the radius at which its mass would turn as heavily. As long as the platter asks
for less, both turn as one; beyond, the object goes its own way at just that acceleration until their speeds are the
same again. It turns about the platter's axis; that it also creeps outwards is left out.
"""

import math
import threading
from itertools import pairwise

from drivers.bench.platter import Platter, PlatterMechanics

GRAVITY_M_S2 = 9.81
STEP_S = 0.001
"""A hundredth of a swing of the belt."""
LONGEST_S = 10.0
"""Further back the platter's steps are forgotten; nobody has looked for so long that it stands still, most likely."""
TOLD_DIGITS = 2
"""A hundredth of a degree is a hundredth of a millimetre: pictures of what lies still stay the same."""
BY_HAND_DEG_S = 2000.0
"""Faster than this no motor turns it: a hand took platter and object along."""


def holds_deg_s2(mechanics: PlatterMechanics) -> float:
    """Return the angular acceleration up to which the object stays where it stands."""
    foot_m, turning_m = mechanics.foot_radius_mm / 1000, mechanics.object_radius_mm / 1000
    return math.degrees(mechanics.friction * GRAVITY_M_S2 * foot_m / turning_m**2)


class Footing:
    """Where the object stands on the platter. May be asked from any thread, by the bench's clock."""

    def __init__(self, platter: Platter) -> None:
        """The object stands where it was put, until the platter moves too fast."""
        self._platter = platter
        self._holds_deg_s2 = holds_deg_s2(platter.mechanics)
        self._lock = threading.Lock()
        self._at_s = 0.0
        self._rate_deg_s = 0.0
        self._turned_deg = 0.0

    def turned_deg(self, at_s: float) -> float:
        """Return by how much the object has turned on the platter, counter-clockwise seen from above."""
        if math.isinf(self._holds_deg_s2):
            return 0.0
        with self._lock:
            from_s = max(self._at_s, at_s - LONGEST_S)
            count = int((at_s - from_s) / STEP_S)
            if count > 0:
                self._follow(from_s, count)
                self._at_s = from_s + count * STEP_S
            return round(self._turned_deg, TOLD_DIGITS)

    def _follow(self, from_s: float, count: int) -> None:
        try:
            angles_deg = self._platter.sample(from_s, from_s + count * STEP_S, count + 1)
        except ValueError:  # So many steps since somebody looked that the first are forgotten.
            self._rate_deg_s = 0.0
            return
        most_deg_s = self._holds_deg_s2 * STEP_S
        for before_deg, after_deg in pairwise(angles_deg):
            platter_deg_s = (after_deg - before_deg) / STEP_S
            if abs(platter_deg_s) > BY_HAND_DEG_S:
                continue
            change_deg_s = platter_deg_s - self._rate_deg_s
            self._rate_deg_s += min(max(change_deg_s, -most_deg_s), most_deg_s)
            self._turned_deg += (self._rate_deg_s - platter_deg_s) * STEP_S
