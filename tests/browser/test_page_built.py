"""What leaves the build: small, whole, and with nothing in it that asks the internet."""

import gzip
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIMIT_BYTES = 200_000
"""Of everything that comes before the 3D viewer, gzipped."""


def _loaded_at_once(built: Path) -> set[str]:
    """Every file that the page needs before anybody touches it."""
    manifest: dict[str, dict[str, Any]] = json.loads((built / "manifest.json").read_text())
    waiting = [name for name, piece in manifest.items() if piece.get("isEntry")]
    names = {"index.html", "icon.svg", "app.webmanifest"}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        piece = manifest[name]
        names |= {piece["file"], *piece.get("css", []), *piece.get("assets", [])}
        waiting += piece.get("imports", [])
    return names


def test_the_page_is_small_before_the_viewer(built_page: Path) -> None:
    sizes = {name: len(gzip.compress((built_page / name).read_bytes())) for name in _loaded_at_once(built_page)}
    print(f"gzipped before the viewer: {sum(sizes.values()) / 1000:.1f} kB: {sizes}")
    assert sum(sizes.values()) <= LIMIT_BYTES, sizes


def test_the_viewer_comes_late(built_page: Path) -> None:
    at_once = _loaded_at_once(built_page)
    late = [path for path in (built_page / "assets").glob("viewer-*.js") if f"assets/{path.name}" not in at_once]
    assert len(late) == 1
    assert all(b"WebGLRenderer" not in (built_page / name).read_bytes() for name in at_once)


def test_packed_copies_are_of_the_same_build(built_page: Path) -> None:
    packed = list(built_page.rglob("*.gz"))
    assert {path.suffixes[-2] for path in packed} >= {".js", ".css"}
    for path in packed:
        assert gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()


def test_the_page_itself_names_no_foreign_address(built_page: Path) -> None:
    allowed = {"http://www.w3.org"}
    for name in _loaded_at_once(built_page):
        found = set(re.findall(r"https?://[a-z0-9.-]+", (built_page / name).read_text(), re.IGNORECASE))
        assert found <= allowed, name


def test_the_lock_names_versions_and_hashes_but_no_registry(page_sources: Path) -> None:
    lock = json.loads((page_sources / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]


def test_the_parts_of_the_page_hold_their_own_tests(page_sources: Path) -> None:
    done = subprocess.run(["npm", "test"], cwd=page_sources, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_wheel_carries_the_page_and_not_its_sources(built_page: Path, tmp_path: Path) -> None:
    repository = built_page.parents[3]
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    web = [name for name in names if name.startswith("scannerd/control/web/")]
    built = {f"scannerd/control/web/built/{path.relative_to(built_page)}" for path in built_page.rglob("*.*")}
    assert {name for name in web if "/built/" in name} == {name for name in built if not name.endswith("assets")}
    assert not [name for name in web if "/page/" in name or "node_modules" in name]
