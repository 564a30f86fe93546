from pathlib import Path

import pytest
import rest_on_bench

from drivers.bench.install import Bench


@pytest.fixture
def serve(bench: Bench, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    """What opens the door of a daemon on the bench; the same store each time it is called."""
    return rest_on_bench.serving(bench, tmp_path / "store", tmp_path_factory.mktemp("s") / "s")
