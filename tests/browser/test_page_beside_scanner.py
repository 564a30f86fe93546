"""The page beside a scanner that runs: pairing, two clients in step, settings, deletion, languages, looks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from running_bench import RunningBench
from tablet import PHONE, TABLET, Hands, Screen, Tablet

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VIEWS = 8


@pytest.fixture(scope="module")
def bench(built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBench]:
    """A scanner that lets everybody look."""
    folder = tmp_path_factory.mktemp("bench")
    with RunningBench(folder, "--no-background", views=VIEWS, read_without_token=True) as bench:
        yield bench


@pytest.fixture
def idle(bench: RunningBench) -> Iterator[RunningBench]:
    """The same, with nothing on its table before and after."""
    yield bench
    if scan := bench.state()["scan"]:
        bench.ask("POST", f"scans/{scan['scan_id']}/cancel", {})
    bench.wait_for("the table is free", lambda: bench.state()["scan"] is None)


def paired(hands: Hands, bench: RunningBench, screen: Screen = TABLET, **more: Any) -> Tablet:
    """Return a device that was paired by the address of a QR code."""
    tablet = hands.tablet(bench.url, screen, **more)
    tablet.open(f"#pair={bench.pairing_code()}")
    expect(tablet.page.locator(".mood")).not_to_be_empty()
    expect(tablet.page.locator(".banner")).to_have_count(0)
    assert "pair=" not in tablet.page.url
    return tablet


def scanned(bench: RunningBench, scan_id: str) -> str:
    """Return a scan that is complete."""
    bench.ask("POST", "scans", {"scan_id": scan_id, "views": 3})
    bench.wait_for("the scan is complete", lambda: bench.state()["scan"] is None)
    assert bench.ask("GET", f"scans/{scan_id}")["state"] == "sealed"
    return scan_id


def test_whoever_is_not_paired_may_look_and_then_pair(hands: Hands, idle: RunningBench) -> None:
    tablet = hands.tablet(idle.url)
    tablet.open()
    tablet.sees("You are looking on. Pair this device to control the scanner.")
    expect(tablet.button("Start scan")).to_be_disabled()
    tablet.check("looking_on")
    tablet.tap("Pair")
    dialog = tablet.page.get_by_role("dialog")
    dialog.get_by_label("Code", exact=True).fill("999999")
    dialog.get_by_role("button", name="Pair", exact=True).tap()
    expect(dialog.get_by_role("alert")).to_contain_text("code")
    dialog.get_by_label("Code", exact=True).fill(idle.pairing_code())
    dialog.get_by_role("button", name="Pair", exact=True).tap()
    expect(tablet.button("Start scan")).to_be_enabled()
    expect(tablet.page.locator(".banner")).to_have_count(0)


@pytest.mark.parametrize("screen", [TABLET, PHONE], ids=lambda screen: screen.name)
def test_pause_go_on_and_cancel(hands: Hands, idle: RunningBench, screen: Screen) -> None:
    tablet = paired(hands, idle, screen)
    tablet.sees(re.compile("about|under"))
    tablet.check("scan_idle")
    tablet.tap("Start scan")
    tablet.mood("Scanning")
    expect(tablet.page.locator(".spot.accept image").first).to_be_visible(timeout=60_000)
    tablet.tap("Pause")
    tablet.mood("Paused")
    assert idle.state()["mood"] == "paused"
    tablet.check("scan_paused")
    tablet.tap("Go on")
    tablet.mood("Scanning")
    tablet.tap("Cancel")
    tablet.check("scan_cancel_asked")
    tablet.tap("Keep scanning")
    assert idle.state()["scan"] is not None
    tablet.tap("Cancel")
    tablet.tap("Cancel the scan")
    tablet.sees(re.compile("was cancelled"))
    assert idle.state()["last_scan"]["outcome"] == "cancelled"


def test_a_second_client_keeps_in_step(hands: Hands, idle: RunningBench) -> None:
    one, other = paired(hands, idle), hands.tablet(idle.url, PHONE)
    other.open()
    other.mood("Ready")
    one.tap("Start scan")
    other.mood("Scanning")
    one.tap("Pause")
    for device in (one, other):
        device.mood("Paused")
        expect(device.page.locator(".count b")).to_have_text(str(idle.state()["scan"]["frames_done"]))
    # A third door: what is said at the device itself shows on every page.
    idle.ask("POST", "commands", {"command": "cancel"})
    for device in (one, other):
        device.mood("Ready")
        device.sees(re.compile("was cancelled"))
        expect(device.page.locator(".spot")).to_have_count(0)


def test_a_question_is_asked_large_and_answered(hands: Hands, built_page: Path, tmp_path: Path) -> None:
    with RunningBench(tmp_path, "--no-background", views=3, ask_a_person=True) as bench:
        tablet = paired(hands, bench)
        tablet.page.get_by_role("radio", name="2").tap()
        expect(tablet.page.get_by_role("radio", name="2")).to_be_checked()
        tablet.tap("Start scan")
        tablet.mood("Needs you")
        question = tablet.page.get_by_role("alert").filter(has_text="The scanner asks")
        expect(question).to_contain_text("move the camera higher or lower")
        tablet.check("question")
        question.get_by_role("button", name=re.compile("go on")).tap()
        tablet.sees("All photos taken")
        assert bench.state()["last_scan"]["frames_done"] == 6


def test_settings_are_changed_and_refused_beside_their_key(hands: Hands, idle: RunningBench) -> None:
    tablet = paired(hands, idle)
    tablet.go("#/device")
    tablet.page.locator("summary", has_text="How a scan goes round").tap()
    section = tablet.page.locator("details[open]")
    views = section.get_by_label(re.compile("^views"))
    expect(views).to_have_value(str(VIEWS))
    views.fill("5")
    section.get_by_label(re.compile("^settle_s")).fill("99")
    tablet.check("settings")
    section.get_by_role("button", name="Save").tap()
    expect(section.get_by_role("alert")).to_contain_text("settle_s = 99")
    assert "settle_s" not in idle.settings.read_text()
    section.get_by_label(re.compile("^settle_s")).fill("0.3")
    section.get_by_role("button", name="Save").tap()
    tablet.sees("Saved: views")
    sections = {one["name"]: one for one in idle.ask("GET", "settings")["sections"]}
    now = {key["name"]: key["value"] for key in sections["scan"]["keys"]}
    assert (now["views"], now["settle_s"]) == (5, 0.3)
    assert "views = 5" in idle.settings.read_text()
    tablet.go("#/scan")
    expect(tablet.page.get_by_label("Photos per ring")).to_have_value("5")


def test_a_scan_is_deleted_and_fetched_back(hands: Hands, idle: RunningBench) -> None:
    scan_id = scanned(idle, "vase")
    tablet = paired(hands, idle)
    tablet.go("#/scans")
    tablet.page.get_by_role("link", name=re.compile(scan_id)).tap()
    tablet.sees("Waiting for the upload")
    tablet.tap("Delete")
    tablet.sees(f"Scan {scan_id} deleted")
    expect(tablet.page.get_by_role("heading", name=scan_id)).to_have_count(0)
    tablet.check("deleted")
    tablet.tap("Undo")
    expect(tablet.page.get_by_role("heading", name=scan_id)).to_be_visible()
    assert idle.ask("GET", f"scans/{scan_id}")["state"] == "sealed"
    tablet.page.get_by_role("link", name=re.compile(scan_id)).tap()
    tablet.tap("Delete")
    tablet.tap("Recently deleted")
    tablet.check("trash")
    tablet.tap("Restore")
    tablet.sees(f"Scan {scan_id} is back")
    assert idle.ask("GET", f"scans/{scan_id}")["state"] == "sealed"


def test_the_table_turns_by_touch(hands: Hands, idle: RunningBench) -> None:
    tablet = paired(hands, idle)
    tablet.go("#/device")
    tablet.sees("Table and light")
    before_deg = idle.hand("truth")["settled_angle_deg"]
    tablet.tap("Turn by +10°")
    tablet.sees("Turn by +10°: accepted")
    assert idle.hand("truth")["settled_angle_deg"] - before_deg == pytest.approx(10, abs=0.04)
    tablet.check("device")


def test_the_light_is_set_by_touch(hands: Hands, idle: RunningBench) -> None:
    tablet = paired(hands, idle)
    tablet.go("#/device")
    tablet.tap("Half")
    tablet.sees("Light: accepted")
    assert idle.hand("truth")["light_level"] == pytest.approx(0.5, abs=0.01)
    expect(tablet.page.get_by_role("slider", name="Brightness")).to_have_value("0.5")
    # What another client sets shows here as well.
    idle.ask("POST", "commands", {"command": "light", "level": 1})
    expect(tablet.page.get_by_role("slider", name="Brightness")).to_have_value("1")


def test_the_guides_take_the_background_and_give_the_mat(hands: Hands, idle: RunningBench, tmp_path: Path) -> None:
    tablet = paired(hands, idle)
    tablet.go("#/device")
    tablet.page.locator("summary", has_text="Photo of the empty table").tap()
    idle.hand("remove")
    try:
        tablet.tap("Take the background photo")
        tablet.sees("Background photo: accepted")
    finally:
        idle.hand("place")
    assert (idle.folder / "store" / "background.jpg").exists()
    tablet.page.locator("summary", has_text="Print the mat").tap()
    tablet.check("guides")
    with tablet.page.expect_download() as waiting:
        tablet.page.get_by_role("link", name="Mat as PDF, A3").tap()
    waiting.value.save_as(tmp_path / "mat.pdf")
    assert (tmp_path / "mat.pdf").read_bytes().startswith(b"%PDF")


def test_a_refusal_is_told_with_its_reason(hands: Hands, idle: RunningBench) -> None:
    tablet = paired(hands, idle)
    tablet.tap("Start scan")
    tablet.mood("Scanning")
    tablet.go("#/device")
    tablet.tap("Turn by +10°")
    refusal = tablet.page.locator(".news").get_by_role("alert")
    expect(refusal).to_contain_text(re.compile("busy|running"))
    refusal.get_by_role("button", name="Close the message").tap()
    expect(refusal).to_have_count(0)


def test_a_scan_on_a_phone_in_german(hands: Hands, idle: RunningBench) -> None:
    phone = paired(hands, idle, PHONE, locale="de-DE", color_scheme="dark")
    phone.tap("Scan starten")
    phone.mood("Scannt")
    phone.check("scanning_german_dark")
    phone.tap("Pause")
    phone.mood("Pause")
    phone.check("paused_german_dark")


@pytest.mark.parametrize("screen", [TABLET, PHONE], ids=lambda screen: screen.name)
@pytest.mark.parametrize("look", ["light", "dark"])
def test_every_screen_in_german_and_both_looks(hands: Hands, idle: RunningBench, screen: Screen, look: str) -> None:
    tablet = paired(hands, idle, screen, locale="de-DE", color_scheme=look)
    expect(tablet.page.locator("html")).to_have_attribute("lang", "de")
    expect(tablet.page.locator("html")).to_have_attribute("data-look", look)
    for place, words in (("scan", "Scan starten"), ("scans", "Kürzlich gelöscht"), ("device", "Gekoppelte Geräte")):
        tablet.go(f"#/{place}")
        tablet.sees(words)
        tablet.check(f"{place}_german_{look}")
    tablet.page.locator("summary", has_text="Wie ein Scan herumgeht").tap()
    tablet.sees("Fotos in einem Umlauf")
    tablet.check(f"settings_german_{look}")
    tablet.tap("Language: English")
    tablet.sees("Paired devices")
    tablet.page.reload()
    tablet.sees("Paired devices")


def test_a_keyboard_is_enough(hands: Hands, idle: RunningBench) -> None:
    scan_id = scanned(idle, "bowl")
    tablet = paired(hands, idle)
    keyboard = tablet.page.keyboard
    tablet.page.locator("body").press("Tab")
    expect(tablet.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keyboard.press("Enter")
    expect(tablet.page.locator("main")).to_be_focused()
    tablet.go(f"#/scans/{scan_id}")
    photo = tablet.button(re.compile("^Photo 2,"))
    photo.focus()
    keyboard.press("Enter")
    dialog = tablet.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Photo 2 at 120°")
    expect(dialog.get_by_role("img")).to_be_visible()
    tablet.check("photo")
    dialog.get_by_role("button", name="Next photo").press("Enter")
    expect(dialog).to_contain_text("Photo 3 at 240°")
    keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(photo).to_be_focused()


def test_a_paired_device_is_revoked(hands: Hands, idle: RunningBench) -> None:
    one, other = paired(hands, idle), hands.tablet(idle.url, PHONE)
    other.open()
    other.tap("Pair")
    other.page.get_by_label("Name of this device").fill("Eva's phone")
    other.page.get_by_label("Code", exact=True).fill(idle.pairing_code())
    other.page.get_by_role("dialog").get_by_role("button", name="Pair", exact=True).tap()
    expect(other.button("Start scan")).to_be_enabled()
    one.go("#/device")
    mine = one.page.locator(".tokens li", has_text="this device")
    expect(mine).to_have_count(1)
    phone = one.page.locator(".tokens li", has_text="Eva's phone")
    phone.get_by_role("button").tap()
    one.page.get_by_role("dialog").get_by_role("button", name="Revoke").tap()
    one.sees("Eva's phone is revoked")
    expect(phone).to_have_count(0)
    other.tap("Start scan")
    other.sees("You are looking on. Pair this device to control the scanner.")
    assert idle.state()["scan"] is None
