"""A job that another machine takes over: it shares database and storage with the first one, but no folder."""

import hashlib
import sys

import pytest

from offload.depot.claims import JobClaims, take_over
from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder
from offload.depot.keys import Keys
from offload.depot.ledger import Ledger
from offload.depot.needs import Abilities
from offload.depot.new_job import NewJob, add_job, job_id_of
from offload.depot.results import ResultShelf
from offload.depot.storage_folder import FolderStorage
from offload.fetch.addresses import PUBLIC_ONLY
from offload.wire.bundle import CameraModel, FrameEntry, Manifest, StoredFile
from offload.wire.jobs import JobState
from offload.worker.blob_cache import BlobCache
from offload.worker.images import Images
from offload.worker.pipeline import Pipeline

ENGINE = """
import json, pathlib, sys
bundle, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3])
out.mkdir(parents=True)
(out / "model.glb").write_bytes(b"".join(p.read_bytes() for p in sorted((bundle / "frames").iterdir())))
with open(bundle.parent.parent.parent / "runs", "a") as runs:
    runs.write("run ")
report = dict(engine="e", engine_version="1", photos_given=3, photos_used=3, scale_source="given poses")
report |= dict(size=[1, 1, 1], vertices=3, triangles=1, watertight=False, stages=[], peak_rss_mb=1)
report |= dict(files=["model.glb", "report.json"])
(out / "report.json").write_text(json.dumps(report))
print(json.dumps(dict(done=True)), flush=True)
"""


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path / "storage")


@pytest.fixture
def manifest(storage, tmp_path):
    frames = []
    for index, content in enumerate((b"one", b"two", b"three")):
        sha256 = hashlib.sha256(content).hexdigest()
        (tmp_path / str(index)).write_bytes(content)
        storage.put(Keys().blob(sha256), tmp_path / str(index), sha256)
        file = StoredFile(name=f"frames/{index}.jpg", sha256=sha256, size_bytes=len(content))
        frames.append(
            FrameEntry(
                index=index, angle_deg=0, file=file, exposure_us=1, analogue_gain=1, taken_at="2026-01-01T00:00Z"
            )
        )
    camera = CameraModel(make="m", model="c", focal_length_mm=9, pixel_pitch_um=4)
    return Manifest(
        scan_id="cup",
        created_at="2026-01-01T00:00Z",
        device="test",
        camera=camera,
        photo_width_px=64,
        photo_height_px=48,
        frames=frames,
    )


@pytest.fixture
def database(manifest, tmp_path):
    engine = prepare_database(DataFolder(tmp_path / "database"))
    with engine.begin() as connection:
        add_job(connection, NewJob.of_bundle(manifest))
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(database):
    return Ledger(database, "anybody")


@pytest.fixture
def machine(database, manifest, storage, tmp_path):
    def make(name):
        """Give the job to this machine, whoever had it."""
        ledger = Ledger(database, name)
        before = ledger.row(job_id_of(manifest.digest()))["worker"]
        if before != name:
            take_over(database, str(before))
            assert JobClaims(database, name).take_next(Abilities()) is not None
        folder = DataFolder(tmp_path / name)
        folder.create()
        cache = BlobCache(folder.cache, storage, 10**9)
        command = [sys.executable, "-c", ENGINE]
        return Pipeline(
            folder,
            ledger,
            cache,
            storage,
            Images(folder, ledger, storage, PUBLIC_ONLY),
            command,
            60.0,
            lambda _job_id: None,
        )

    return make


def runs(tmp_path, name):
    path = tmp_path / name / "runs"
    return path.read_text().split() if path.exists() else []


async def test_another_machine_begins_where_it_finds_nothing(machine, manifest, ledger, storage, tmp_path):
    job_id = job_id_of(manifest.digest())
    assert await machine("first").fetch(job_id)
    assert await machine("second").reconstruct(job_id) == await machine("third").reconstruct(job_id)
    assert [runs(tmp_path, name) for name in ("first", "second", "third")] == [[], ["run"], ["run"]]


async def test_results_in_storage_need_no_folder_of_the_machine_that_made_them(
    machine, manifest, ledger, storage, tmp_path
):
    job_id = job_id_of(manifest.digest())
    results = await machine("first").reconstruct(job_id)
    assert ledger.get(job_id).results == (), "nobody sees them before the row"
    second = machine("second")
    await second.publish(job_id, results)
    second.tidy(job_id)
    job = ledger.get(job_id)
    assert (job.state, [file.name for file in job.results]) == (JobState.COMPLETED, ["model.glb", "report.json"])
    key = ResultShelf(storage).find(job_id, job.results, "model.glb")
    assert storage.local(key).read_bytes() == b"onetwothree"
    assert runs(tmp_path, "second") == []


async def test_what_is_done_on_this_machine_is_not_done_again(machine, manifest, storage, tmp_path):
    """Killed while its results were on their way, a worker finds them complete on its disk."""
    job_id = job_id_of(manifest.digest())
    first = await machine("first").reconstruct(job_id)
    storage.delete([stored.key for stored in storage.below(Keys().results(job_id))])
    assert await machine("first").reconstruct(job_id) == first
    assert runs(tmp_path, "first") == ["run"]
    for path in (tmp_path / "first").glob("jobs/*/attempts/1/out/model.glb"):
        path.unlink()
        path.write_bytes(b"damaged")
    storage.delete([stored.key for stored in storage.below(Keys().results(job_id))])
    assert await machine("first").reconstruct(job_id) == first
    assert runs(tmp_path, "first") == ["run", "run"]


async def test_a_job_of_before_is_published_by_its_attempt(machine, manifest, ledger, tmp_path):
    job_id = job_id_of(manifest.digest())
    await machine("first").reconstruct(job_id)
    for path in (tmp_path / "first").glob("jobs/*/attempts/1/done.json"):
        path.unlink()
    await machine("first").publish(job_id, 1)
    assert [file.name for file in ledger.get(job_id).results] == ["model.glb", "report.json"]
