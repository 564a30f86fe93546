"""One scan by touch, from the pairing code to the model in the viewer and a length measured on it."""

import json
import re
import struct
from pathlib import Path

import pytest
from playwright.sync_api import expect
from running_bench import RunningBench
from tablet import PHONE, Hands, Tablet

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VIEWS = 12
MODEL_LIMIT_MS = 400_000
"""For upload and reconstruction on a busy machine."""
VIEWER_LIMIT_MS = 60_000


def test_a_whole_scan_by_touch_to_the_model_in_the_viewer(built_page: Path, hands: Hands, tmp_path: Path) -> None:
    with RunningBench(tmp_path, "--service", views=VIEWS, size_px=(640, 480)) as bench:
        tablet = hands.tablet(bench.url)
        tablet.open()
        tablet.sees("Pair this device")
        tablet.check("pairing")
        tablet.pair(bench.pairing_code())
        place_the_object(tablet)
        scan_id = scan(tablet, bench)
        wait_for_the_model(tablet, scan_id)
        measure(tablet, bench, scan_id)
        take_home(tablet, bench, scan_id, tmp_path)
        look_at_it_on_a_phone(hands, bench, scan_id)


def place_the_object(tablet: Tablet) -> None:
    live = tablet.page.get_by_role("img", name="What the camera sees")
    expect(live).to_be_visible(timeout=VIEWER_LIMIT_MS)
    expect(tablet.page.locator(".guide")).to_be_visible()
    plain = live.get_attribute("src")
    tablet.page.get_by_role("switch", name="Edges").tap()
    expect(live).not_to_have_attribute("src", plain or "", timeout=VIEWER_LIMIT_MS)
    tablet.page.get_by_role("switch", name="Framing guide").tap()
    expect(tablet.page.locator(".guide")).to_have_count(0)
    tablet.page.get_by_role("switch", name="Framing guide").tap()
    tablet.page.get_by_role("switch", name="Edges").tap()
    tablet.page.get_by_role("radio", name="Draft").tap()
    tablet.sees("It fits.")
    tablet.check("placing")


def scan(tablet: Tablet, bench: RunningBench) -> str:
    tablet.tap("Start scan")
    tablet.mood("Scanning")
    scan_id = str(bench.state()["scan"]["scan_id"])
    photos = tablet.page.locator(".spot.accept image")
    expect(photos.nth(1)).to_be_visible(timeout=60_000)
    tablet.check("scanning")
    tablet.page.locator("[data-index='0']").tap()
    dialog = tablet.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Photo 1 at 0°")
    expect(dialog.get_by_role("img", name="Photo 1 of the scan")).to_be_visible()
    tablet.check("photo_of_the_scan")
    dialog.get_by_role("button", name="Take again").tap()
    tablet.sees("Photo 1 will be taken again")
    tablet.sees("All photos taken", limit_ms=120_000)
    assert taken(bench, scan_id).count(0) == 2, "photo 1 was not taken again"
    assert set(taken(bench, scan_id)) == set(range(VIEWS))
    assert bench.state()["last_scan"]["outcome"] == "completed"
    tablet.check("scan_done")
    return scan_id


def taken(bench: RunningBench, scan_id: str) -> list[int]:
    """Return the viewpoints in the order in which their photos came to the disk, as the journal has them."""
    journal = bench.folder / "store" / "scans" / scan_id / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    return [line["frame"]["index"] for line in lines if line["type"] == "frame"]


def wait_for_the_model(tablet: Tablet, scan_id: str) -> None:
    tablet.page.get_by_role("link", name="Scans").tap()
    card = tablet.page.get_by_role("link", name=re.compile(scan_id))
    expect(card).to_contain_text(re.compile("Uploading|Waiting|Reconstructing"))
    expect(card).to_contain_text("Reconstructing", timeout=MODEL_LIMIT_MS)
    expect(card.get_by_role("progressbar")).to_be_visible()
    tablet.check("reconstructing")
    expect(card).to_contain_text("Model ready", timeout=MODEL_LIMIT_MS)
    tablet.check("scans")
    card.tap()


def measure(tablet: Tablet, bench: RunningBench, scan_id: str) -> None:
    report = bench.ask("GET", f"scans/{scan_id}/results/report.json")
    assert report["units"] == "mm"
    size = tablet.page.locator(".size b")
    expect(size).to_be_visible(timeout=VIEWER_LIMIT_MS)
    shown_mm = [float(number) for number in re.findall(r"[\d.]+", size.inner_text().replace(",", ""))]
    width_mm, depth_mm, height_mm = shown_mm
    box_mm = box_of_glb(bench.folder / "store" / "scans" / scan_id / "results" / "model.glb")
    assert (width_mm, height_mm, depth_mm) == pytest.approx(box_mm, abs=0.051)
    # The report's box stands in the mat's frame, which glTF's upright one may differ from by a hair.
    assert sorted(shown_mm) == pytest.approx(sorted(report["size"]), rel=0.005)
    tablet.check("model")
    tablet.tap("Measure")
    tablet.sees("Touch the first point on the model.")
    box = tablet.page.locator("model-viewer").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tablet.page.touchscreen.tap(box["x"] + 8, box["y"] + box["height"] - 8)
    tablet.sees("There is no surface at that place. Touch the model itself.")
    tablet.page.touchscreen.tap(middle[0], middle[1] - 40)
    tablet.sees("Touch the second point.")
    tablet.tap("Set a point at the cross")
    tablet.sees(re.compile(r"Distance \d"))
    told = tablet.page.locator(".measured").inner_text()
    length_mm = float(re.findall(r"[\d.]+", told)[0])
    assert 1 < length_mm < max(shown_mm), told
    expect(tablet.page.locator(".markers line")).to_have_count(1)
    tablet.check("measuring")
    tablet.tap("Clear")
    tablet.sees("Touch the first point on the model.")


def box_of_glb(path: Path) -> list[float]:
    """Return the extent of the model along glTF's x, y (up) and z, millimetres, as the file itself says."""
    data = path.read_bytes()
    document = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    positions = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    return [1000 * (high - low) for low, high in zip(positions["min"], positions["max"], strict=True)]


def take_home(tablet: Tablet, bench: RunningBench, scan_id: str, folder: Path) -> None:
    with tablet.page.expect_download() as waiting:
        tablet.page.get_by_role("link", name=re.compile("^Download Model with texture")).tap()
    waiting.value.save_as(folder / "home.glb")
    assert (folder / "home.glb").read_bytes()[:4] == b"glTF"
    promised = {file["name"]: file for file in bench.ask("GET", f"scans/{scan_id}/results")["files"]}
    assert (folder / "home.glb").stat().st_size == promised["model.glb"]["size_bytes"]
    with tablet.page.expect_download() as waiting:
        tablet.page.get_by_role("link", name=re.compile("^Download All photos")).tap()
    waiting.value.save_as(folder / "home.zip")
    assert (folder / "home.zip").read_bytes()[:2] == b"PK"
    plan = json.loads((folder / "store" / "scans" / scan_id / "plan.json").read_text())
    assert len(plan["viewpoints"]) == VIEWS


def look_at_it_on_a_phone(hands: Hands, bench: RunningBench, scan_id: str) -> None:
    phone = hands.tablet(bench.url, PHONE, locale="de-DE", color_scheme="dark")
    phone.open(f"#pair={bench.pairing_code()}")
    phone.sees("Scan starten")
    phone.go(f"#/scans/{scan_id}")
    expect(phone.page.locator(".size b")).to_contain_text(re.compile(r"\d,\d × .* mm"), timeout=VIEWER_LIMIT_MS)
    phone.check("model_german_dark")
