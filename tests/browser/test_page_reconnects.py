"""The daemon goes and comes back under the page: it says what it knows, and never waits for ever."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from running_bench import RunningBench
from tablet import Hands

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VIEWS = 8


def test_a_daemon_killed_in_the_middle_of_a_scan(built_page: Path, hands: Hands, tmp_path: Path) -> None:
    with RunningBench(tmp_path, "--no-background", views=VIEWS) as bench:
        tablet = hands.tablet(bench.url)
        tablet.open(f"#pair={bench.pairing_code()}")
        tablet.tap("Start scan")
        expect(tablet.page.locator(".spot.accept image").nth(1)).to_be_visible(timeout=60_000)
        scan_id = bench.state()["scan"]["scan_id"]
        bench.kill()
        tablet.sees(re.compile(r"No connection since \d+:\d\d"))
        for name in ("Pause", "Cancel"):
            expect(tablet.button(name)).to_be_disabled()
        tablet.check("connection_lost")
        # What is seen is from then, and it still can be looked at.
        expect(tablet.page.locator(".spot.accept").first).to_be_visible()
        bench.start()
        tablet.sees("Connected again")
        tablet.sees("A scan was interrupted")
        expect(tablet.page.locator(".banner")).to_have_count(0)
        tablet.mood("Ready")
        kept = bench.ask("GET", f"scans/{scan_id}")
        assert 2 <= kept["frames_done"] < VIEWS
        tablet.check("interrupted")
        tablet.tap("Go on with it")
        tablet.mood("Scanning")
        assert bench.state()["scan"]["scan_id"] == scan_id
        tablet.sees("All photos taken", limit_ms=120_000)
        whole = bench.ask("GET", f"scans/{scan_id}")
        assert (whole["state"], whole["frames_done"]) == ("sealed", VIEWS)


def test_no_wait_is_without_an_end(built_page: Path, hands: Hands, tmp_path: Path) -> None:
    with RunningBench(tmp_path, "--no-background") as bench:
        tablet = hands.tablet(bench.url)
        tablet.open(f"#pair={bench.pairing_code()}")
        tablet.mood("Ready")

        def swallow(_route: Route) -> None:
            """Let a request go nowhere: neither an answer nor an error comes."""

        tablet.page.route(re.compile(r"/api/v1/scans\?"), swallow)
        tablet.go("#/scans")
        tablet.sees("Loading…")
        tablet.sees("The scanner took too long to answer. Try again.", limit_ms=20_000)
        tablet.check("too_late")
        tablet.page.unroute(re.compile(r"/api/v1/scans\?"))
        tablet.tap("Try again")
        tablet.sees("No scans yet. The first one appears here as soon as it starts.")
        tablet.check("no_scans")


def test_a_command_whose_answer_was_lost_is_not_done_twice(built_page: Path, hands: Hands, tmp_path: Path) -> None:
    with RunningBench(tmp_path, "--no-background") as bench:
        tablet = hands.tablet(bench.url)
        tablet.open(f"#pair={bench.pairing_code()}")
        tablet.go("#/device")
        before_deg = bench.hand("truth")["settled_angle_deg"]
        lost: list[str] = []

        def lose_the_first_answer(route: Route) -> None:
            if lost:
                route.continue_()
                return
            lost.append(route.request.headers["idempotency-key"])
            route.fetch()
            route.abort()

        tablet.page.route(re.compile("/api/v1/commands"), lose_the_first_answer)
        tablet.tap("Turn by +10°")
        tablet.sees("Turn by +10°: accepted")
        assert len(lost) == 1
        assert bench.hand("truth")["settled_angle_deg"] - before_deg == pytest.approx(10, abs=0.04)
