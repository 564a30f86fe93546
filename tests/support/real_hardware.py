"""`pytest --hardware`: the driver suite on the devices that a config.toml names, with a person who looks and pushes.

What can only be judged on the bench is skipped and says so; what is missing ends the run before anything moves.
"""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from scannerd.config import Config
from scannerd.settings.file import ConfigFaults, read_config

DEFAULT_CONFIG = Path("/etc/scannerd/config.toml")
MISSING = 4
"""Exit code: pytest's own for a command line that cannot be."""
ON_PINS = ("stepper_gpio", "gpio")
SERIAL = ("grbl", "marlin", "serial_table")


def add_options(parser: pytest.Parser) -> None:
    """`--hardware` and `--hardware-config`."""
    group = parser.getgroup("hardware", "the driver suite on real devices (docs/wiring.md)")
    group.addoption("--hardware", action="store_true", help="use the real devices of --hardware-config, with -s")
    group.addoption(
        "--hardware-config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help=f"default: {DEFAULT_CONFIG}"
    )


def needs_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the sections of config.toml whose devices a test uses, and `person` where somebody is asked."""
    return tuple(name for mark in item.iter_markers("needs") for name in mark.args)


def choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --hardware, skip what only the bench can judge, and say so at each test."""
    if not config.getoption("--hardware"):
        return
    bench_only = pytest.mark.skip(reason="BENCH ONLY: it is judged by a truth that no real table tells")
    for item in items:
        if not needs_of(item):
            item.add_marker(bench_only)


def explain(session: pytest.Session) -> None:
    """With --collect-only say what each test would need; else end the run where something of it is missing."""
    if not session.config.getoption("--hardware"):
        return
    wanted = {item.nodeid: needs_of(item) for item in session.items if needs_of(item)}
    if session.config.getoption("collectonly"):
        for nodeid, needs in wanted.items():
            print(f"{nodeid}: needs {', '.join(needs)}")
        return
    missing = list(missing_for(session.config.getoption("--hardware-config"), set().union(*wanted.values())))
    if missing:
        told = "\n".join(f"  {one}" for one in missing)
        pytest.exit(f"--hardware: this machine cannot run the suite:\n{told}\nSee docs/wiring.md.", MISSING)


def missing_for(file: Path, needs: set[str]) -> Iterator[str]:
    """Say what is not there of what the tests need, a line for each."""
    if "person" in needs and not sys.stdin.isatty():
        yield "nobody can be asked: run it in a terminal, with -s"
    try:
        config = read_config(file)
    except ConfigFaults as faults:
        yield f"no settings: {faults}; write them, or name others with --hardware-config FILE"
        return
    for name in sorted(needs - {"person"}):
        found = missing_device(config, name)
        if found is not None:
            yield f'[{name}] driver = "{getattr(config, name).driver}": {found}'


def missing_device(config: Config, name: str, dev: Path = Path("/dev")) -> str | None:
    """Say what one device lacks; None: nothing, or the configuration has none of it."""
    section = getattr(config, name)
    if section.driver in ON_PINS and not list(dev.glob("gpiochip*")):
        return f"no {dev}/gpiochip*: is this a Raspberry Pi, and is its GPIO enabled?"
    if section.driver in SERIAL and not Path(section.port).exists():
        return f"there is no {section.port}; plug the controller in, see udev/60-scanner.rules"
    if section.driver == "ws2812" and not Path(section.device).exists():
        return f"there is no {section.device}; sudo raspi-config nonint do_spi 0, then restart"
    if section.driver == "picamera2" and find_spec("libcamera") is None:
        return (
            "libcamera cannot be imported; sudo apt install python3-picamera2, and let Python see it (docs/wiring.md)"
        )
    if section.driver == "v4l2" and not list(dev.glob("video*")):
        return f"no {dev}/video*; plug the camera in"
    return None
