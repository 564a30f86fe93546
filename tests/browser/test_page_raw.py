"""Raw files by touch: chosen for one scan where the camera delivers them, and taken along in its exports."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from running_bench import RunningBench
from tablet import PHONE, Hands, Tablet

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHOTOS_LIMIT_MS = 400_000
USB_CAMERA = '[camera]\ndriver = "v4l2"\n'


@pytest.fixture
def bench(built_page: Path, tmp_path: Path) -> Iterator[RunningBench]:
    with RunningBench(tmp_path, "--no-background", views=3, scan="propose = false") as running:
        yield running


def test_they_are_chosen_for_one_scan_and_come_along_for_who_asks(
    hands: Hands, bench: RunningBench, tmp_path: Path
) -> None:
    tablet = hands.tablet(bench.url)
    tablet.open(f"#pair={bench.pairing_code()}")
    tablet.page.locator("summary", has_text="More").tap()
    raw = tablet.page.get_by_role("group", name=re.compile("^Raw files"))
    expect(raw.get_by_role("radio", name="None")).to_be_checked()
    raw.get_by_role("radio", name="On the device").tap()
    tablet.check("raw_chosen")
    tablet.tap("Start scan")
    tablet.sees("All photos taken", limit_ms=PHOTOS_LIMIT_MS)
    scan_id = bench.state()["last_scan"]["scan_id"]
    assert bench.ask("GET", f"scans/{scan_id}")["raw_files"] == 3
    tablet.go(f"#/scans/{scan_id}")
    assert raw_names(tablet, tmp_path / "without.zip") == []
    tablet.page.get_by_role("switch", name="Raw files too (3)").tap()
    tablet.check("raw_along")
    assert raw_names(tablet, tmp_path / "with.zip") == ["0000.dng", "0001.dng", "0002.dng"]
    german = hands.tablet(bench.url, PHONE, locale="de-DE")
    german.open(f"#pair={bench.pairing_code()}")
    german.page.locator(".more-options summary").tap()
    expect(german.page.get_by_role("group", name=re.compile("^Rohdateien"))).to_contain_text("Auf dem Gerät")
    german.go(f"#/scans/{scan_id}")
    expect(german.page.get_by_role("switch", name="Auch die Rohdateien (3)")).to_be_visible()
    assert tablet.complaints == german.complaints == []


def raw_names(tablet: Tablet, path: Path) -> list[str]:
    with tablet.page.expect_download() as waiting:
        tablet.page.get_by_role("link", name="Download for COLMAP").tap()
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        return sorted(Path(name).name for name in archive.namelist() if "/raw/" in name)


def test_a_camera_without_offers_none(built_page: Path, hands: Hands, tmp_path: Path) -> None:
    with RunningBench(tmp_path, "--no-background", views=3, more=USB_CAMERA) as bench:
        assert not bench.state()["has_raw"]
        tablet = hands.tablet(bench.url)
        tablet.open(f"#pair={bench.pairing_code()}")
        tablet.page.locator("summary", has_text="More").tap()
        expect(tablet.page.get_by_role("group", name=re.compile("^Repeats"))).to_be_visible()
        expect(tablet.page.get_by_role("group", name=re.compile("^Raw files"))).to_have_count(0)
