"""One virtual machine for all of these tests: booting it is most of their time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from debian_root import LOCK, PYTHON, REPOSITORY, debian_root
from guest_kernel import guest_kernel, guest_packages
from virtual_machine import VirtualMachine, booted, why_not

PACKAGES = ("numpy", "opencv-python-headless", "piexif", "simplejpeg", "gpiozero", "lgpio", "pyserial", "videodev2")
PLUG_IN = "import sys; sys.path.insert(0, '/srv/project/tests/support'); import guest_pins; guest_pins.plug_in()"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = why_not()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.vm)
            item.add_marker(pytest.mark.slow)
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"THE VIRTUAL MACHINE DOES NOT RUN HERE: {missing}"))


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualMachine]:
    """A machine with the header of a Raspberry Pi, our rules, and our code under /srv/project."""
    packages = guest_packages(PYTHON, tuple(_as_locked(name) for name in PACKAGES))
    shares = {"root": debian_root(), "project": REPOSITORY, "packages": packages}
    with booted(guest_kernel(), shares, tmp_path_factory.mktemp("vm")) as running:
        running.output("python3", "-c", PLUG_IN)
        yield running


def _as_locked(name: str) -> str:
    for line in LOCK.read_text().splitlines():
        if line.split("==")[0] == name:
            return line.split(";")[0].strip()
    return name
