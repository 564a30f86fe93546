"""Devices closed, and others built in their place, while everything else stays."""

import asyncio
import inspect
import logging
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from drivers.protocols import DriverError
from scannerd.config import Config
from scannerd.hardware import DEVICES, Hardware, build_device, open_cameras

LOG = logging.getLogger(__name__)

_CANNOT_BE_HAD = (RuntimeError, OSError, ValueError)
"""DriverError is a RuntimeError; libraries raise the others where no driver has put it into words yet."""


class HardwareLost(RuntimeError):
    """Neither the new devices nor the old ones can be had: only a restart helps. The message says why."""


class ExchangeFailed(RuntimeError):
    """The new devices cannot be had; `hardware` has the old ones again. The message says why."""

    def __init__(self, message: str, hardware: Hardware) -> None:
        super().__init__(message)
        self.hardware = hardware


async def exchange(hardware: Hardware, sections: Collection[str], old: Config, new: Config) -> Hardware:
    """Return the hardware with the devices of these sections built anew from `new`.

    Raises ExchangeFailed when the old devices had to be built again, HardwareLost when not even that could be done.
    """
    await close_devices(hardware, sections)
    try:
        return await _built(hardware, sections, new)
    except _CANNOT_BE_HAD as error:
        try:
            restored = await _built(hardware, sections, old)
        except _CANNOT_BE_HAD as lost:
            raise HardwareLost(f"{lost} (while going back from: {error})") from lost
        raise ExchangeFailed(str(error), restored) from error


async def close_devices(
    hardware: Hardware, sections: Collection[str] = tuple(DEVICES), limit_s: float | None = None
) -> list[str]:
    """Free devices; return those that did not close in time. One that will not close keeps no other open."""
    hanging = []

    async def close(section: str, device: Any) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await _close(section, device)
        except TimeoutError:
            hanging.append(section)

    # At once: a camera that hangs must not keep the motor waiting, nor the other way round.
    devices = {section: getattr(hardware, name) for section, name in DEVICES.items() if section in sections}
    await asyncio.gather(*(close(section, device) for section, device in devices.items() if device is not None))
    return hanging


async def _built(hardware: Hardware, sections: Collection[str], config: Config) -> Hardware:
    built: dict[str, Any] = {}
    try:
        for section, name in DEVICES.items():
            if section in sections:
                built[name] = build_device(section, config, hardware.clock)
                if section == "camera":
                    await built[name].open()
                if section == "cameras":
                    await open_cameras(built[name], config.camera_names[1:])
    except _CANNOT_BE_HAD:
        for name, device in built.items():
            if device is not None:
                await _close(name, device)
        raise
    return replace(hardware, **built)


async def _close(name: str, device: Any) -> None:
    if isinstance(device, tuple):
        for each in device:
            await _close(name, each)
        return
    try:
        closing = device.close()
        if inspect.isawaitable(closing):
            await closing
    except DriverError as fault:
        LOG.error("%s did not close: %s", name, fault)
