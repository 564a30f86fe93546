"""What a tenant may take is never exceeded, not by several at once; each refusal says what, how much and when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder
from offload.depot.instant import now
from offload.depot.new_job import NewJob, add_job
from offload.depot.tables import AUDIT, BLOBS
from offload.people.audit import note
from offload.people.principal import Principal, Scope
from offload.people.quotas import SUBMITTED, Claims, Pace, QuotaExceeded, check_jobs
from offload.people.tenants import limit_tenant, make_tenant

SHOP = Principal("shop", "key:x", frozenset({Scope.JOBS_WRITE}))


@pytest.fixture
def engine(database_url, tmp_path):
    made = prepare_database(DataFolder(tmp_path / "data"), database_url)
    with made.begin() as connection:
        make_tenant(connection, "shop", "A shop")
    yield made
    made.dispose()


@pytest.fixture
def limit(engine):
    def to(**limits):
        with engine.begin() as connection:
            limit_tenant(connection, "shop", **limits)

    return to


@pytest.fixture
def submit(engine):
    def one(number, whose=SHOP):
        with engine.begin() as connection:
            job_id = f"{number:032x}"
            assert add_job(connection, NewJob(job_id=job_id, scan_id=job_id, tenant_id=whose.tenant_id))
            note(connection, whose, SUBMITTED, job_id)
            check_jobs(connection, whose)

    return one


def test_jobs_a_day_come_back_as_the_day_goes_on(engine, limit, submit):
    limit(most_jobs_a_day=2)
    earlier = now() - timedelta(hours=23)
    with engine.begin() as connection:
        row = {"at": earlier, "tenant_id": "shop", "actor": "key:x", "action": SUBMITTED, "detail": {}}
        connection.execute(sa.insert(AUDIT).values(row))
        connection.execute(sa.insert(AUDIT).values(row | {"at": now() - timedelta(hours=25)}))
    submit(1)
    with pytest.raises(QuotaExceeded) as refusal:
        submit(2)
    assert (refusal.value.observed, refusal.value.allowed) == (2, 2)
    assert 0 < refusal.value.retry_after_s <= 3600
    assert "jobs of shop within 24 h: 2, allowed are 2; try again in" in str(refusal.value)
    submit(3, Principal("local", "operator", frozenset()))


def test_jobs_that_wait_are_counted_and_a_refused_one_is_not_there(engine, limit, submit):
    limit(most_jobs_waiting=3)

    def attempt(number):
        try:
            submit(number)
        except QuotaExceeded:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(12))) == 3
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM jobs")) == 3
        assert connection.scalar(sa.text("SELECT count(*) FROM audit WHERE action = 'job.submit'")) == 3


def test_bytes_are_counted_once_a_file_from_the_announcement_on(engine, limit):
    limit(most_bytes=1000)
    claims = Claims(engine)
    claims.claim("shop", "a" * 64, 600)
    claims.claim("shop", "a" * 64, 600)
    with pytest.raises(QuotaExceeded, match="bytes of shop with this file: 1200, allowed are 1000"):
        claims.claim("shop", "b" * 64, 600)
    claims.claim("shop", "b" * 64, 400)
    with pytest.raises(QuotaExceeded):
        claims.claim("shop", "b" * 64, 401)
    claims.claim("local", "b" * 64, 10**12)
    with engine.connect() as connection:
        assert (
            connection.scalar(sa.select(sa.func.sum(BLOBS.c.size_bytes)).where(BLOBS.c.tenant_id == "shop")) == 1000
        )


def test_requests_are_slowed_down_for_each_tenant_apart():
    pace = Pace()
    for _request in range(5):
        pace.take("shop", 5)
    with pytest.raises(QuotaExceeded) as refusal:
        pace.take("shop", 5)
    assert 1 <= refusal.value.retry_after_s <= 60
    pace.take("other", 5)
