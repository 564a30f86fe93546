"""Priorities, retries, dead letters, workers: as they come over HTTP, and as the audit trail has them."""

import asyncio

import httpx
import pytest
import sqlalchemy as sa

from offload.depot.claims import JobClaims
from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder
from offload.depot.ledger import Ledger
from offload.depot.needs import Abilities
from offload.depot.new_job import NewJob, add_job
from offload.depot.roster import Roster
from offload.depot.storage_folder import FolderStorage
from offload.depot.tables import JOBS
from offload.people.audit import trail
from offload.people.tenants import limit_tenant
from offload.service.app import create_app
from offload.service.auth import Doorkeeper
from offload.wire.jobs import Cause

ANY = Abilities()


@pytest.fixture
def engine(tmp_path):
    made = prepare_database(DataFolder(tmp_path / "data"))
    yield made
    made.dispose()


class Client:
    """Asks the application itself, without a socket."""

    def __init__(self, app):
        self._app = app

    def get(self, path):
        return asyncio.run(self._ask("GET", path))

    def post(self, path, **more):
        return asyncio.run(self._ask("POST", path, **more))

    async def _ask(self, method, path, **more):
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
            return await client.request(method, path, **more)


@pytest.fixture
def client(tmp_path, engine):
    folder = DataFolder(tmp_path / "data")
    return Client(create_app(folder, FolderStorage(folder.root), engine, Doorkeeper(engine, None, is_loopback=True)))


@pytest.fixture
def add(engine):
    def insert(*names):
        with engine.begin() as connection:
            for name in names:
                assert add_job(connection, NewJob(job_id=name, scan_id=name))

    return insert


@pytest.fixture
def fail(engine):
    def for_good(cause):
        claim, ledger = JobClaims(engine, "slot-1").take_next(ANY), Ledger(engine, "slot-1")
        ledger.begin(claim.job_id)
        ledger.count_failure(claim.job_id)
        ledger.fail(claim.job_id, "it broke", cause)
        return claim.job_id

    return for_good


def deeds(engine):
    with engine.connect() as connection:
        return [(deed.action, deed.thing) for deed in trail(connection)]


def test_a_queued_jobs_priority_is_changed(engine, client, add):
    add("first", "second")
    answer = client.post("/jobs/second/priority", json={"priority": "urgent"})
    assert (answer.status_code, answer.json()["priority"]) == (200, "urgent")
    assert deeds(engine) == [("job.priority", "second")]
    assert JobClaims(engine, "slot-1").take_next(ANY).job_id == "second"
    late = client.post("/jobs/second/priority", json={"priority": "batch"})
    assert (late.status_code, "is running" in late.json()["detail"]) == (409, True)
    assert client.post("/jobs/first/priority", json={"priority": "now"}).status_code == 422
    assert client.post("/jobs/never/priority", json={"priority": "batch"}).status_code == 404
    assert len(deeds(engine)) == 1


def test_a_failed_job_is_tried_again_as_if_it_were_new(engine, client, add, fail):
    add("one")
    assert client.post("/jobs/one/retry").status_code == 409
    fail(Cause.BUG)
    failed = client.get("/jobs/one").json()
    assert (failed["state"], failed["cause"], failed["dead"]) == ("failed", "bug", True)
    again = client.post("/jobs/one/retry").json()
    assert (again["state"], again["error"]) == ("queued", None)
    assert not {"cause", "dead"} & set(again)
    with engine.connect() as connection:
        row = connection.execute(sa.select(JOBS)).mappings().one()
    assert (row["failures"], row["starts"], row["starts_forgiven"], row["handed_out"]) == (0, 1, 1, 1)
    assert JobClaims(engine, "slot-1").take_next(ANY).workflow_id == "one.1"
    assert deeds(engine) == [("job.retry", "one")]


def test_a_cancelled_job_is_tried_again(engine, client, add):
    add("one")
    assert client.post("/jobs/one/cancel").json()["state"] == "cancelled"
    assert client.get("/dead-letters").json() == []
    assert client.post("/jobs/one/retry").json()["state"] == "queued"
    assert Ledger(engine, "slot-1").row("one")["cancel_requested"] is False


def test_dead_letters_come_by_cause_and_go_in_one_call(engine, client, add, fail):
    add("a", "b", "c", "d")
    bugs, gpu = {fail(Cause.BUG), fail(Cause.BUG)}, fail(Cause.NO_GPU)
    told = [
        (letters["cause"], {job["job_id"] for job in letters["jobs"]})
        for letters in client.get("/dead-letters").json()
    ]
    assert told == [("bug", bugs), ("no gpu", {gpu})]
    waits = ({"a", "b", "c", "d"} - bugs - {gpu}).pop()
    both = client.post("/dead-letters/requeue", json={"job_ids": [gpu, waits]})
    assert (both.status_code, "is queued and no dead letter" in both.json()["detail"]) == (409, True)
    assert len(client.get("/dead-letters").json()) == 2, "all or none"
    assert client.post("/dead-letters/requeue", json={"job_ids": [gpu, "never"]}).status_code == 404
    for nonsense in ({}, {"cause": "bug", "all": True}, {"job_ids": []}, {"all": False}):
        assert client.post("/dead-letters/requeue", json=nonsense).status_code == 422
    assert deeds(engine) == []
    assert set(client.post("/dead-letters/requeue", json={"cause": "bug"}).json()["job_ids"]) == bugs
    assert client.post("/dead-letters/requeue", json={"all": True}).json() == {"job_ids": [gpu]}
    assert client.post("/dead-letters/requeue", json={"all": True}).json() == {"job_ids": []}
    assert {job["state"] for job in client.get("/jobs").json()} == {"queued"}
    assert sorted(deeds(engine)) == sorted(("job.retry", job_id) for job_id in (*bugs, gpu))


def test_no_more_wait_again_than_may_wait(engine, client, add, fail):
    add("a", "b")
    fail(Cause.BUG), fail(Cause.BUG)
    with engine.begin() as connection:
        limit_tenant(connection, "local", most_jobs_waiting=1)
    assert client.post("/dead-letters/requeue", json={"all": True}).status_code == 429
    assert {job["state"] for job in client.get("/jobs").json()} == {"failed"}
    assert client.post("/jobs/a/retry").status_code == 200
    assert client.post("/jobs/b/retry").status_code == 429
    assert deeds(engine) == [("job.retry", "a")]


def test_workers_are_told_with_what_they_have(engine, client):
    Roster(engine).enlist("slot-1", "here", Abilities(frozenset({"cuda"}), 16))
    Roster(engine).beat("slot-1", "one")
    [told] = client.get("/workers").json()
    assert (told["name"], told["host"], told["capabilities"], told["memory_gb"]) == ("slot-1", "here", ["cuda"], 16)
    assert (told["job_id"], told["lives"]) == ("one", True)
