"""The page, built as `scripts/page` builds it, a scanner to serve it, and a browser to look at it."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

REPOSITORY = Path(__file__).resolve().parents[2]
WEB = REPOSITORY / "scannerd" / "control" / "web"
BUILD_LIMIT_S = 600


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


running_bench = _load("running_bench")
tablet = _load("tablet")


@pytest.fixture(scope="session")
def page_sources() -> Path:
    """The folder with the page's sources, its packages installed."""
    done = subprocess.run([REPOSITORY / "scripts" / "page"], capture_output=True, text=True, timeout=BUILD_LIMIT_S)
    assert done.returncode == 0, f"scripts/page ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return WEB / "page"


@pytest.fixture(scope="session")
def built_page(page_sources: Path) -> Path:
    """The folder that the daemon serves."""
    return page_sources.parent / "built"


@pytest.fixture
def hands() -> Iterator[Any]:
    """A browser of this test's own: nothing of it is left afterwards."""
    if not Path(tablet.CHROMIUM).exists():
        pytest.fail(f"NO BROWSER: {tablet.CHROMIUM} is not there; scripts/test-programs installs it")
    with sync_playwright() as playwright, tablet.hands(playwright) as mine:
        yield mine
