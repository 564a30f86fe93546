"""How far an axis may go: within its soft limits, where it has any."""

import math

from drivers.protocols import OutsideLimits

SoftLimits = tuple[float, float] | None
"""Lowest and highest angle in degrees; None: it may turn for ever."""


def check_place(name: str, angle_deg: float, soft_limits_deg: SoftLimits) -> None:
    """Raise OutsideLimits, in the name of the axis, where it must not stand there."""
    if not math.isfinite(angle_deg):
        raise OutsideLimits(f"{name}: {angle_deg}° is no angle")
    if soft_limits_deg is not None and not soft_limits_deg[0] <= angle_deg <= soft_limits_deg[1]:
        allowed = f"{soft_limits_deg[0]:.2f}° to {soft_limits_deg[1]:.2f}°"
        raise OutsideLimits(f"{name}: {angle_deg:.2f}° is outside its soft limits {allowed}")


def check_move(name: str, from_deg: float, to_deg: float, play_deg: float, soft_limits_deg: SoftLimits) -> None:
    """The same for a move; one back goes past its end by the play, and returns."""
    check_place(name, to_deg, soft_limits_deg)
    check_place(name, to_deg - (play_deg if to_deg < from_deg else 0.0), soft_limits_deg)
