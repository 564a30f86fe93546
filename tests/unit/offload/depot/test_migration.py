"""What the steps leave is what the code expects, whoever comes at the same time and whatever fails on the way."""

import multiprocessing

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from offload.depot.database import DatabaseUnusable, open_database, prepare_database, read_database_url
from offload.depot.folder import DataFolder
from offload.depot.instant import now
from offload.depot.migration import MIGRATIONS, migrate, upgrade
from offload.depot.tables import AUDIT, METADATA


def ours(thing, _name, kind, _reflected, _compared):
    table = thing if kind == "table" else thing.table
    return table.name in METADATA.tables


def test_the_steps_lead_to_the_tables_that_the_code_knows(engine):
    with engine.connect() as connection:
        seen = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(seen, METADATA) == []
    assert len(ScriptDirectory(str(MIGRATIONS)).get_heads()) == 1


def test_several_may_prepare_it_at_once(database_url, tmp_path):
    forked = multiprocessing.get_context("fork")
    arguments = (DataFolder(tmp_path / "data"), database_url)
    processes = [forked.Process(target=prepare_database, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4


def test_a_step_that_fails_leaves_the_database_as_it_was(database_url, tmp_path):
    folder = DataFolder(tmp_path / "data")
    folder.create()
    engine = open_database(folder, database_url)
    with engine.begin() as connection:
        upgrade(connection, "0001")
        connection.execute(sa.text("CREATE TABLE users (taken INTEGER)"))
    with pytest.raises(sa.exc.DBAPIError, match="users"):
        migrate(engine, tmp_path / "lock")
    tables = sa.inspect(engine).get_table_names()
    assert sorted(tables) == ["alembic_version", "jobs", "users"]
    assert "tenant_id" not in {column["name"] for column in sa.inspect(engine).get_columns("jobs")}
    engine.dispose()


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
def test_the_audit_trail_cannot_be_rewritten(engine, change):
    row = {"at": now(), "actor": "operator", "action": "looked", "detail": {}}
    with engine.begin() as connection:
        connection.execute(sa.insert(AUDIT).values(row))
    with pytest.raises(sa.exc.DBAPIError, match="append only"), engine.begin() as connection:
        connection.execute(sa.text(change))


def test_an_address_that_is_none_is_named_without_its_password():
    assert read_database_url({}) is None
    url = "postgresql://me:secret@there:5432/offload"
    assert read_database_url({"OFFLOAD_DATABASE_URL": url}) == url.replace("sql:", "sql+psycopg:")
    for wrong in ("mysql://me:secret@there/offload", "postgresql://me:secret@there", "nonsense"):
        with pytest.raises(DatabaseUnusable, match=r"expected postgresql\+psycopg://") as refusal:
            read_database_url({"OFFLOAD_DATABASE_URL": wrong})
        assert "secret" not in str(refusal.value)


def test_the_address_may_lie_in_a_private_file(tmp_path):
    file = tmp_path / "url"
    file.write_text("postgresql://me:secret@there/offload\n")
    file.chmod(0o644)
    with pytest.raises(DatabaseUnusable, match="chmod 600"):
        read_database_url({"OFFLOAD_DATABASE_URL_FILE": str(file)})
    file.chmod(0o600)
    assert read_database_url({"OFFLOAD_DATABASE_URL_FILE": str(file)}).endswith("me:secret@there/offload")


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path):
    url = "postgresql+psycopg://me:secret@127.0.0.1:1/offload"
    with pytest.raises(DatabaseUnusable, match=r"cannot be used: .*refused") as refusal:
        prepare_database(DataFolder(tmp_path / "data"), url)
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)
