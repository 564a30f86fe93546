import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from drivers.bench.install import Bench


def _load() -> ModuleType:
    path = Path(__file__).with_name("rest_on_bench.py")
    spec = importlib.util.spec_from_file_location("rest_on_bench", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rest_on_bench"] = module
    spec.loader.exec_module(module)
    return module


rest_on_bench = _load()


@pytest.fixture
def serve(bench: Bench, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    """What opens the door of a daemon on the bench; the same store each time it is called."""
    return rest_on_bench.serving(bench, tmp_path / "store", tmp_path_factory.mktemp("s") / "s")
