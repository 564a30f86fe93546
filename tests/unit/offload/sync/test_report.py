"""What is told of the way: each trouble once, a week of it in a few lines, and a line that flaps not at all."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from offload.sync.clock import ClockWatch
from offload.sync.link_file import LINK, read_link
from offload.sync.passage import Passage
from offload.sync.rate_meter import RateMeter
from offload.sync.report import Figures, LinkReport
from offload.sync.trouble import KeyRefused, ServiceUnreachable
from offload.wire.link import Hitch

WEEK_S = 7 * 86_400.0


class Shop:
    """A report over a clock of its own."""

    def __init__(self, scans: Path) -> None:
        self.now_s = 1000.0
        self.scans = scans
        self.client = SimpleNamespace(
            meter=RateMeter(self.clock_s), clock=ClockWatch(), passage=Passage(), answered_s=0.0
        )
        self.report = LinkReport(scans, self.client, self.clock_s)  # type: ignore[arg-type]

    def clock_s(self) -> float:
        return self.now_s

    def hitch(self, figures: Figures | None = None) -> Hitch | None:
        self.report.save(figures or Figures())
        told = read_link(self.scans)
        assert told is not None
        return told.waits.hitch if told.waits is not None else None


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_service_that_is_gone_for_a_week_is_a_few_lines(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        end_s = shop.now_s + WEEK_S
        while shop.now_s < end_s:
            shop.report.note(ServiceUnreachable("the service is not reachable"))
            shop.now_s += 30
        assert shop.hitch() is Hitch.UNREACHABLE
        lines = [record.getMessage() for record in caplog.records]
        assert 5 <= len(lines) <= 45
        assert "tries; it goes on by itself" in lines[-1]
        shop.report.note(None)
    assert "goes on after" in caplog.records[-1].getMessage()
    shop.now_s += 2
    assert shop.hitch() is None


def test_a_line_that_breaks_and_carries_is_no_reason_to_wait(shop: Shop) -> None:
    for _second in range(30):
        shop.report.note(ServiceUnreachable("reset"))
        shop.now_s += 0.5
        shop.client.answered_s = shop.now_s
        shop.now_s += 0.5
        assert shop.hitch() is None


def test_another_trouble_is_another_reason(shop: Shop) -> None:
    shop.report.note(ServiceUnreachable("gone"))
    shop.now_s += 60
    assert shop.hitch() is Hitch.UNREACHABLE
    shop.report.note(KeyRefused("the key"))
    shop.now_s += 1
    assert shop.hitch() is Hitch.KEY


def test_the_time_left_is_told_while_something_moves(shop: Shop) -> None:
    for _second in range(10):
        shop.client.meter.add(1_000_000)
        shop.now_s += 1
    shop.report.save(Figures(carried=1, bytes_left=5_000_000))
    told = read_link(shop.scans)
    assert told is not None
    assert told.remaining_s == pytest.approx(5, abs=1)
    shop.report.close()
    assert not (shop.scans / LINK).exists()
