"""What is deleted and what stays: nothing goes that a job or somebody's upload still needs."""

import os
from datetime import timedelta

import pytest
import sqlalchemy as sa

from offload.depot.claims import JobClaims
from offload.depot.instant import now
from offload.depot.job_row import UnknownJob
from offload.depot.keys import Keys
from offload.depot.ledger import Ledger
from offload.depot.needs import Abilities
from offload.depot.new_job import NewJob, add_job
from offload.depot.results import ResultShelf
from offload.depot.storage import StorageUnreachable
from offload.depot.storage_folder import FolderStorage
from offload.depot.tables import BLOBS, JOBS
from offload.depot.tenant_jobs import TenantJobs
from offload.durable import sha256_of
from offload.people.deletion import Eraser, JobLives
from offload.people.principal import Principal, Scope
from offload.people.quotas import Claims
from offload.people.tenants import PeopleProblem, close_tenant, limit_tenant
from offload.people.tidying import Tidied, Tidying
from offload.wire.bundle import StoredFile

SHOP = Principal("shop", "key:x", frozenset({Scope.JOBS_WRITE}))
LONG_AGO = now() - timedelta(days=100)


@pytest.fixture
def storage(folder):
    return FolderStorage(folder.root)


@pytest.fixture
def eraser(engine, storage, folder):
    made = Eraser(engine, storage, folder)
    yield made
    made.close()


@pytest.fixture
def tidy(engine, storage, folder, eraser):
    return Tidying(engine, storage, folder, eraser).run


@pytest.fixture
def upload(engine, storage, tmp_path):
    """Store a file of a tenant as if it had come long ago, and return its hash."""

    def one(content, tenant_id="shop", wanted_at=LONG_AGO):
        file = tmp_path / "file"
        file.unlink(missing_ok=True)
        file.write_text(content)
        sha256 = sha256_of(file)
        storage.put(Keys.of_tenant(tenant_id).blob(sha256), file, sha256)
        if wanted_at is not None:
            Claims(engine).claim(tenant_id, sha256, len(content))
            with engine.begin() as connection:
                mine = sa.and_(BLOBS.c.tenant_id == tenant_id, BLOBS.c.sha256 == sha256)
                connection.execute(sa.update(BLOBS).where(mine).values(wanted_at=wanted_at))
        return sha256

    return one


@pytest.fixture
def is_there(storage):
    return lambda sha256, tenant_id="shop": storage.stat(Keys.of_tenant(tenant_id).blob(sha256)) is not None


@pytest.fixture
def completed(engine, storage, folder, manifest, tmp_path):
    """Make a completed job of the shop with a result, and return its id."""

    def one(scan_id, *hashes, tenant_id="shop"):
        job = NewJob.of_bundle(manifest(scan_id, *hashes), tenant_id)
        with engine.begin() as connection:
            add_job(connection, job)
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        (out / "model.glb").unlink(missing_ok=True)
        (out / "model.glb").write_text(scan_id)
        file = StoredFile(name="model.glb", sha256=sha256_of(out / "model.glb"), size_bytes=len(scan_id))
        list(ResultShelf(storage, Keys.of_tenant(tenant_id)).put(job.job_id, out, (file,)))
        assert JobClaims(engine, "slot-1").take_next(Abilities()) is not None
        Ledger(engine, "slot-1").complete(job.job_id, (file,))
        folder.job(job.job_id).mkdir(exist_ok=True)
        return job.job_id

    return one


def test_an_upload_goes_after_its_days_unless_a_job_has_it(tidy, upload, completed, is_there):
    unwanted, wanted, young = upload("nobody's"), upload("a job's"), upload("new", wanted_at=now())
    other = upload("a job's", "local")
    completed("cup", wanted)
    assert tidy() == Tidied(files=2)
    assert [is_there(sha256) for sha256 in (unwanted, wanted, young)] == [False, True, True]
    assert not is_there(other, "local"), "the job is the shop's"
    assert tidy() == Tidied()


def test_what_was_never_counted_gets_its_days_from_now_on(engine, tidy, upload, is_there):
    old = upload("from before", "local", wanted_at=None)
    assert tidy() == Tidied()
    assert is_there(old, "local")
    with engine.connect() as connection:
        assert connection.scalar(sa.select(BLOBS.c.size_bytes).where(BLOBS.c.sha256 == old)) == len("from before")


def test_a_bundle_that_wants_a_file_keeps_it(engine, tidy, upload, is_there, manifest):
    sha256 = upload("wanted again")
    Claims(engine).renew("shop", manifest("cup", sha256).files())
    assert tidy() == Tidied()
    assert is_there(sha256)


def test_a_job_is_deleted_with_what_it_left(engine, eraser, folder, storage, completed):
    one, other = completed("cup"), completed("pot")
    eraser.delete_job(SHOP, one)
    jobs = TenantJobs(engine, "shop")
    assert [job.job_id for job in jobs.newest()] == [other]
    left = [stored.key for stored in storage.below("spaces/shop/jobs/")]
    assert len(left) == 1
    assert other in left[0]
    assert not folder.job(one).exists()
    with pytest.raises(UnknownJob):
        eraser.delete_job(SHOP, one)
    with pytest.raises(UnknownJob):
        eraser.delete_job(Principal("local", "operator", frozenset()), other)


def test_a_job_whose_results_cannot_be_deleted_yet_stays_until_they_can(engine, eraser, folder, storage, completed):
    class Away(FolderStorage):
        def below(self, prefix):
            raise StorageUnreachable(f"{prefix}: no answer")

    job_id = completed("cup")
    away = Eraser(engine, Away(folder.root), folder)
    with pytest.raises(StorageUnreachable):
        away.delete_job(SHOP, job_id)
    away.close()
    assert TenantJobs(engine, "shop").find(job_id) is not None
    eraser.delete_job(SHOP, job_id)
    assert list(storage.below("spaces/shop/jobs/")) == []


def test_a_job_that_waits_is_not_deleted(engine, eraser, manifest):
    job = NewJob.of_bundle(manifest("cup"), "shop")
    with engine.begin() as connection:
        add_job(connection, job)
    with pytest.raises(JobLives, match="is queued; cancel it"):
        eraser.delete_job(SHOP, job.job_id)


def test_finished_jobs_go_after_their_tenants_days(engine, tidy, completed):
    with engine.begin() as connection:
        limit_tenant(connection, "shop", keep_days=30)
    old, young, local = completed("old"), completed("young"), completed("local", tenant_id="local")
    with engine.begin() as connection:
        connection.execute(sa.update(JOBS).where(JOBS.c.job_id.in_([old, local])).values(updated_at=LONG_AGO))
    assert tidy() == Tidied(jobs=1)
    assert [job.job_id for job in TenantJobs(engine, "shop").newest()] == [young]
    assert [job.job_id for job in TenantJobs(engine, "local").newest()] == [local]


def test_a_tenant_goes_with_everything_but_its_trail(engine, eraser, folder, upload, completed, storage):
    upload("theirs")
    local = upload("ours", "local")
    completed("cup")
    (folder.parts / "shop.abc.part").touch()
    with pytest.raises(PeopleProblem, match="close it first"):
        eraser.delete_tenant(SHOP)
    with engine.begin() as connection:
        close_tenant(connection, "shop")
    eraser.delete_tenant(SHOP)
    assert list(storage.below("spaces/shop/")) == []
    assert list(folder.parts.iterdir()) == []
    assert storage.stat(Keys().blob(local)) is not None
    with engine.connect() as connection:
        for table in ("jobs", "api_keys", "users"):
            assert connection.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE tenant_id = 'shop'")) == 0
        deeds = connection.scalars(sa.text("SELECT action FROM audit WHERE tenant_id = 'shop'")).all()
    assert deeds == ["job.delete", "tenant.delete"]


def test_parts_that_never_became_whole_go_too(tidy, folder):
    old, young = folder.parts / "old.part", folder.parts / "young.part"
    for part in (old, young):
        part.touch()
    os.utime(old, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    assert tidy() == Tidied(parts=1)
    assert young.exists()
