"""The commands of an operator, as they are typed."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from offload.depot.claims import JobClaims
from offload.depot.instant import now
from offload.depot.needs import Abilities
from offload.depot.new_job import NewJob, add_job
from offload.depot.roster import Roster
from offload.depot.tables import WORKERS
from offload.depot.tenant_jobs import TenantJobs
from offload.people.key_commands import audit_app, key_app
from offload.people.keys import principal_of
from offload.people.tenant_commands import project_app, tenant_app, user_app
from offload.people.worker_commands import takeover_app
from offload.wire.jobs import JobState


@pytest.fixture
def run(engine, tmp_path, monkeypatch):
    """Within the database of the fixture `engine`; `run(app, "list", "shop")`."""
    monkeypatch.delenv("OFFLOAD_DATABASE_URL", raising=False)

    def one(app, *arguments, status=0):
        done = CliRunner().invoke(app, [*arguments, "--data", str(tmp_path / "data")])
        assert done.exit_code == status, done.output
        return done.output.strip()

    return one


def test_a_key_is_printed_once_and_listed_without_it(engine, run):
    run(user_app, "add", "shop", "ann@shop.example", "--scope", "jobs:read")
    run(project_app, "create", "shop", "shoes")
    options = ["--name", "till", "--scope", "jobs:read", "--scope", "jobs:write"]
    key = run(key_app, "create", "shop", *options, "--user", "ann@shop.example", "--project", "shoes")
    who = principal_of(engine, key)
    assert (who.tenant_id, who.user_id is None, who.project_id is None) == ("shop", False, False)
    listed = run(key_app, "list", "shop").split("\t")
    assert listed[:3] == [key.split("_")[1], "till", "jobs:read,jobs:write"]
    assert key not in "\t".join(listed)
    run(key_app, "revoke", listed[0])
    assert run(key_app, "list", "shop").split("\t")[-1] != "-"


def test_everything_is_in_the_audit_trail(run):
    run(tenant_app, "create", "other", "--name", "Another")
    run(tenant_app, "limit", "other", "--most-jobs-a-day", "5", "--keep-days", "30")
    run(tenant_app, "close", "other")
    run(tenant_app, "reopen", "other")
    lines = [line.split("\t") for line in run(audit_app, "--tenant", "other").splitlines()]
    assert [line[4] for line in lines] == ["tenant.reopen", "tenant.close", "tenant.limit", "tenant.create"]
    assert lines[2][6] == '{"most_jobs_a_day": 5, "keep_days": 30}'
    assert all(line[2].startswith("cli:") for line in lines)
    assert "most_jobs_a_day=5 keep_days=30" in run(tenant_app, "list")
    run(tenant_app, "limit", "other", "--keep-days", "0")
    assert "keep_days" not in run(tenant_app, "list")


@pytest.mark.parametrize(
    ("app", "arguments", "words"),
    [
        (tenant_app, ["create", "shop"], "there is a tenant shop already"),
        (tenant_app, ["close", "local"], "stays open"),
        (user_app, ["add", "nobody", "a@b.example", "--scope", "admin"], "there is no tenant nobody"),
        (key_app, ["create", "shop", "--name", "x", "--scope", "admin", "--user", "b@c.example"], "has no user"),
        (key_app, ["revoke", "abc"], "there is no key abc"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_and_changes_nothing(run, app, arguments, words):
    before = run(audit_app)
    said = run(app, *arguments, status=1)
    assert words in said
    assert "\n" not in said
    assert run(audit_app) == before


def test_a_lost_workers_jobs_wait_again(engine, run):
    with engine.begin() as connection:
        assert add_job(connection, NewJob(job_id="one", scan_id="one", tenant_id="shop"))
    assert "there is no worker gone; known are: none" in run(takeover_app, "gone", status=1)
    Roster(engine).enlist("gone", "there", Abilities())
    assert JobClaims(engine, "gone").take_next(Abilities()) is not None
    assert "gone on there lives" in run(takeover_app, "gone", status=1)
    assert run(takeover_app, "gone", "--force").split() == ["1", "jobs", "of", "gone", "wait", "again", "one"]
    job = TenantJobs(engine, "shop").get("one")
    assert job.state is JobState.QUEUED
    actions = [line.split("\t")[4] for line in run(audit_app).splitlines()]
    assert actions == ["job.takeover", "worker.takeover"]
    with engine.begin() as connection:
        connection.execute(sa.update(WORKERS).values(seen_at=now() - timedelta(minutes=2)))
    assert run(takeover_app, "gone").startswith("0 jobs")
