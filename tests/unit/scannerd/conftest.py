from collections.abc import Iterator

import pytest
import scan_on_bench

from drivers.bench.install import Bench, install_bench


@pytest.fixture
def pictures() -> object:
    """What the simulated camera sees; its attributes blur and brighten."""
    return scan_on_bench.OverheadCamera()


@pytest.fixture
def bench(pictures: object) -> Iterator[Bench]:
    """A simulated scanner, many times faster than real."""
    with install_bench(pictures, speed=scan_on_bench.SPEED) as bench:  # type: ignore[arg-type]
        yield bench
