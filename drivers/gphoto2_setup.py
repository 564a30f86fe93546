"""A body made ready for a scan: nothing that changes by itself from photo to photo, files to this machine only."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from drivers.gphoto2_body import (
    APERTURE,
    AUTOFOCUS,
    BATTERY,
    FILES,
    FOCUS,
    POWER_OFF,
    PROGRAM,
    TARGET,
    WHITE_BALANCE,
    Body,
    BodyFault,
    bodies,
)
from drivers.gphoto2_choices import BY_HAND, file_format, percent, white_balance
from drivers.protocols import CameraTimeout, CameraUnusable

LOG = logging.getLogger(__name__)

LEAST_PERCENT = 5.0
"""A shutter that stays open because the battery is empty helps nobody."""
WEAK_PERCENT = 20.0


@dataclass(frozen=True)
class SetUp:
    """What was found."""

    can_raw: bool
    """Whether a raw file can come beside the JPEG."""
    files: int
    """Of each photo."""


def opened(wanted: str | None) -> Body:
    """Claim the one camera that is wanted, or the only one. Raises CameraUnusable, CameraTimeout."""
    try:
        found = bodies()
        chosen = [body for body in found if wanted is None or wanted in body[0] or wanted in body[1]]
        if len(chosen) > 1:
            names = ", ".join(f"{model} ({port})" for model, port in chosen)
            raise CameraUnusable(f"camera: {names} are there; name one in [camera] device")
        if chosen:
            return Body(*chosen[0])
    except BodyFault as fault:
        if fault.is_taken:
            raise CameraUnusable(
                f"camera: {fault}; another program has it: close it, or stop a desktop's own with "
                "`systemctl --user mask --now gvfs-gphoto2-volume-monitor`"
            ) from fault
        raise CameraTimeout(f"camera: {fault}; switch it off and on again, then Resume") from fault
    others = ", ".join(f"{model} ({port})" for model, port in found) or "none"
    raise CameraUnusable(
        f"camera: no {wanted or 'DSLR'} on USB (there: {others}); switch it on, plug its USB cable in, then Resume"
    )


def set_up(body: Body, aperture: str | None, *, keeps_raw: bool) -> SetUp:
    """Set everything but exposure and ISO. Raises CameraUnusable for what only a hand can set, BodyFault."""
    weak = require_battery(body)
    if weak is not None:
        LOG.warning("%s: battery at %.0f%%; a mains adapter lasts longer than a scan", body.model, weak)
    _by_hand(body, PROGRAM, "exposure", "turn its mode dial to M")
    _by_hand(body, FOCUS, "focus", "set body and lens to manual focus")
    _choose(body, AUTOFOCUS, lambda choices, now: "Off" if "Off" in choices else now)
    _choose(body, POWER_OFF, lambda choices, now: "0" if "0" in choices else now)
    _choose(body, TARGET, _own_memory)
    _choose(body, WHITE_BALANCE, white_balance)
    if aperture is not None:
        _set_aperture(body, aperture)
    choices, now = body.choices(FILES), body.value(FILES) or ""
    wanted = file_format(choices, now, keeps_raw=keeps_raw)
    if keeps_raw and wanted is None:
        raise CameraUnusable(
            f"{body.model}: has no way to make a JPEG and a raw file at once; set [camera] raw to never"
        )
    if wanted is not None and wanted != now:
        body.set(FILES, wanted)
    return SetUp(file_format(choices, now, keeps_raw=True) is not None, 2 if keeps_raw else 1)


def require_battery(body: Body) -> float | None:
    """Return how full a weak battery is. Raises CameraUnusable for one that is nearly empty, BodyFault."""
    left = percent(body.value(BATTERY) or "")
    if left is not None and left <= LEAST_PERCENT:
        raise CameraUnusable(
            f"{body.model}: its battery is nearly empty ({left:.0f}%); exchange it, or use a mains adapter, "
            "then Resume"
        )
    return left if left is not None and left <= WEAK_PERCENT else None


def _by_hand(body: Body, names: tuple[str, ...], what: str, todo: str) -> None:
    now = body.value(names)
    if now is None or BY_HAND.match(now):
        return
    manual = next(filter(BY_HAND.match, body.choices(names)), None)
    if manual is not None:
        body.set(names, manual)
        now = body.value(names) or ""
    if not BY_HAND.match(now):
        raise CameraUnusable(f"{body.model}: its {what} is on {now}, so photos of one scan would differ; {todo}")


def _choose(body: Body, names: tuple[str, ...], wanted: Callable[[list[str], str], str | None]) -> None:
    now, choices = body.value(names), body.choices(names)
    if now is None or not choices:
        return
    value = wanted(choices, now)
    if value is not None and value != now:
        body.set(names, value)


def _own_memory(choices: list[str], now: str) -> str:
    """A photo that lies in the camera's own memory wears no card and fills none."""
    return next((choice for choice in choices if "RAM" in choice.upper()), now)


def _set_aperture(body: Body, aperture: str) -> None:
    choices = body.choices(APERTURE)
    if aperture not in choices:
        raise CameraUnusable(
            f"{body.model}: has no aperture {aperture}; use one of "
            f"{', '.join(choices) or 'none: the lens has a ring'}"
        )
    if body.value(APERTURE) != aperture:
        body.set(APERTURE, aperture)
