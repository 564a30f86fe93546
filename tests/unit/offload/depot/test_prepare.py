"""`offload prepare`: ready, or why not."""

import httpx
import pytest
import sqlalchemy as sa
from seaweed_server import SeaweedServer, free_ports
from typer.testing import CliRunner

from offload.depot.folder import DataFolder
from offload.depot.prepare import app
from offload.depot.storage_setting import read_storage

SETTINGS = ("OFFLOAD_DATABASE_URL", "OFFLOAD_STORAGE_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)

    def one(status=0, **settings):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        done = CliRunner().invoke(app, ["--data", str(tmp_path / "data")])
        assert done.exit_code == status, done.output
        return done.output

    return one


def test_a_database_gets_its_tables_and_a_folder_is_left_as_it_was(prepare, database_url, tmp_path):
    assert "can be written to" in prepare(**({"OFFLOAD_DATABASE_URL": database_url} if database_url else {}))
    engine = sa.create_engine(database_url or f"sqlite:///{tmp_path}/data/offload.sqlite")
    assert "jobs" in sa.inspect(engine).get_table_names()
    engine.dispose()
    assert not (tmp_path / "data" / "check").exists()


def test_what_is_away_is_named(prepare):
    (port,) = free_ports(1)
    told = prepare(status=1, OFFLOAD_DATABASE_URL=f"postgresql+psycopg://nobody@127.0.0.1:{port}/x")
    assert "start it, or correct OFFLOAD_DATABASE_URL" in told


def test_a_bucket_that_is_not_there_is_made_by_a_server_that_does_so(prepare, tmp_path):
    server = SeaweedServer(tmp_path / "seaweed").up()
    try:
        settings = server.environment("shop")
        settings["OFFLOAD_STORAGE_URL"] = settings["OFFLOAD_STORAGE_URL"].replace("//scans/", "//others/")
        prepare(**settings)
        storage = read_storage(settings, DataFolder(tmp_path))
        storage.check()
        assert list(storage.below("check/")) == []
        assert httpx.get(f"{server.endpoint}/others").status_code == 403
        settings["AWS_SECRET_ACCESS_KEY"] = "wrong"
        assert "refuses our key" in prepare(status=1, **settings)
    finally:
        server.kill()
