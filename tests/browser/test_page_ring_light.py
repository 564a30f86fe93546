"""A scanner with a ring light and a serial table, as its page shows it: colours, movements without a scan, homing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from running_bench import RunningBench
from tablet import PHONE, TABLET, Hands, Screen

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def bench(built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBench]:
    built = RunningBench(tmp_path_factory.mktemp("ringed"), "--no-background", "--turntable", "grbl", speed=4.0)
    built.settings.write_text(built.settings.read_text().replace('driver = "gpio"', 'driver = "ws2812"'))
    with built as running:
        yield running


@pytest.mark.parametrize("screen", [TABLET, PHONE], ids=lambda screen: screen.name)
def test_light_has_a_colour_and_movements_have_a_word(hands: Hands, bench: RunningBench, screen: Screen) -> None:
    tablet: Any = hands.tablet(bench.url, screen)
    tablet.open(f"#pair={bench.pairing_code()}")
    expect(tablet.page.locator(".mood")).not_to_be_empty()
    tablet.go("#/device")
    tablet.sees("How 0° is known")
    tablet.tap("Make this 0°")
    tablet.sees("Where the table stood")
    tablet.page.get_by_label("Colour", exact=True).fill("#ff8000")
    bench.wait_for("the ring is amber", lambda: bench.hand("truth")["light_colour"] == [1.0, 128 / 255, 0.0])
    assert bench.state()["light_colour"] == "#ff8000"
    tablet.button("Turn by +90°").tap()
    expect(tablet.page.locator(".whereabouts")).to_contain_text("Turning")
    bench.wait_for("it stands again", lambda: bench.state()["phase"] == "idle")
    expect(tablet.page.locator(".whereabouts")).not_to_contain_text("Turning")
    tablet.page.locator(".whereabouts").scroll_into_view_if_needed()
    tablet.check("device_ring")
    assert tablet.complaints == []


def test_a_scan_has_the_light_that_was_chosen_for_it(hands: Hands, bench: RunningBench) -> None:
    tablet: Any = hands.tablet(bench.url, TABLET)
    tablet.open(f"#pair={bench.pairing_code()}")
    expect(tablet.page.locator(".mood")).not_to_be_empty()
    tablet.page.locator(".more-options summary").tap()
    tablet.page.get_by_label("Colour", exact=True).fill("#00ff00")
    tablet.check("scan_ring")
    tablet.tap("Start scan")
    bench.wait_for("the scan's light is on", lambda: bench.hand("truth")["light_colour"] == [0.0, 1.0, 0.0])
    scan = bench.state()["scan"]["scan_id"]
    assert bench.state()["light_colour"] == "#00ff00"
    bench.ask("POST", f"scans/{scan}/cancel", {})
    bench.wait_for("it is dark", lambda: bench.hand("truth")["light_level"] < 0.2)
