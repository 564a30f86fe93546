"""The database under the service: an earlier version's data folder, kills while it migrates, a server that dies."""

import multiprocessing
import random
import sqlite3
import tarfile
import time
from pathlib import Path

import pytest

from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder

OLD = Path(__file__).with_name("data_folder_0_1_0.tar.gz")
"""As 0.1.0 left it: a completed, a cancelled and a waiting job of the stand-in engine."""
KILLS = 8


@pytest.fixture
def old(tmp_path):
    with tarfile.open(OLD) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "data"


def test_an_old_data_folder_goes_on(kit, old, make_worker):
    service = kit.service(old).up()
    try:
        with service.client() as client:
            jobs = {job["scan_id"]: job for job in client.get("/jobs").json()}
            states = {scan: job["state"] for scan, job in jobs.items()}
            assert states == {"done": "completed", "cancelled": "cancelled", "waiting": "queued"}
            done, waiting = jobs["done"], jobs["waiting"]
            assert done["job_id"] == done["bundle_sha256"][:32]
            assert done["created_at"].startswith("2026-11-23T03:10:31.155")
            for file in done["results"]:
                content = client.get(f"/jobs/{done['job_id']}/results/{file['name']}").content
                assert kit.sha256(content) == file["sha256"]
            make_worker(service)
            where = f"/jobs/{waiting['job_id']}"
            kit.wait_for(lambda: client.get(where).json()["state"] == "completed", "the waiting job", 60)
    finally:
        service.end()


def test_kills_while_it_migrates_lose_nothing(old):
    chance, forked = random.Random(6), multiprocessing.get_context("fork")
    for _kill in range(KILLS):
        process = forked.Process(target=prepare_database, args=(DataFolder(old),))
        process.start()
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        process.join()
    prepare_database(DataFolder(old)).dispose()
    with sqlite3.connect(old / "offload.sqlite") as database:
        rows = database.execute("SELECT scan_id, tenant_id, kind, state FROM jobs ORDER BY scan_id").fetchall()
        queued = database.execute("SELECT count(*) FROM workflow_status WHERE status = 'ENQUEUED'").fetchone()
    database.close()
    assert rows == [
        ("cancelled", "local", "bundle", "cancelled"),
        ("done", "local", "bundle", "completed"),
        ("waiting", "local", "bundle", "queued"),
    ]
    assert queued == (2,)


def test_a_killed_postgresql_is_waited_for(kit, tmp_path, make_worker, postgresql_server):
    server = postgresql_server
    service = kit.service(tmp_path / "data", environment={"OFFLOAD_DATABASE_URL": server.make_database()}).up()
    try:
        with service.client() as client:
            photos = [kit.jpeg(seed) for seed in range(4)]
            for photo in photos:
                kit.put(client, photo)
            worker = make_worker(service, held=True)
            job_id = kit.post(client, kit.manifest_of(photos, "cup")).json()["job_id"]
            kit.wait_for(lambda: worker.pids("start"), "the engine to start", 60)
            server.stop()
            refused = client.get(f"/jobs/{job_id}")
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            worker.release()
            server.start()

            def state():
                return client.get(f"/jobs/{job_id}").json().get("state")

            kit.wait_for(lambda: state() == "completed", "the job to be completed", 120)
            assert [word for word, _ in worker.trace].count("end") == 1
    finally:
        service.end()
