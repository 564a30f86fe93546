"""A service's database with a shop beside the tenant of this machine, and jobs for it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder
from offload.people.tenants import make_tenant
from offload.wire.bundle import CameraModel, FrameEntry, Manifest, StoredFile


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def engine(folder: DataFolder) -> Iterator[sa.Engine]:
    made = prepare_database(folder)
    with made.begin() as connection:
        make_tenant(connection, "shop", "A shop")
    yield made
    made.dispose()


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """`manifest("cup", sha256, …)`: a bundle with at least three of these files."""

    def one(scan_id: str, *hashes: str) -> Manifest:
        names = (*hashes, *(f"{index:064x}" for index in range(3)))[: max(3, len(hashes))]
        frames = tuple(
            FrameEntry(
                index=index,
                angle_deg=0,
                file=StoredFile(name=f"frames/{index}.jpg", sha256=sha256, size_bytes=5),
                exposure_us=1,
                analogue_gain=1,
                taken_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
            for index, sha256 in enumerate(names)
        )
        return Manifest(
            scan_id=scan_id,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            device="test",
            camera=CameraModel(make="m", model="c", focal_length_mm=9, pixel_pitch_um=4),
            photo_width_px=64,
            photo_height_px=48,
            frames=frames,
        )

    return one
