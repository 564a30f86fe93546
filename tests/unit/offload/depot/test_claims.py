"""Which job a free worker takes: tenants in turn, the urgent first, what it can do; and what is handed out again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from offload.depot.claims import JobClaims, silent_since, take_over
from offload.depot.instant import now
from offload.depot.ledger import Ledger, TakenOver
from offload.depot.needs import Abilities, NotANeed, read_needs
from offload.depot.new_job import NewJob, add_job
from offload.depot.roster import NameTaken, Roster
from offload.depot.tables import JOBS, TENANTS, WORKERS
from offload.depot.tenant_jobs import TenantJobs
from offload.wire.jobs import Cause, JobState, Priority

ANY = Abilities()


@pytest.fixture
def add(engine):
    with engine.begin() as connection:
        for tenant in ("big", "small"):
            connection.execute(sa.insert(TENANTS).values(tenant_id=tenant, name=tenant, created_at=now()))

    def insert(tenant, *names, **more):
        with engine.begin() as connection:
            for name in names:
                job = NewJob(job_id=f"{tenant}-{name}", scan_id=str(name), tenant_id=tenant)
                assert add_job(connection, replace(job, **more))

    return insert


def order(engine, worker="slot-1", abilities=ANY):
    claims, taken = JobClaims(engine, worker), []
    while (claim := claims.take_next(abilities)) is not None:
        taken.append(claim.job_id)
        Ledger(engine, worker).complete(claim.job_id, [])
    return taken


def test_five_hundred_jobs_of_one_do_not_delay_the_first_of_another(engine, add):
    add("big", *range(500))
    claims = JobClaims(engine, "slot-1")
    assert claims.take_next(ANY).job_id.startswith("big-")
    add("small", "first", "second")
    assert claims.take_next(ANY).job_id == "small-first"
    # Both have one running: whose turn was longest ago.
    assert claims.take_next(ANY).job_id.startswith("big-")
    assert claims.take_next(ANY).job_id == "small-second"


def test_the_urgent_go_first_among_ones_own_only(engine, add):
    add("big", "late", priority=Priority.BATCH)
    add("big", "plain")
    add("big", "now", "soon", priority=Priority.URGENT)
    add("small", "one")
    taken = order(engine)
    assert [one for one in taken if one.startswith("big")] == ["big-now", "big-soon", "big-plain", "big-late"]
    assert taken.index("small-one") <= 1


def test_a_worker_takes_what_it_can_do_and_leaves_the_rest(engine, add):
    add("big", "model", needs=("cuda", "memory:16"))
    add("big", "small-one", needs=("memory:4",))
    assert order(engine, abilities=Abilities(memory_gb=8)) == ["big-small-one"]
    assert order(engine, abilities=Abilities(frozenset({"cuda"}), 8)) == []
    assert order(engine, abilities=Abilities(frozenset({"cuda"}), 16)) == ["big-model"]


@pytest.mark.parametrize("text", ["cuda;rm", "memory", "memory:lots", "-x"])
def test_needs_that_nothing_can_have_are_refused(text):
    assert read_needs(" CUDA, memory:16,") == ("cuda", "memory:16")
    with pytest.raises(NotANeed, match="no capability"):
        read_needs(text)


def test_each_job_is_one_workers_however_many_ask_at_once(engine, add):
    add("big", *range(12))
    begin, taken = Barrier(4), []

    def work(name):
        begin.wait()
        while (claim := JobClaims(engine, name).take_next(ANY)) is not None:
            taken.append(claim.job_id)

    threads = [Thread(target=work, args=(f"slot-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(f"big-{number}" for number in range(12))


def test_a_worker_finds_its_own_again_and_no_others(engine, add):
    add("big", "a", "b", "c")
    first = JobClaims(engine, "slot-1").take_next(ANY)
    second = JobClaims(engine, "slot-2").take_next(ANY)
    assert (JobClaims(engine, "slot-1").mine(), JobClaims(engine, "slot-2").mine()) == ([first], [second])


def test_what_a_dead_worker_had_is_handed_out_and_its_word_counts_no_more(engine, add):
    add("big", "a")
    dead, alive = Ledger(engine, "slot-1"), Ledger(engine, "slot-2")
    before = JobClaims(engine, "slot-1").take_next(ANY)
    dead.begin(before.job_id)
    assert take_over(engine, "slot-1") == [before.job_id]
    after = JobClaims(engine, "slot-2").take_next(ANY)
    assert (after.job_id, after.workflow_id) == (before.job_id, f"{before.workflow_id}.1")
    assert alive.begin(after.job_id) == 2
    dead.complete(before.job_id, [])
    dead.fail(before.job_id, "woke up", Cause.BUG)
    assert dead.cancel_requested(before.job_id), "so its engine is ended"
    with pytest.raises(TakenOver, match="slot-2"):
        dead.begin(before.job_id)
    assert TenantJobs(engine, "big").get(before.job_id).state is JobState.RUNNING
    assert alive.begin(after.job_id) == 3, "no start of the dead one's was counted"


def test_workers_are_known_by_when_they_were_seen(engine, add):
    roster = Roster(engine)
    roster.enlist("slot-1", "here", Abilities(frozenset({"cuda"}), 8))
    roster.enlist("slot-1", "here", ANY)
    with pytest.raises(NameTaken, match=r"slot-1 runs on here.*another --slot"):
        roster.enlist("slot-1", "elsewhere", ANY)
    add("big", "a")
    claim = JobClaims(engine, "slot-1").take_next(ANY)
    roster.beat("slot-1", claim.job_id)
    (seen,) = roster.everybody()
    assert (seen.lives, seen.job_id, seen.host) == (True, claim.job_id, "here")
    assert silent_since(engine, now() - timedelta(minutes=15)) == []
    with engine.begin() as connection:
        connection.execute(sa.update(WORKERS).values(seen_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert silent_since(engine, now() - timedelta(minutes=15)) == ["slot-1"]
    roster.enlist("slot-1", "elsewhere", ANY)
    with engine.begin() as connection:
        connection.execute(sa.delete(WORKERS))
    assert silent_since(engine, now() - timedelta(minutes=15)) == ["slot-1"], "one that nobody knows is silent, too"
    with engine.connect() as connection:
        assert connection.execute(sa.select(JOBS.c.state)).scalar_one() == JobState.RUNNING
