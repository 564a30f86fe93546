"""Two cameras over one table, by touch: what each sees before a scan and in one, and whose photo a photo is."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect
from running_bench import RunningBench
from tablet import PATIENCE_MS, PHONE, Hands, Tablet

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VIEWS = 6
SIDE = """
[[cameras]]
name = "side"
width_px = 320
height_px = 320
elevation_deg = 55.0
"""
"""Its photos are square, the first one's are not: so a picture tells whose it is."""
SIZE = "seen => seen.complete && seen.naturalWidth > 0 ? [seen.naturalWidth, seen.naturalHeight] : null"


@pytest.fixture(scope="module")
def bench(built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBench]:
    folder = tmp_path_factory.mktemp("bench")
    scan = "propose = false"
    with RunningBench(
        folder, "--no-background", views=VIEWS, scan=scan, max_cut_off_fraction=1.0, more=SIDE
    ) as bench:
        yield bench


def paired(hands: Hands, bench: RunningBench, tablet: Tablet) -> Tablet:
    tablet.open(f"#pair={bench.pairing_code()}")
    expect(tablet.page.locator(".mood")).not_to_be_empty()
    return tablet


def shows(picture: Locator, is_square: bool) -> None:
    """Wait until the picture is one of the camera whose photos are square, or of the other one."""
    expect(picture).to_be_visible()
    deadline_s = time.monotonic() + PATIENCE_MS / 1000
    while (size := picture.evaluate(SIZE)) is None or (size[0] == size[1]) != is_square:
        assert time.monotonic() < deadline_s, f"{picture}: {size} px, expected {'the' if is_square else 'no'} square"
        picture.page.wait_for_timeout(100)


def shown_camera(tablet: Tablet) -> Locator:
    """Return the button of the camera that is shown large."""
    return tablet.page.locator(".cameras button[aria-pressed='true']")


def test_each_camera_is_seen_before_a_scan_and_while_it_runs(hands: Hands, bench: RunningBench) -> None:
    tablet = paired(hands, bench, hands.tablet(bench.url))
    phone = paired(hands, bench, hands.tablet(bench.url, PHONE, locale="de-DE", color_scheme="dark"))
    live = tablet.page.get_by_role("img", name="What the camera sees")
    expect(shown_camera(tablet)).to_have_text("First")
    shows(live, is_square=False)
    tablet.tap("side")
    expect(shown_camera(tablet)).to_have_text("side")
    shows(live, is_square=True)
    tablet.check("two_cameras_live")
    phone.tap("side")
    shows(phone.page.get_by_role("img", name="Was die Kamera sieht"), is_square=True)
    phone.check("two_cameras_live")

    tablet.tap("Start scan")
    tablet.mood("Scanning")
    newest = tablet.page.locator(".cameras img")
    expect(newest).to_have_count(2)
    tablet.tap("Pause")
    tablet.mood("Paused")
    shows(live, is_square=True)
    expect(tablet.page.get_by_text("Pause: accepted")).to_have_count(0)
    tablet.check("two_cameras_scanning")
    shows(phone.page.get_by_role("img", name="Was die Kamera sieht"), is_square=True)
    phone.page.locator(".cameras").scroll_into_view_if_needed()
    phone.check("two_cameras_scanning")
    tablet.tap("First")
    shows(live, is_square=False)
    for number, is_square in enumerate((False, True)):
        shows(newest.nth(number), is_square)
    a_photo_says_whose_it_is(tablet)
    tablet.tap("Go on")
    bench.wait_for("all photos are there", lambda: bench.state()["scan"] is None)
    taken(bench)
    look_back(tablet, phone, bench)
    the_settings_name_it(tablet)
    the_settings_name_it(phone)


def a_photo_says_whose_it_is(tablet: Tablet) -> None:
    """Photos 1 and 2 are of one stop, one of each camera; the second is taken again."""
    tablet.page.get_by_role("button", name=re.compile("^Photo 2, 0°, camera side")).tap()
    dialog = tablet.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Photo 2 at 0°, camera side")
    shows(dialog.get_by_role("img", name="Photo 2 of the scan"), is_square=True)
    tablet.check("photo_of_the_second_camera")
    dialog.get_by_role("button", name="Previous photo").tap()
    expect(dialog).to_contain_text("Photo 1 at 0°, camera First")
    dialog.get_by_role("button", name="Next photo").tap()
    dialog.get_by_role("button", name="Take again").tap()
    tablet.sees("Photo 2 will be taken again")


def taken(bench: RunningBench) -> None:
    """Photo 2 was taken again, by the camera that took it, and by no other."""
    scan_id = bench.state()["last_scan"]["scan_id"]
    detail = bench.ask("GET", f"scans/{scan_id}")
    assert detail["cameras"] == ["first", "side"]
    views = detail["viewpoints"]
    assert [view["camera"] for view in views] == [0, 1] * VIEWS
    folder = bench.folder / "store" / "scans" / scan_id
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    indices = [line["frame"]["index"] for line in lines if line["type"] == "frame"]
    assert sorted(indices) == sorted([*range(2 * VIEWS), 1])
    frames = sorted((folder / "frames").glob("*.jpg"))
    sizes = []
    for frame in frames:
        with Image.open(frame) as photo:
            sizes.append(photo.size)
    assert sizes == [(320, 240), (320, 320)] * VIEWS


def look_back(tablet: Tablet, phone: Tablet, bench: RunningBench) -> None:
    scan_id = bench.state()["last_scan"]["scan_id"]
    for device, word in ((tablet, "First"), (phone, "Erste")):
        device.go(f"#/scans/{scan_id}")
        photos = device.page.locator(".strip-photo")
        expect(photos).to_have_count(2 * VIEWS)
        expect(photos.nth(0)).to_have_text(f"0° {word}")
        expect(photos.nth(1)).to_have_text("0° side")
        photos.nth(1).scroll_into_view_if_needed()
        device.check("two_cameras_photos")


def the_settings_name_it(device: Tablet) -> None:
    device.go("#/device")
    part = device.page.locator(".settings details").filter(has_text="[[cameras]]")
    part.locator("summary").tap()
    expect(part).to_contain_text("config.toml")
    expect(part.locator("dt")).to_have_text("side")
    expect(part.locator("dd")).to_have_text(re.compile("^picamera2 · 320×320 px · .*: 55°$"))
    part.scroll_into_view_if_needed()
    device.check("two_cameras_settings")
