from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mosquitto_broker
import pytest


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Any]:
    """A mosquitto with a user for the scanner and one for a tablet."""
    broker = mosquitto_broker.Broker(tmp_path / "mosquitto")
    broker.start()
    yield broker
    broker.kill()
