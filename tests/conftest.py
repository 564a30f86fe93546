"""What holds for every test: nothing may be left over, and shared data is found or its absence is said loudly."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import postgresql
import psutil
import pytest
import real_hardware
from hypothesis import settings

# Hypothesis times its examples by default; a busy machine is no fault of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

LEFTOVER_GRACE_S = 30.0
REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--hardware`: the driver suite on real devices."""
    real_hardware.add_options(parser)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip on real devices what only the bench can judge."""
    real_hardware.choose(config, items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say what is missing before anything moves."""
    real_hardware.explain(session)


def _children() -> set[int]:
    """All but those of PostgreSQL, whose one server is kept for many tests and ends with the last of them."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE and child.name() != "postgres":
                found.add(child.pid)
    return found


def _threads() -> set[threading.Thread]:
    """All but lgpio's own, which begins with its import and stays for as long as the process."""
    return {thread for thread in threading.enumerate() if thread.is_alive() and type(thread).__module__ != "lgpio"}


@pytest.fixture(autouse=True)
def nothing_left_over() -> Iterator[None]:
    """Fail a test that leaves a thread or a process behind; both get a moment to end."""
    threads, children = _threads(), _children()
    yield
    deadline = time.monotonic() + LEFTOVER_GRACE_S
    while (_threads() - threads or _children() - children) and time.monotonic() < deadline:
        time.sleep(0.02)
    left_threads = sorted(thread.name for thread in _threads() - threads)
    left_children = sorted(_children() - children)
    assert not left_threads, f"threads left over: {left_threads}"
    assert not left_children, f"processes left over: {left_children}"


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with the meshes and photos that are not part of the project (docs/test-data.md)."""
    folder = Path(os.environ.get("SCANNERD_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"NO TEST DATA: {folder} is not there; set SCANNERD_TEST_DATA (docs/test-data.md says to what)")
    return folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A real PostgreSQL; take a database of your own from it."""
    with postgresql.serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Both databases a service can have: None is SQLite in its data folder, else an empty PostgreSQL."""
    if request.param == "sqlite":
        return None
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    return server.make_database()
