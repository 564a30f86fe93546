"""`GET /device`: what this scanner is and how it is."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.responses import Response

from drivers.protocols import Camera, DriverError
from scannerd import __version__
from scannerd.board.state import DiskSpace, Shown
from scannerd.config import Config
from scannerd.config_camera import OtherCameraSection
from scannerd.control.rest.gate import API
from scannerd.control.rest.problems import documented
from scannerd.control.rest.reply import shown
from scannerd.control.scanner import Scanner
from scannerd.process.health_report import HealthReport


class CameraCard(Shown):
    """One of the cameras, as it is set."""

    name: str
    """As photos and messages have it; the first one's is "first"."""
    driver: str
    width_px: int
    height_px: int
    """Of its photos."""
    elevation_deg: float | None = None
    """Above the platter, where somebody measured it."""


class DeviceCard(Shown):
    """One scanner."""

    name: str
    version: str
    uptime_s: float
    """Of the daemon."""
    temperature_c: float | None = None
    """Of the processor; None where the machine does not tell."""
    under_voltage: bool | None = None
    disk: DiskSpace | None = None
    addresses: tuple[str, ...] = ()
    """Of the page."""
    camera: str
    """What it is, in words."""
    cameras: tuple[CameraCard, ...]
    """Those that are set, by number."""
    turntable: str
    mqtt: str | None = None
    """The broker; None without one."""
    offload: str | None = None
    """Who makes models of scans; None: nobody."""
    health: HealthReport


def device_routes(scanner: Scanner, addresses: Callable[[], tuple[str, ...]]) -> APIRouter:
    """The device; `addresses` are those of the page."""
    router = APIRouter(prefix=API, tags=["state"])
    started_s = time.monotonic()

    @router.get("/device", operation_id="get_device", response_model=DeviceCard, responses=documented())
    async def get_device() -> Response:
        """What it is and how it is."""
        config, health = scanner.config, scanner.health
        card = DeviceCard(
            name=config.device.name,
            version=__version__,
            uptime_s=round(time.monotonic() - started_s, 1),
            temperature_c=health.temperature_c,
            under_voltage=health.under_voltage,
            disk=scanner.board.state().disk,
            addresses=addresses(),
            camera=_camera(scanner),
            cameras=_cards(config),
            turntable=config.turntable.described,
            mqtt=f"{config.mqtt.host}:{config.mqtt.port}" if config.mqtt.enabled else None,
            offload=urlsplit(config.offload.url).netloc if config.offload.url else None,
            health=health,
        )
        return shown(card)

    return router


def _cards(config: Config) -> tuple[CameraCard, ...]:
    return tuple(
        CameraCard(
            name=name,
            driver=section.driver,
            width_px=section.width_px,
            height_px=section.height_px,
            elevation_deg=section.elevation_deg if isinstance(section, OtherCameraSection) else None,
        )
        for name, section in zip(config.camera_names, config.every_camera, strict=True)
    )


def _camera(scanner: Scanner) -> str:
    """In words; of several cameras each with its name."""
    cameras = scanner.hardware.cameras
    if len(cameras) == 1:
        return _in_words(cameras[0])
    names = scanner.config.camera_names
    return "; ".join(f"{name}: {_in_words(camera)}" for name, camera in zip(names, cameras, strict=False))


def _in_words(camera: Camera) -> str:
    try:
        facts = camera.description
    except DriverError as fault:
        return str(fault)
    return f"{facts.make} {facts.model}, {facts.width_px}×{facts.height_px} px"
