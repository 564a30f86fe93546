"""Quiet hours by the clock on the wall: over midnight, in summer and winter, and in another country."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from offload.sync.metered import Metered, MeteredWatch
from offload.sync.passage import Passage
from offload.sync.quiet_hours import QuietHours
from offload.sync.trouble import NotNow
from offload.wire.link import Hitch

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours.parse("22:00", "06:00")
NOON = QuietHours.parse("11:30", "13:00")


def at(clock: str, day: int = 10, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(f"2026-03-{day:02d}T{clock}").replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (NIGHT, at("21:59:59"), None),
        (NIGHT, at("22:00:00"), at("06:00:00", 11)),
        (NIGHT, at("23:59:59"), at("06:00:00", 11)),
        (NIGHT, at("00:00:00"), at("06:00:00")),
        (NIGHT, at("05:59:59"), at("06:00:00")),
        (NIGHT, at("06:00:00"), None),
        (NOON, at("11:29:59"), None),
        (NOON, at("11:30:00"), at("13:00:00")),
        (NOON, at("13:00:00"), None),
        (NIGHT, at("01:30:00", 29), at("06:00:00", 29)),
    ],
)
def test_they_begin_and_end_on_the_minute(hours: QuietHours, now: datetime, until: datetime | None) -> None:
    assert hours.until(now) == until


def test_the_night_in_which_clocks_go_forward_is_an_hour_shorter() -> None:
    begin, end = at("22:00:00", 28), NIGHT.until(at("22:00:00", 28))
    assert end is not None
    assert (end.astimezone(UTC) - begin.astimezone(UTC)).total_seconds() == 7 * 3600


def test_a_device_that_has_moved_has_the_hours_of_its_new_place() -> None:
    instant = at("23:00:00")
    assert NIGHT.until(instant) is not None
    assert NIGHT.until(instant.astimezone(ZoneInfo("America/New_York"))) is None


@pytest.mark.parametrize("told", [("22:00", "22:00"), ("25:00", "06:00"), ("", "06:00")])
def test_hours_that_are_none_are_refused(told: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        QuietHours.parse(*told)


def test_why_it_waits_is_told_with_its_end_and_since_when() -> None:
    clock = [at("22:10:00"), at("23:00:00"), at("06:00:00", 11)]
    passage = Passage(NIGHT, now=lambda: clock.pop(0))
    first, second, third = passage.hindrance(), passage.hindrance(), passage.hindrance()
    assert first is not None
    assert second is not None
    assert (first.says, first.until) == ("quiet hours until 06:00", at("06:00:00", 11))
    assert second.since == at("22:10:00")
    assert third is None


async def test_who_would_not_wait_is_told_why() -> None:
    with pytest.raises(NotNow, match="quiet hours until 06:00"):
        await Passage(NIGHT, limit_s=0, now=lambda: at("23:00:00")).wait()


@pytest.mark.parametrize(("costs", "hitch"), [(True, Hitch.METERED), (False, None), (None, None)])
def test_only_a_connection_that_is_known_to_cost_closes_the_way(costs: bool | None, hitch: Hitch | None) -> None:
    watch = MeteredWatch()
    watch.now = Metered(costs, "" if costs is not None else "nobody knows")
    passage = Passage(metered=watch)
    hindrance = passage.hindrance()
    assert (hindrance.hitch if hindrance is not None else None) == hitch
    assert passage.metered_unknown == ("nobody knows" if costs is None else None)
