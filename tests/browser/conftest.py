"""The page, built as `scripts/page` builds it."""

import subprocess
from pathlib import Path

import pytest

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
