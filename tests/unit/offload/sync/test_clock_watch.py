"""The device's clock beside the service's."""

import logging
from datetime import UTC, datetime

import pytest

from offload.sync.clock import ClockWatch

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "off_s"),
    [
        ("Fri, 01 May 2026 12:00:00 GMT", 0),
        ("Fri, 01 May 2026 13:00:00 GMT", -3600),
        ("Thu, 30 Apr 2026 12:00:00 GMT", 86400),
        ("Fri, 01 May 2026 14:00:00 +0200", 0),
        (None, None),
        ("yesterday", None),
        ("Fri, 99 May 2026 12:00:00 GMT", None),
    ],
)
def test_it_knows_how_far_it_is_ahead(date: str | None, off_s: float | None) -> None:
    watch = ClockWatch(lambda: NOW)
    watch.hear(date)
    assert watch.off_s == off_s


def test_it_is_told_once_until_it_was_right_again(caplog: pytest.LogCaptureFixture) -> None:
    watch = ClockWatch(lambda: NOW)
    late, right = "Fri, 01 May 2026 15:00:00 GMT", "Fri, 01 May 2026 12:00:10 GMT"
    with caplog.at_level(logging.WARNING):
        for date in (late, late, late, right, late, late):
            watch.hear(date)
    assert [record.getMessage() for record in caplog.records] == [
        "the device's clock is 10800 s behind the service's; dates of scans will be wrong by that"
    ] * 2
