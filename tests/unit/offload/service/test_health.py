"""Who is asked how it is: alive while others are away, ready only with all of them."""

import httpx
import pytest
from fastapi import FastAPI
from seaweed_server import free_ports

from offload.depot.database import open_database
from offload.depot.folder import DataFolder
from offload.depot.storage_setting import read_storage
from offload.service.health import add_health_routes


@pytest.fixture
def ask(tmp_path):
    folder = DataFolder(tmp_path / "data")
    folder.create()

    async def one(database_url=None, **settings):
        engine = open_database(folder, database_url)
        app = FastAPI()
        add_health_routes(app, engine, read_storage(settings, folder))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            for path in ("/health", "/healthz"):
                assert (await client.get(path)).json() == {"status": "ok"}
            answer = await client.get("/readyz")
        engine.dispose()
        return answer.status_code, answer.json()

    return one


async def test_ready_with_both(ask, database_url):
    assert await ask(database_url) == (200, {"ready": True, "waiting_for": []})


async def test_a_database_that_is_away_is_waited_for(ask, caplog):
    (port,) = free_ports(1)
    answer = await ask(f"postgresql+psycopg://nobody:secret@127.0.0.1:{port}/x")
    assert answer == (503, {"ready": False, "waiting_for": ["database"]})
    assert "not ready: the database does not answer" in caplog.text
    assert "secret" not in caplog.text


async def test_a_storage_that_is_away_is_waited_for(ask):
    (port,) = free_ports(1)
    key = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    answer = await ask(OFFLOAD_STORAGE_URL=f"s3://scans?endpoint=http://127.0.0.1:{port}", **key)
    assert answer == (503, {"ready": False, "waiting_for": ["storage"]})
