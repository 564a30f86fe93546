"""What a person can choose about `scannerd bench`, and the configuration that follows from it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from drivers.bench.pins import BenchWiring
from drivers.bench.platter import PlatterMechanics
from scannerd.config import Config, DeviceSection, StoreSection, WebSection
from scannerd.demo.setting import demo_wiring, motor_at
from scannerd.demo.turntables import Turntable, lift_keys, turntable_keys
from scannerd.settings.file import ConfigFaults, read_config
from scannerd.settings.rules import broken_rules
from scannerd.settings.text import allowed_values

STORE = Path("out/bench")
COMMAND_LINE = "the command line"


@dataclass(frozen=True)
class BenchOptions:
    """The choices; None is as the configuration says."""

    config: Path | None = None
    store: Path | None = None
    """None: the configuration file's store, or `out/bench` without one."""
    mesh: Path | None = None
    """None: the project's own object."""
    views: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    speed: float = 1.0
    """How much faster than real time the bench's clock runs."""
    service: bool = False
    """Whether scans become models here: service, worker and sync run beside the daemon."""
    background: bool = True
    """Whether the empty table is photographed first, where that was not done before."""
    port: int | None = None
    """Of the page; 0 is any that is free."""
    hand: Path | None = None
    """Where the hand's socket is; None: `hand.sock` in the store."""
    object_kg: float = 0.0
    """Weight of what stands on the platter; 0: as good as none."""
    turntable: Turntable | None = None
    """What turns the platter; a serial controller has its port in the store. None: as the configuration says."""


AS_THEY_ARE = BenchOptions()


def bench_config(options: BenchOptions) -> Config:
    """Return the daemon's configuration on the bench. Raises ConfigFaults."""
    if options.config:
        return on_bench(options, read_config(options.config))
    folder = (options.store or STORE).resolve()
    # A laptop is no shop: nobody else should reach in, and /run belongs to root.
    web = WebSection(address="127.0.0.1", socket=folder / "scannerd.sock")
    store = StoreSection(folder=folder, reserve_mb=64)
    return on_bench(options, Config(device=DeviceSection(name="bench"), store=store, web=web))


def on_bench(options: BenchOptions, config: Config) -> Config:
    """Return what the daemon makes of a configuration here, at its start and at each reload alike.

    Ports are in the store, and the command line is stronger than the file. Raises ConfigFaults.
    """
    folder = (options.store or config.store.folder).resolve()
    config = config.model_copy(update={"store": config.store.model_copy(update={"folder": folder})})
    config = _changed(config, "web", {"port": options.port})
    config = _changed(config, "scan", {"views": options.views})
    lift = lift_keys(config, folder)
    table = turntable_keys(options.turntable, config.turntable.driver, folder)
    config = _changed(_changed(config, "turntable", table), "lift", lift)
    config = _changed(config, "camera", {"width_px": options.width_px, "height_px": options.height_px})
    problems = broken_rules(dict(config))
    if problems:
        raise ConfigFaults(options.config or COMMAND_LINE, problems)
    return config


def bench_wiring(config: Config) -> BenchWiring:
    """Wire the simulated hardware as the configuration says."""
    return replace(demo_wiring(config), dir_high_turns=-1 if config.turntable.invert else 1)


def bench_mechanics(config: Config, options: BenchOptions = AS_THEY_ARE) -> PlatterMechanics:
    """Build the simulated turntable as the configuration says."""
    table = config.turntable
    return PlatterMechanics(
        steps_per_turn=round(table.steps_per_turn),
        microsteps=table.microsteps,
        motor=motor_at(options.speed),
        object_kg=options.object_kg,
    )


def _changed(config: Config, name: str, wishes: dict[str, Any]) -> Config:
    """Replace some keys of one section by what was asked for on the command line. Raises ConfigFaults."""
    section = getattr(config, name)
    chosen = {key: value for key, value in wishes.items() if value is not None}
    try:
        changed = type(section).model_validate(section.model_dump() | chosen)
    except ValidationError as error:
        keys = [str(fault["loc"][0]) for fault in error.errors()]
        fields = type(section).model_fields
        problems = [f"{key} = {chosen.get(key)}: use {allowed_values(fields[key])}" for key in keys]
        raise ConfigFaults(COMMAND_LINE, problems) from error
    return config.model_copy(update={name: changed})
