"""Both databases, empty and migrated."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder


@pytest.fixture
def engine(database_url: str | None, tmp_path: Path) -> Iterator[sa.Engine]:
    made = prepare_database(DataFolder(tmp_path / "data"), database_url)
    yield made
    made.dispose()
