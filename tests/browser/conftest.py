"""The page, built as `scripts/page` builds it, a scanner to serve it, and a browser to look at it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tablet
from playwright.sync_api import sync_playwright

REPOSITORY = Path(__file__).resolve().parents[2]
WEB = REPOSITORY / "scannerd" / "control" / "web"
BUILD_LIMIT_S = 600


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
