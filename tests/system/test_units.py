"""What systemd itself says of the units: no mistakes, and how much of the machine each may touch."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
UNITS = sorted((REPOSITORY / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
MOST_EXPOSURE = 2.5
PROGRAMS = ("scannerd", "offload")

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="NO SYSTEMD HERE: the units are not checked (apt install systemd)"
)


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def unit_folder(tmp_path: Path) -> Path:
    """The units with programs that exist: verify looks whether it can run them."""
    programs, units = tmp_path / "bin", tmp_path / "units"
    programs.mkdir()
    units.mkdir()
    for name in PROGRAMS:
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    for unit in UNITS:
        (units / unit.name).write_text(unit.read_text().replace("/opt/scannerd/bin", str(programs)))
    return units


def test_systemd_finds_no_mistake_in_the_units(unit_folder: Path) -> None:
    names = [str(unit_folder / unit.name.replace("@.", "@1.")) for unit in UNITS]
    template = unit_folder / "offload-worker@.service"
    (unit_folder / "offload-worker@1.service").symlink_to(template)
    done = analyze("verify", "--man=no", *names)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_no_service_may_touch_more_than_it_needs(unit: Path) -> None:
    done = analyze("security", "--offline=true", "--no-pager", str(unit))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    print(f"{unit.name}: exposure {found[1]} of 10, at most {MOST_EXPOSURE} wanted")
    assert float(found[1]) <= MOST_EXPOSURE, done.stdout
