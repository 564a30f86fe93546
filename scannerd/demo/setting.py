"""The daemon's configuration and wiring on the bench."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from drivers.bench.bench_clock import BenchClock
from drivers.bench.install import OtherBenchCamera
from drivers.bench.lift import LiftMechanics
from drivers.bench.pins import BenchWiring, LiftWiring, RingWiring
from drivers.bench.platter import PlatterMechanics
from drivers.bench.rotor import MotorMake
from drivers.bench.sd_card import SdCard, card_named
from scannerd.config import (
    Config,
    DeviceSection,
    QualitySection,
    ReconstructionSection,
    ScanSection,
    StoreSection,
)
from scannerd.config_camera import CameraSection, OtherCameraSection
from scannerd.config_motors import LiftSection
from scannerd.demo.faults import faults_named
from scannerd.demo.options import DemoOptions
from scannerd.demo.turntables import turntable_keys
from scannerd.settings.file import ConfigFaults

STEP_UP_DEG = 20.0
"""By so much each further camera stands higher."""
EVEN_PULSES_SPEED = 2.0
"""Up to this speed of the bench's clock a laptop brings the pulses of the default profile in time."""


def demo_config(options: DemoOptions) -> Config:
    """Return the configuration that a shop would have, with its store in the demo's folder."""
    config = Config(
        device=DeviceSection(name="bench"),
        store=StoreSection(folder=options.out, reserve_mb=64),
        camera=CameraSection(width_px=options.width_px, height_px=options.height_px),
        cameras=tuple(_other_camera(options, number) for number in range(1, options.cameras)),
        scan=ScanSection(views=options.views, propose=False),  # nobody is there to be asked
        # Nobody stands beside the bench to be asked, but for the hand that puts faults right.
        quality=QualitySection(ask_a_person=bool(options.faults)),
        reconstruction=ReconstructionSection(voxel_mm=options.voxel_mm, texture_px=options.texture_px),
    )
    keys = turntable_keys(options.turntable, config.turntable.driver, options.out)
    config = config.model_copy(update={"turntable": config.turntable.model_copy(update=keys)})
    for fault in faults_named(options.faults):
        for name, changes in fault.settings.items():
            config = config.model_copy(update={name: getattr(config, name).model_copy(update=dict(changes))})
    return config


def _other_camera(options: DemoOptions, number: int) -> OtherCameraSection:
    return OtherCameraSection(
        name=f"camera-{number + 1}",
        camera_index=number,
        width_px=options.width_px,
        height_px=options.height_px,
        elevation_deg=_height_deg(number),
    )


def _height_deg(number: int) -> float:
    """Return where a further camera stands unless somebody says so; the first is at 30°."""
    return min(85.0, 30.0 + number * STEP_UP_DEG)


def other_cameras(config: Config) -> list[OtherBenchCamera]:
    """Build the further cameras as the configuration says; a ribbon one is looked for by its number.

    Raises ConfigFaults for what the bench does not have.
    """
    on_usb = [camera for camera in config.every_camera if camera.driver == "v4l2"]
    if len(on_usb) > 1:
        raise ConfigFaults("the bench", [f'{len(on_usb)} cameras have driver = "v4l2"; it has one on USB'])
    if any(other.driver == "gphoto2" for other in config.cameras):
        raise ConfigFaults("the bench", ['[[cameras]] driver = "gphoto2": its DSLR can only be [camera]'])
    ribbons = [other.camera_index for other in config.cameras if other.driver == "picamera2"]
    if ribbons != list(range(1, len(ribbons) + 1)):
        raise ConfigFaults("the bench", [f"camera_index = {ribbons}: it numbers its further cameras 1, 2 …"])
    return [
        OtherBenchCamera(
            _height_deg(number) if other.elevation_deg is None else other.elevation_deg, other.driver == "v4l2"
        )
        for number, other in enumerate(config.cameras, 1)
    ]


def demo_mechanics(options: DemoOptions) -> PlatterMechanics:
    """Build the turntable with the faults that it has from the start."""
    mechanics = PlatterMechanics(motor=motor_at(options.speed), object_kg=options.object_kg, seed=options.seed)
    for fault in faults_named(options.faults):
        mechanics = replace(mechanics, **fault.table)
    return mechanics


def demo_card(options: DemoOptions, clock: BenchClock) -> AbstractContextManager[object]:
    """Return what is put beneath the demo's files while it lasts: the last card that its faults name."""
    named = [fault.card for fault in faults_named(options.faults) if fault.card]
    return SdCard(card_named(named[-1]), clock, options.out, options.seed) if named else nullcontext()


def demo_link(options: DemoOptions) -> str:
    """Return the link to the service that its faults name last; empty: loopback."""
    return next((fault.link for fault in reversed(faults_named(options.faults)) if fault.link), "")


def motor_at(speed: float) -> MotorMake | None:
    """Return the motor, or None on a clock so fast that pulses come as bursts, which no motor follows."""
    return MotorMake() if speed <= EVEN_PULSES_SPEED else None


def demo_wiring(config: Config) -> BenchWiring:
    """Wire the simulated hardware as the configuration says."""
    table = config.turntable
    return BenchWiring(
        step_pin=table.step_pin,
        dir_pin=table.direction_pin,
        enable_pin=table.enable_pin,
        button_pin=config.button.pin,
        led_pin=config.led.pin if config.led.driver == "gpio" else None,
        light_pin=config.light.pin if config.light.driver == "gpio" else None,
        ring=RingWiring(config.light.device, config.light.count) if config.light.driver == "ws2812" else None,
        buzzer_pin=config.buzzer.pin if config.buzzer.driver == "gpio" else None,
        emergency_stop_pin=config.emergency_stop.pin if config.emergency_stop.driver == "gpio" else None,
        lift=_lift_wiring(config.lift),
    )


def demo_lift(config: Config) -> LiftMechanics:
    """Build the simulated arm as the configuration says; it stands at its mark."""
    return LiftMechanics(step_deg=config.lift.step_deg, start_deg=config.lift.home_deg)


def _lift_wiring(lift: LiftSection) -> LiftWiring | None:
    if lift.driver != "stepper_gpio":
        return None
    raises = -1 if lift.invert else 1
    return LiftWiring(lift.step_pin, lift.direction_pin, lift.enable_pin, dir_high_raises=raises)


def scans_folder(out: Path) -> Path:
    """Where the daemon keeps its scans and sync looks for them."""
    return out / "scans"
