import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from drivers.bench.install import Bench, install_bench


def _load() -> ModuleType:
    path = Path(__file__).with_name("scan_on_bench.py")
    spec = importlib.util.spec_from_file_location("scan_on_bench", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["scan_on_bench"] = module
    spec.loader.exec_module(module)
    return module


scan_on_bench = _load()


@pytest.fixture
def pictures() -> object:
    """What the simulated camera sees; its attributes blur and brighten."""
    return scan_on_bench.OverheadCamera()


@pytest.fixture
def bench(pictures: object) -> Iterator[Bench]:
    """A simulated scanner, many times faster than real."""
    with install_bench(pictures, speed=scan_on_bench.SPEED) as bench:  # type: ignore[arg-type]
        yield bench
