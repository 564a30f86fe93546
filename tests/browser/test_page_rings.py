"""Rings, sides and what the photos do not show, by touch: people are told what to do, and what it brings."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from running_bench import RunningBench
from tablet import PHONE, Hands, Tablet

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHOTOS_LIMIT_MS = 400_000
"""For some photos on a machine that does other things, too."""


def asked(tablet: Tablet, words: str | re.Pattern[str]) -> Locator:
    """Wait for a question and return it."""
    question = tablet.page.get_by_role("alert").filter(has_text=words)
    expect(question).to_be_visible(timeout=PHOTOS_LIMIT_MS)
    return question


def go_on(question: Locator) -> None:
    question.get_by_role("button", name=re.compile("go on")).tap()
    expect(question).to_have_count(0)


def test_rings_and_sides_are_chosen_and_a_person_is_led_through_them(
    built_page: Path, hands: Hands, tmp_path: Path
) -> None:
    with RunningBench(tmp_path, "--no-background", views=3, ask_a_person=True, scan="propose = false") as bench:
        tablet = hands.tablet(bench.url)
        tablet.open(f"#pair={bench.pairing_code()}")
        tablet.page.get_by_role("group", name=re.compile("^Rings")).get_by_role("radio", name="2").tap()
        tablet.page.locator("summary", has_text="More").tap()
        for ring, height in (("Ring 1", "20"), ("Ring 2", "50")):
            tablet.page.get_by_label(ring).fill(height)
            tablet.page.get_by_label(ring).press("Enter")
        tablet.page.get_by_role("group", name=re.compile("^Sides")).get_by_role("radio", name="2").tap()
        tablet.sees(re.compile("12 photos"))
        tablet.check("rings_chosen")
        tablet.tap("Start scan")
        question = asked(tablet, "move the camera to about 50° above the platter")
        tablet.check("raise_the_camera")
        bench.hand("raise_camera", elevation_deg=50)
        go_on(question)
        question = asked(tablet, "side 2 of 2: turn the object over")
        tablet.check("turn_over")
        bench.hand("turn_over")
        bench.hand("raise_camera", elevation_deg=20)
        go_on(question)
        question = asked(tablet, "move the camera to about 50° above the platter")
        bench.hand("raise_camera", elevation_deg=50)
        go_on(question)
        tablet.sees("All photos taken", limit_ms=PHOTOS_LIMIT_MS)
        scan_id = bench.state()["last_scan"]["scan_id"]
        views = bench.ask("GET", f"scans/{scan_id}")["viewpoints"]
        places = [(side, ring, height) for side in (0, 1) for ring, height in ((0, 20), (1, 50)) for _ in range(3)]
        assert [(view["side"], view["ring"], view["elevation_deg"]) for view in views] == places


def test_what_the_photos_do_not_show_is_proposed_and_may_be_refused(
    built_page: Path, hands: Hands, tmp_path: Path
) -> None:
    with RunningBench(tmp_path, "--no-background", views=6, size_px=(640, 480), ask_a_person=True) as bench:
        tablet = hands.tablet(bench.url)
        tablet.open(f"#pair={bench.pairing_code()}")
        refuse_the_proposal(tablet, bench)
        look_back(tablet, bench, tmp_path)
        accept_the_proposal(tablet, bench, hands)


def refuse_the_proposal(tablet: Tablet, bench: RunningBench) -> None:
    tablet.tap("Start scan")
    expect(tablet.page.locator(".spot.accept").nth(1)).to_be_visible(timeout=PHOTOS_LIMIT_MS)
    bench.hand("lose_steps", steps=81)  # 3° of the table.
    question = asked(tablet, re.compile("Another height shows more|The underside is missing"))
    remark = tablet.page.locator(".remarks li", has_text="corrected")
    expect(remark.first).to_be_visible()
    coverage = tablet.page.locator(".coverage")
    expect(coverage.get_by_role("img", name=re.compile("The object from above"))).to_be_visible()
    shown = bench.state()["scan"]["coverage"]
    expect(coverage).to_contain_text(f"{round(shown['covered_percent'])} %")
    expect(question).to_contain_text(f"{round(shown['proposal']['gain_percent'])} %")
    tablet.check("proposal")
    question.get_by_role("button", name="Finish as it is").tap()
    tablet.sees("All photos taken", limit_ms=PHOTOS_LIMIT_MS)
    assert bench.state()["last_scan"]["frames_done"] == 6


def look_back(tablet: Tablet, bench: RunningBench, folder: Path) -> None:
    """Where the time went, and the scan as other programs read it."""
    scan_id = bench.state()["last_scan"]["scan_id"]
    tablet.go(f"#/scans/{scan_id}")
    chart = tablet.page.get_by_role("img", name=re.compile("^Chart: what table, camera, judging and disk did"))
    tablet.page.locator("summary", has_text="Where the time went").tap()
    chart.scroll_into_view_if_needed()
    expect(chart).to_be_visible()
    assert chart.evaluate("async (picture) => { await picture.decode(); return picture.naturalWidth }") > 0
    tablet.check("timing")
    for program in ("Meshroom", "COLMAP", "nerfstudio", "RealityCapture"):
        with tablet.page.expect_download() as waiting:
            tablet.page.get_by_role("link", name=f"Download for {program}").tap()
        waiting.value.save_as(folder / f"{program}.zip")
        assert (folder / f"{program}.zip").read_bytes()[:2] == b"PK"
    tablet.page.get_by_role("link", name="Download for COLMAP").scroll_into_view_if_needed()
    tablet.shoot("exports")


def accept_the_proposal(tablet: Tablet, bench: RunningBench, hands: Hands) -> None:
    tablet.go("#/scan")
    tablet.tap("Start scan")
    question = asked(tablet, re.compile("Another height shows more|The underside is missing"))
    proposed = bench.state()["scan"]["coverage"]["proposal"]
    phone = hands.tablet(bench.url, PHONE, locale="de-DE", color_scheme="dark")
    phone.open(f"#pair={bench.pairing_code()}")
    expect(phone.page.get_by_role("alert").locator("h2")).to_be_visible()
    phone.check("proposal_german_dark")
    question.get_by_role("button", name=f"Add {proposed['photos']} photos").tap()
    bench.wait_for("it is longer", lambda: bench.state()["scan"]["frames_planned"] == 6 + proposed["photos"])
    expect(tablet.page.locator(".count")).to_contain_text(f"/ {6 + proposed['photos']}")
    asked(tablet, re.compile("move the camera|turn the object over"))
    tablet.check("proposal_accepted")
    tablet.page.get_by_role("alert").get_by_role("button", name=re.compile("[Cc]ancel")).tap()
    tablet.sees(re.compile("was cancelled"))
