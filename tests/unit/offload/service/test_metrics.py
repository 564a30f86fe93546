"""What Prometheus is told of jobs: from the database, so that it is right after any restart."""

import pytest
import sqlalchemy as sa

from offload.depot.claims import JobClaims
from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder
from offload.depot.ledger import Ledger
from offload.depot.needs import Abilities
from offload.depot.new_job import NewJob, add_job
from offload.depot.roster import Roster
from offload.service.metrics import Meters
from offload.wire.jobs import Cause, Stage


@pytest.fixture
def engine(tmp_path):
    made = prepare_database(DataFolder(tmp_path / "data"))
    yield made
    made.dispose()


def figures(meters):
    lines = (line for line in meters.shown().decode().splitlines() if line.startswith("offload_"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_figures_follow_the_jobs(engine):
    meters = Meters(engine)
    assert figures(meters)['offload_queue_depth{state="queued"}'] == 0
    assert figures(meters)["offload_oldest_wait_seconds"] == 0
    with engine.begin() as connection:
        for name in "abcd":
            add_job(connection, NewJob(job_id=name, scan_id=name))
    Roster(engine).enlist("slot-1", "here", Abilities())
    claims, ledger = JobClaims(engine, "slot-1"), Ledger(engine, "slot-1")
    done, failed, _running = (claims.take_next(Abilities()).job_id for _ in range(3))
    ledger.progress(done, Stage.FETCH, 0)
    ledger.complete(done, [])
    ledger.fail(failed, "no memory", Cause.OUT_OF_MEMORY)
    shown = figures(meters)
    assert (shown['offload_queue_depth{state="queued"}'], shown['offload_queue_depth{state="running"}']) == (1, 1)
    assert shown['offload_jobs_ended{state="completed"}'] == 1
    assert shown['offload_dead_letters{cause="out of memory"}'] == 1
    assert sum(count for name, count in shown.items() if "dead_letters" in name) == 1
    assert shown['offload_stage_seconds_count{stage="fetch"}'] == 1
    assert shown['offload_workers{alive="true"}'] == 1
    assert shown["offload_oldest_wait_seconds"] > 0
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE workers SET seen_at = '2026-01-01T00:00:00.000+00:00'"))
    assert figures(meters)['offload_workers{alive="false"}'] == 1


def test_uploads_are_counted(engine):
    meters = Meters(engine)
    meters.uploaded.inc(5)
    assert figures(meters)["offload_upload_bytes_total"] == 5
