"""Light measured in pictures: the exposure is changed until the window's highlights are bright and whole.

Of all ways to the same light the one with the least gain is taken, as long as the exposure does not take too long.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from drivers.camera_exposure import HIGHLIGHT_LEVEL, exposure_factor
from drivers.picture import Planes
from drivers.protocols import CameraSettings, CameraUnusable, Window
from drivers.streaming_camera import StreamSession

S = TypeVar("S", bound=StreamSession)

STEPS = 16
LONGEST_EXPOSURE_US = 60_000.0
"""Longer ones take more time than the noise of a higher gain is worth."""


def _seen(session: StreamSession) -> Planes:
    """Return a companion taken with what is locked: a lock returns when a frame has shown it."""
    with session.frames(0.0) as frames:
        frame = session.next(frames)
        try:
            return frame.small()
        finally:
            frame.let_go()


def exposed_for_highlights(
    session: S, settings: CameraSettings, window: Window, seen: Callable[[S], Planes] = _seen
) -> CameraSettings:
    """Return settings, locked, at which the window's brightest places are bright and whole. Raises CameraUnusable.

    `seen` returns a small picture that was exposed as is locked.
    """
    too_dark, too_bright = 0.0, math.inf
    for _ in range(STEPS):
        factor = exposure_factor(seen(session), window)
        if factor == 1.0:
            return settings
        amount = _amount_us(settings)
        too_dark, too_bright = (
            (max(too_dark, amount), too_bright) if factor > 1 else (too_dark, min(too_bright, amount))
        )
        # Gains are not always what their numbers say: a step by them may fall short again and again.
        enclosed = too_dark > 0 and too_bright < math.inf
        wanted_us = math.sqrt(too_dark * too_bright) if enclosed else amount * factor
        better = least_noise(settings, wanted_us, session.limits)
        if _same_light(better, settings):
            return settings
        locked = session.lock(better)
        if _same_light(locked, settings):
            # The camera's steps are coarser than what is wanted: the darker of the two around it burns nothing.
            return settings if factor > 1 else session.lock(least_noise(settings, too_dark or amount, session.limits))
        settings = locked
    raise CameraUnusable(
        f"{session.model}: highlights did not come to rest at {HIGHLIGHT_LEVEL} of 255 in {STEPS} tries; keep the "
        "light steady and the platter still, then try again"
    )


def least_noise(
    settings: CameraSettings, amount_us: float, limits: Mapping[str, tuple[Any, Any, Any]]
) -> CameraSettings:
    """Return the same light by as little gain as an exposure allows that is not too long."""
    low_us, high_us, _ = limits["ExposureTime"]
    low_gain, high_gain, _ = limits["AnalogueGain"]
    exposure_us = min(max(amount_us / low_gain, low_us), high_us, LONGEST_EXPOSURE_US)
    gain = min(max(amount_us / exposure_us, low_gain), high_gain)
    return replace(settings, exposure_us=exposure_us, analogue_gain=gain)


def _same_light(one: CameraSettings, other: CameraSettings) -> bool:
    """Whether the sensor's limits leave nothing to change."""
    return abs(_amount_us(one) / _amount_us(other) - 1) < 0.01


def _amount_us(settings: CameraSettings) -> float:
    return settings.exposure_us * settings.analogue_gain
