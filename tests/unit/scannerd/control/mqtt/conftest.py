import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


mosquitto_broker = _load(Path(__file__).resolve().parents[4] / "mosquitto_broker.py")
mqtt_scanner = _load(Path(__file__).with_name("mqtt_scanner.py"))
mqtt_process = _load(Path(__file__).with_name("mqtt_process.py"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Any]:
    """A mosquitto with a user for the scanner and one for a tablet."""
    broker = mosquitto_broker.Broker(tmp_path / "mosquitto")
    broker.start()
    yield broker
    broker.kill()
