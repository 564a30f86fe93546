"""Kills and cuts between service, worker and storage: nothing promised is lost, no result is seen by halves."""

import asyncio
import hashlib
import os
import random
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from cut_link import CutLink
from seaweed_server import SeaweedServer
from store_until_killed import NEVER_S, contents

from offload.depot.claims import JobClaims
from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder
from offload.depot.keys import Keys
from offload.depot.ledger import Ledger
from offload.depot.needs import Abilities
from offload.depot.new_job import NewJob, add_job, job_id_of
from offload.depot.results import ResultShelf
from offload.depot.storage import StorageUnreachable
from offload.depot.storage_s3 import PART_BYTES
from offload.depot.storage_setting import read_storage
from offload.wire.bundle import StoredFile
from offload.worker.patience import until_stored

SUPPORT = Path(__file__).parents[1] / "support"
SEEDS = 20


@pytest.fixture(scope="module", autouse=True)
def seaweed(tmp_path_factory):
    server = SeaweedServer(tmp_path_factory.mktemp("seaweed")).up()
    yield server
    server.kill()


@pytest.fixture
def link(seaweed):
    with CutLink(seaweed.port) as made:
        yield made


@pytest.fixture
def prefix():
    return uuid.uuid4().hex


@pytest.fixture(params=["folder", "s3"])
def settings(request, seaweed, prefix):
    return seaweed.environment(prefix) if request.param == "s3" else {}


class Mortal:
    """Carries orders out in processes that can be killed at any moment."""

    def __init__(self, data: Path, settings: dict[str, str]) -> None:
        command = [sys.executable, str(SUPPORT / "store_until_killed.py"), str(data)]
        environment = os.environ | settings | {"PYTHONPATH": str(SUPPORT.parents[1])}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)

    def order(self, what: str, seed: int, killed_after_s: float = NEVER_S, job_id: str = "-") -> int:
        """Let it be done, or kill it on the way; return the wait status."""
        self._process.stdin.write(f"{what} {seed} {killed_after_s} {job_id}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline().split()[1])

    def end(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


@pytest.fixture
def data(tmp_path):
    folder = DataFolder(tmp_path / "data")
    folder.create()
    return folder


@pytest.fixture
def mortal(data, settings):
    made = Mortal(data.root, settings)
    yield made
    made.end()


def promised(data):
    path = data.root / "promises"
    return path.read_text().split() if path.exists() else []


def content_of(storage, key):
    with storage.open(key) as stream:
        return stream.read()


def test_no_kill_loses_a_confirmed_upload(mortal, data, settings):
    storage, keys, killed = read_storage(settings, data), Keys(), 0
    for seed in range(SEEDS):
        killed += mortal.order("upload", seed, random.Random(seed).uniform(0, 0.1)) == signal.SIGKILL
        for sha256 in promised(data):
            assert hashlib.sha256(content_of(storage, keys.blob(sha256))).hexdigest() == sha256
        assert mortal.order("upload", seed) == 0
        assert {hashlib.sha256(content).hexdigest() for content in contents(seed)} <= set(promised(data))
        (data.root / "promises").unlink()
        assert list(data.parts.iterdir()) == []
    print(f"{killed} of {SEEDS} were killed before the end")
    for stored in storage.below("blobs/"):
        assert hashlib.sha256(content_of(storage, stored.key)).hexdigest() == stored.key.rsplit("/", 1)[1]


def new_job(engine, kit, scan_id):
    manifest = kit.manifest_of([b"a", b"b", b"c"], scan_id)
    with engine.begin() as connection:
        add_job(connection, NewJob.of_bundle(manifest))
    assert JobClaims(engine, "slot-1").take_next(Abilities()) is not None
    return job_id_of(manifest.digest())


def test_no_kill_shows_half_a_set_of_results(mortal, data, settings, kit, scan_id):
    storage, engine = read_storage(settings, data), prepare_database(data)
    shelf, killed = ResultShelf(storage), 0

    def seen(job_id):
        files = Ledger(engine, "anybody").get(job_id).results
        return [content_of(storage, shelf.find(job_id, files, file.name)) for file in files]

    for seed in range(SEEDS):
        job_id = new_job(engine, kit, f"{scan_id}-{seed}")
        killed += mortal.order("results", seed, random.Random(seed).uniform(0, 0.1), job_id) == signal.SIGKILL
        assert seen(job_id) in ([], contents(seed))
        assert seen(job_id) or job_id not in promised(data)
        assert mortal.order("results", seed, job_id=job_id) == 0
        assert seen(job_id) == contents(seed)
        assert len({stored.key.rsplit("/", 1)[0] for stored in storage.below(Keys().results(job_id))}) == 1
    print(f"{killed} of {SEEDS} were killed before the end")
    engine.dispose()


def make_set(out, size_bytes, kit):
    out.mkdir()
    files = []
    for name in ("model.glb", "report.json"):
        content = random.Random(name).randbytes(size_bytes)
        (out / name).write_bytes(content)
        files.append(StoredFile(name=name, sha256=kit.sha256(content), size_bytes=size_bytes))
    return tuple(files)


async def test_a_storage_that_dies_within_an_upload_costs_a_wait(link, seaweed, data, prefix, tmp_path, kit):
    """Cut at any byte and away for a while: the set is stored by itself once the storage is back."""
    storage = read_storage(seaweed.environment(prefix, endpoint=link.endpoint), data)
    sizes_bytes = {"small": 400_000, "large": PART_BYTES + 400_000}
    sets = {name: make_set(tmp_path / name, size_bytes, kit) for name, size_bytes in sizes_bytes.items()}
    shelf = ResultShelf(storage)

    async def is_unwanted():
        return False

    for seed in range(SEEDS):
        which = "small" if seed % 5 else "large"
        out, files, job = tmp_path / which, sets[which], f"job{seed}"
        link.cut_after(random.Random(seed).randrange(1, 2 * sizes_bytes[which]))
        storing = asyncio.create_task(
            until_stored(lambda job=job, out=out, files=files: list(shelf.put(job, out, files)), is_unwanted, {})
        )
        await asyncio.to_thread(kit.wait_for, lambda: link.turned_away, "somebody to be turned away", 60.0)
        link.mend()
        assert await asyncio.wait_for(storing, 60) == list(files)
        for file in files:
            assert content_of(storage, shelf.find(job, files, file.name)) == (out / file.name).read_bytes()


def test_an_upload_is_confirmed_once_storage_has_it(link, seaweed, prefix, kit, tmp_path):
    environment = seaweed.environment(prefix, endpoint=link.endpoint)
    service = kit.service(tmp_path / "data", environment=environment).up()
    storage = read_storage(environment, DataFolder(tmp_path / "data"))
    try:
        with service.client() as client:
            for seed in range(4):
                content = random.Random(seed).randbytes(300_000)
                name, part = kit.sha256(content), service.data / "parts" / f"{kit.sha256(content)}.part"
                assert client.head(f"/blobs/{name}").status_code == 204
                link.cut_after(random.Random(seed).randrange(2_000, 300_000))
                answer = kit.put(client, content)
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
                assert part.read_bytes() == content
                if seed % 2:
                    service.end()
                    link.mend()
                    service.up()
                link.mend()
                there = client.head(f"/blobs/{name}").headers
                assert (there["Upload-Complete"], there["Upload-Offset"]) == ("?0", "300000"), "no byte is sent again"
                rest = {"Upload-Offset": "300000", "Upload-Length": "300000"}
                assert client.patch(f"/blobs/{name}", content=b"", headers=rest).status_code == 201
                assert client.head(f"/blobs/{name}").headers["Upload-Complete"] == "?1"
                assert content_of(storage, Keys().blob(name)) == content
                assert not part.exists()
    finally:
        service.end()


@pytest.fixture
def far_service(link, seaweed, prefix, kit, tmp_path):
    """One with a key, whose storage is an S3 behind a link that can be cut."""
    environment = seaweed.environment(prefix, endpoint=link.endpoint)
    running = kit.service(tmp_path / "data", "0123456789abcdef-right", environment).up()
    yield running
    running.end()


def test_from_photos_to_a_model_through_s3(far_service, link, kit, make_worker, make_sync, scan):
    for index in range(4):
        scan.take(index, kit.jpeg(index))
    scan.seal()
    make_worker(far_service)
    syncing = make_sync(far_service.url, "--once", key="0123456789abcdef-right")
    status, output = syncing.finish(120)
    assert (status, scan.state.results_in_place) == (0, True), output
    assert (scan.folder / "results" / "model.glb").read_bytes() == b"glTF" + scan.folder.name.encode()
    kept = {path.relative_to(far_service.data).parts[0] for path in far_service.data.rglob("*") if path.is_file()}
    assert not kept & {"blobs", "parts"}, "nothing but the worker's cache and logs is on this disk"
    asked = b"".join(link.said).lower()
    assert b"get /scans/" in asked
    assert b"x-amz-signature=" in asked
    assert b"bearer" not in asked
    with far_service.client() as client:
        answer = client.get(f"/jobs/{scan.state.job.job_id}/results/model.glb")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (307, "no-store")


def test_a_worker_on_another_machine_needs_no_shared_folder(
    seaweed, prefix, postgresql_server, kit, make_sync, scan, tmp_path
):
    """It has a database, a storage and a folder of its own; what the service has in its folder is hidden from it."""
    shared = seaweed.environment(prefix) | {"OFFLOAD_DATABASE_URL": postgresql_server.make_database()}
    service = kit.service(tmp_path / "here", environment=shared).up()
    worker = kit.worker(tmp_path, tmp_path / "there", environment=shared)
    try:
        worker.up()
        for index in range(4):
            scan.take(index, kit.jpeg(index))
        scan.seal()
        status, output = make_sync(service.url, "--once").finish(120)
        assert (status, scan.state.results_in_place) == (0, True), output
        assert (scan.folder / "results" / "model.glb").read_bytes() == b"glTF" + scan.folder.name.encode()
        job_id = scan.state.job.job_id
        assert (tmp_path / "there" / "jobs" / job_id / "attempts" / "1" / "engine.log").is_file()
        assert list((tmp_path / "here" / "jobs").iterdir()) == []
        cached = {path.name for path in (tmp_path / "there" / "cache").glob("*/*")}
        assert cached == {kit.sha256(photo) for photo in scan.photos.values()}
    finally:
        worker.end()
        service.end()


def test_a_job_whose_storage_dies_goes_on_by_itself(far_service, link, kit, make_worker, scan_id):
    photos = [kit.jpeg(seed) for seed in range(4)]
    with far_service.client() as client:
        for photo in photos:
            assert kit.put(client, photo).status_code == 201
        worker = make_worker(far_service, held=True)
        job_id = kit.post(client, kit.manifest_of(photos, scan_id)).json()["job_id"]

        def job():
            return client.get(f"/jobs/{job_id}").json()

        kit.wait_for(lambda: worker.pids("start"), "the engine to start", 60.0)
        link.cut_after(1)
        worker.release()
        kit.wait_for(lambda: link.turned_away > 3, "the worker to try again and again", 60.0)
        assert (job()["state"], job()["error"], job()["results"]) == ("running", None, [])
        worker.end(signal.SIGKILL)
        worker.up()
        turned_away = link.turned_away
        kit.wait_for(lambda: link.turned_away > turned_away, "the next worker to try it, too", 60.0)
        link.mend()
        kit.wait_for(lambda: job()["state"] == "completed", "the job to be completed", 60.0)
        assert [word for word, _ in worker.trace] == ["start", "end"], "one run of the engine"
        assert [file["name"] for file in job()["results"]] == ["model.glb", "report.json"]


def test_a_real_storage_that_is_killed_comes_back_with_everything(tmp_path, kit):
    own = SeaweedServer(tmp_path / "own").up()
    try:
        storage = read_storage(own.environment(), DataFolder(tmp_path))
        content = random.Random(5).randbytes(200_000)
        (tmp_path / "given").write_bytes(content)
        storage.put("blobs/ab/abc", tmp_path / "given", kit.sha256(content))
        own.kill()
        with pytest.raises(StorageUnreachable):
            storage.stat("blobs/ab/abc")
        own.up()
        assert content_of(storage, "blobs/ab/abc") == content
    finally:
        own.kill()
