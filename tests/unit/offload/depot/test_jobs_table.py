"""Jobs in both databases: one of each, whose they are, and what they went through."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from offload.depot.claims import JobClaims
from offload.depot.instant import now
from offload.depot.job_row import UnknownJob
from offload.depot.ledger import Ledger
from offload.depot.needs import Abilities
from offload.depot.new_job import NewJob, add_job, job_id_of
from offload.depot.stages import StageOutcome
from offload.depot.tables import JOBS, TENANTS
from offload.depot.tenant_jobs import TenantJobs
from offload.wire.bundle import CameraModel, FrameEntry, Manifest, StoredFile
from offload.wire.jobs import Cause, JobState, Priority, Stage

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def manifest(scan_id="cup"):
    frames = tuple(
        FrameEntry(
            index=index,
            angle_deg=0,
            file=StoredFile(name=f"frames/{index}.jpg", sha256=f"{index:064x}", size_bytes=1),
            exposure_us=1,
            analogue_gain=1,
            taken_at=MOMENT,
        )
        for index in range(3)
    )
    camera = CameraModel(make="m", model="c", focal_length_mm=9, pixel_pitch_um=4)
    size = {"photo_width_px": 64, "photo_height_px": 48}
    return Manifest(scan_id=scan_id, created_at=MOMENT, device="test", camera=camera, frames=frames, **size)


@pytest.fixture
def add(engine):
    with engine.begin() as connection:
        connection.execute(sa.insert(TENANTS).values(tenant_id="shop", name="A shop", created_at=now()))

    def insert(job):
        with engine.begin() as connection:
            return add_job(connection, job)

    return insert


def taken(engine, worker="slot-1"):
    """Let a worker take the next job, and return what it writes with."""
    assert JobClaims(engine, worker).take_next(Abilities()) is not None
    return Ledger(engine, worker)


def test_a_bundles_job_is_one_of_each_tenant_and_known_to_it_alone(engine, add):
    local, shop = NewJob.of_bundle(manifest()), NewJob.of_bundle(manifest(), "shop")
    assert local.job_id == manifest().digest()[:32] == job_id_of(manifest().digest())
    assert [add(local), add(shop), add(local), add(shop)] == [True, True, False, False]
    assert local.job_id != shop.job_id
    theirs = TenantJobs(engine, "shop")
    assert [job.job_id for job in theirs.newest()] == [shop.job_id]
    for ask in (theirs.get, theirs.request_cancel, theirs.stages):
        with pytest.raises(UnknownJob):
            ask(local.job_id)
    assert not Ledger(engine, "slot-1").row(local.job_id)["cancel_requested"]
    assert TenantJobs(engine, "local").get(local.job_id).bundle_sha256 == manifest().digest()


def test_an_idempotency_key_makes_one_job_of_each_tenant(engine, add):
    one = NewJob.of_bundle(manifest("a"), idempotency_key="again", priority=Priority.URGENT, needs=("cuda",))
    assert [add(one), add(replace(one, job_id="f" * 32, manifest=manifest("b")))] == [True, False]
    assert add(replace(one, job_id="e" * 32, tenant_id="shop"))
    assert TenantJobs(engine, "local").with_idempotency_key("again").job_id == one.job_id
    row = Ledger(engine, "slot-1").row(one.job_id)
    assert (row["priority"], row["needs"], row["request"], row["dead"]) == ("urgent", ["cuda"], {}, False)
    assert row["created_at"].tzinfo is not None


def test_an_engines_words_are_kept_whatever_is_in_them(engine, add):
    job = NewJob.of_bundle(manifest())
    add(job)
    taken(engine).keep_words(job.job_id, "a\0b")
    assert TenantJobs(engine, job.tenant_id).log_tail(job.job_id) == "a\N{REPLACEMENT CHARACTER}b"


def test_a_jobs_stages_are_remembered_with_their_ends(engine, add):
    job = NewJob.of_bundle(manifest())
    add(job)
    ledger = taken(engine)
    ledger.progress(job.job_id, Stage.FETCH, 0)
    ledger.begin(job.job_id)
    ledger.progress(job.job_id, Stage.READ, 5)
    ledger.progress(job.job_id, Stage.READ, 7)
    ledger.begin(job.job_id)  # The worker died.
    ledger.progress(job.job_id, Stage.READ, 5)
    ledger.count_failure(job.job_id)
    ledger.begin(job.job_id)
    ledger.progress(job.job_id, Stage.SWEEP, 40)
    ledger.complete(job.job_id, [])
    ledger.progress(job.job_id, Stage.FUSE, 50)
    history = TenantJobs(engine, "local").stages(job.job_id)
    assert [(run.stage, run.attempt, run.outcome) for run in history] == [
        (Stage.FETCH, 0, StageOutcome.DONE),
        (Stage.READ, 1, StageOutcome.INTERRUPTED),
        (Stage.READ, 2, StageOutcome.FAILED),
        (Stage.SWEEP, 3, StageOutcome.DONE),
    ]
    assert all(run.ended_at >= run.started_at for run in history)


def test_a_finished_job_never_changes(engine, add):
    job = NewJob.of_bundle(manifest())
    add(job)
    jobs, ledger = TenantJobs(engine, "local"), taken(engine)
    ledger.cancelled(job.job_id)
    assert jobs.request_cancel(job.job_id).state is JobState.CANCELLED
    ledger.complete(job.job_id, [])
    ledger.fail(job.job_id, "too late", Cause.BUG)
    assert (jobs.get(job.job_id).state, jobs.get(job.job_id).error) == (JobState.CANCELLED, None)


def test_a_running_job_is_asked_to_stop(engine, add):
    job = NewJob.of_bundle(manifest())
    add(job)
    ledger = taken(engine)
    ledger.begin(job.job_id)
    assert not ledger.cancel_requested(job.job_id)
    assert TenantJobs(engine, "local").request_cancel(job.job_id).state is JobState.RUNNING
    assert ledger.cancel_requested(job.job_id)


def test_a_job_belongs_to_a_tenant_that_is_there(add):
    with pytest.raises(sa.exc.IntegrityError):
        add(NewJob.of_bundle(manifest(), "nobody"))


def test_a_moment_without_a_time_zone_is_refused(engine):
    with pytest.raises(sa.exc.StatementError, match="no time zone"), engine.begin() as connection:
        connection.execute(sa.update(JOBS).values(created_at=MOMENT.replace(tzinfo=None)))
