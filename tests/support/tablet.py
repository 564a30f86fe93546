"""A person with a tablet or a phone: Debian's Chromium, touched and looked at through Playwright."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, expect

SCREENSHOTS = Path(__file__).resolve().parents[2] / "out" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
CALM = {"locale": "en-GB", "color_scheme": "light", "reduced_motion": "reduce"}
"""Pictures that move cost a browser without a graphics card most of its time."""
SMALL_TARGETS = Path(__file__).with_name("small_targets.js").read_text()
TIGHT_BUTTONS = (
    "() => [...document.querySelectorAll('.action')]"
    ".filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.innerText)"
)
PATIENCE_MS = 60_000
"""For what the scanner does; the page itself is quicker."""


@dataclass(frozen=True)
class Screen:
    """What somebody holds in the hand."""

    name: str
    width_px: int
    height_px: int


TABLET = Screen("tablet", 1280, 800)
PHONE = Screen("phone", 390, 844)


class Tablet:
    """One paired or unpaired device with the page open."""

    def __init__(self, page: Page, screen: Screen, url: str) -> None:
        self.page = page
        self.screen = screen
        self.url = url
        self.complaints: list[str] = []
        """What the browser complained about, without the failures that a test provokes."""
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    def open(self, place: str = "") -> None:
        """Load the page."""
        self.page.goto(self.url + place)

    def go(self, place: str) -> None:
        """Go to another place of the page, as its own links do."""
        self.page.evaluate("place => { location.hash = place }", place)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """Return the button of this name."""
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def tap(self, name: str) -> None:
        """Touch the button of this name."""
        self.button(name).tap()

    def sees(self, text: str | re.Pattern[str], limit_ms: int = PATIENCE_MS) -> None:
        """Wait until a text is there to be seen."""
        expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible(timeout=limit_ms)

    def mood(self, word: str, limit_ms: int = PATIENCE_MS) -> None:
        """Wait until the sign at the top says this."""
        expect(self.page.locator(".mood")).to_have_text(word, timeout=limit_ms)

    def photos_done(self) -> int:
        """Return how many photos the page says there are."""
        return int(self.page.locator(".count b").inner_text())

    def pair(self, code: str) -> None:
        """Type the code and wait for what only a paired device has."""
        self.page.get_by_label("Code", exact=True).fill(code)
        self.tap("Pair")
        expect(self.page.get_by_role("navigation")).to_be_visible()

    def shoot(self, name: str) -> Path:
        """Keep a picture of the screen."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}_{self.screen.name}.png"
        self.page.screenshot(path=path)
        return path

    def check_access(self, where: str) -> None:
        """Let axe look at the present screen; it must find nothing."""
        violations = Axe().run(self.page).response["violations"]
        told = [f"{fault['id']}: {node['html'][:200]}" for fault in violations for node in fault["nodes"]]
        assert not told, f"{where}, {self.screen.name}: " + "\n".join(told)

    def check_touch(self, where: str) -> None:
        """Everything to be touched must be at least 48 px high and wide, but for links in a text."""
        small = self.page.evaluate(SMALL_TARGETS)
        assert not small, f"{where}, {self.screen.name}: too small for a finger: {small}"

    def check_width(self, where: str) -> None:
        """Nothing may stick out at the side."""
        width_px = self.page.evaluate("document.querySelector('.content').scrollWidth")
        room_px = self.page.evaluate("document.querySelector('.content').clientWidth")
        assert width_px <= room_px, f"{where}, {self.screen.name}: {width_px} px wide, there are {room_px} px"
        tight = self.page.evaluate(TIGHT_BUTTONS)
        assert not tight, f"{where}, {self.screen.name}: words stick out of {tight}"

    def check(self, where: str) -> None:
        """Look at the present screen with every eye there is, and keep a picture."""
        self.check_access(where)
        self.check_touch(where)
        self.check_width(where)
        self.shoot(where)

    def _hear(self, message: ConsoleMessage) -> None:
        """An answer that says no is reported on the console too; the tests judge those by what the page says."""
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


class Hands:
    """Opens tablets in one browser."""

    def __init__(self, playwright: Playwright) -> None:
        self._browser: Browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        self._tablets: list[Tablet] = []

    def tablet(self, url: str, screen: Screen = TABLET, **more: Any) -> Tablet:
        """Return a new device that knows nothing yet."""
        settings: dict[str, Any] = {**CALM, **more}
        size = {"width": screen.width_px, "height": screen.height_px}
        context = self._browser.new_context(viewport=size, has_touch=True, **settings)  # type: ignore[arg-type]
        tablet = Tablet(context.new_page(), screen, url)
        self._tablets.append(tablet)
        return tablet

    def close(self) -> None:
        """Close every page; none may have complained."""
        self._browser.close()
        complaints = [complaint for tablet in self._tablets for complaint in tablet.complaints]
        assert not complaints, complaints


@contextmanager
def hands(playwright: Playwright) -> Iterator[Hands]:
    """A browser for the time of a test."""
    mine = Hands(playwright)
    try:
        yield mine
    finally:
        mine.close()
