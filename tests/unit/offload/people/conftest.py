"""A service's database with a shop beside the tenant of this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder
from offload.people.tenants import make_tenant


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = prepare_database(DataFolder(tmp_path / "data"))
    with made.begin() as connection:
        make_tenant(connection, "shop", "A shop")
    yield made
    made.dispose()
