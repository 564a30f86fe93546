"""Why a job waits: told in words, and only while it is so."""

import pytest
import sqlalchemy as sa

from offload.depot.claims import JobClaims
from offload.depot.instant import now
from offload.depot.needs import Abilities
from offload.depot.new_job import NewJob, add_job
from offload.depot.roster import Roster
from offload.depot.tables import WORKERS
from offload.depot.tenant_jobs import TenantJobs
from offload.wire.jobs import Priority

SMALL, GPU = Abilities(memory_gb=8), Abilities(frozenset({"cuda"}), 8)


@pytest.fixture
def add(engine):
    def insert(name, **more):
        with engine.begin() as connection:
            assert add_job(connection, NewJob(job_id=name, scan_id=name, **more))

    return insert


@pytest.fixture
def reason(engine):
    return lambda name: TenantJobs(engine, "local").get(name).waits_for


@pytest.fixture
def roster(engine):
    return Roster(engine)


def test_no_worker_runs(engine, add, reason, roster):
    add("one")
    assert reason("one") == "no worker runs"
    roster.enlist("slot-1", "here", SMALL)
    assert reason("one") is None
    with engine.begin() as connection:
        long_ago = now().replace(year=2020)
        connection.execute(sa.update(WORKERS).values(seen_at=long_ago))
    assert reason("one") == "no worker runs"


def test_no_worker_has_what_it_takes(add, reason, roster):
    roster.enlist("slot-1", "here", SMALL)
    roster.enlist("slot-2", "there", GPU)
    add("large", needs=("cuda", "memory:16"))
    assert reason("large") == "no living worker has memory:16 (slot-1 lacks cuda, memory:16; slot-2 lacks memory:16)"
    add("plain")
    assert reason("plain") is None, "what nobody can do holds up nobody"
    roster.enlist("slot-3", "there", Abilities(memory_gb=64))
    assert "no living worker has cuda and memory:16 (" in reason("large")


def test_ones_own_jobs_go_first_in_the_order_of_the_queue(add, reason, roster):
    roster.enlist("slot-1", "here", SMALL)
    add("first")
    add("second")
    add("urgent", priority=Priority.URGENT)
    assert reason("urgent") is None
    assert reason("first") == "1 of your own jobs goes first"
    assert reason("second") == "2 of your own jobs go first"


def test_all_workers_are_busy(engine, add, reason, roster):
    roster.enlist("slot-1", "here", SMALL)
    add("running")
    assert JobClaims(engine, "slot-1").take_next(SMALL) is not None
    roster.beat("slot-1", "running")
    add("next", needs=("memory:4",))
    assert reason("next") == "the only worker is busy"
    assert reason("running") is None
    roster.enlist("slot-2", "here", SMALL)
    assert reason("next") is None
    roster.beat("slot-2", "another")
    assert reason("next") == "all 2 workers are busy"
    roster.enlist("slot-3", "there", Abilities())
    assert reason("next") == "all 2 workers that have memory:4 are busy"
