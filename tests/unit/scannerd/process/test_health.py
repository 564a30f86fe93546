"""What is said when the device gets worse, and that it is said once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from scannerd.events import Event, HealthChanged, Warned
from scannerd.process.health import LINGER_S, Band, Health, Room
from scannerd.process.health_report import Trouble
from scannerd.process.vitals import Throttling, Vitals
from scannerd.worker_thread import WorkerThread

GB = 1_000_000_000


@dataclass
class Device:
    temperature_c: float | None = 50.0
    throttling: Throttling | None = None
    room: Room | None = field(default_factory=lambda: Room(usable_bytes=10 * GB, scan_bytes=GB))
    stuck: str | None = None
    now_s: float = 0.0
    told: list[Event] = field(default_factory=list)

    def warnings(self) -> list[str]:
        return [event.message for event in self.told if isinstance(event, Warned)]


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
async def health(device: Device) -> AsyncIterator[Health]:
    thread = WorkerThread("reading")
    yield Health(
        thread,
        lambda: device.room,
        lambda: device.stuck,
        device.told.append,
        vitals=lambda: Vitals(device.temperature_c, device.throttling, 80.0),
        now_s=lambda: device.now_s,
    )
    thread.close()


async def test_a_sound_device_is_not_talked_about(health: Health, device: Device) -> None:
    report = await health.look()
    assert (report.temperature_c, report.free_mb, report.scans_left, report.memory_mb) == (50.0, 10_000, 10.0, 80.0)
    assert report.sound
    assert device.told == []


async def test_heat_is_said_once_until_it_has_truly_cooled_down(health: Health, device: Device) -> None:
    for temperature_c in (79.9, 80.1, 78.0, 81.0, 75.1):
        device.temperature_c = temperature_c
        await health.look()
    assert device.warnings() == ["processor at 80 °C, it slows down from 80 °C; give its case air"]
    assert health.report.troubles == (Trouble.HOT,)
    device.temperature_c = 74.9
    assert (await health.look()).sound
    assert [type(event) for event in device.told] == [Warned, HealthChanged, HealthChanged]


async def test_a_disk_that_fills_up_is_said_with_what_a_scan_needs(health: Health, device: Device) -> None:
    device.room = Room(usable_bytes=900_000_000, scan_bytes=GB)
    report = await health.look()
    assert (report.scans_left, report.troubles) == (0.9, (Trouble.DISK_LOW,))
    assert device.warnings() == [
        "900 MB free beside the reserve, a scan as configured needs up to 1000 MB; delete old scans"
    ]
    device.room = Room(usable_bytes=1_200_000_000, scan_bytes=GB)
    assert (await health.look()).troubles == (Trouble.DISK_LOW,), "not yet enough to call it over"
    device.room = Room(usable_bytes=1_300_000_000, scan_bytes=GB)
    assert (await health.look()).sound


async def test_a_flickering_supply_is_one_trouble(health: Health, device: Device) -> None:
    for now_s, low in ((0, True), (10, False), (20, True), (20 + LINGER_S - 1, False)):
        device.now_s, device.throttling = now_s, Throttling(low, False, True)
        await health.look()
    assert len(device.warnings()) == 1
    assert "supply below 4.63 V" in device.warnings()[0]
    device.now_s = 20 + LINGER_S
    assert (await health.look()).sound
    assert health.report.under_voltage_before is True


async def test_what_hangs_is_a_trouble(health: Health, device: Device) -> None:
    device.stuck = "scan cup: storing has lasted 40 s, at most 28 s expected"
    assert (await health.look()).troubles == (Trouble.STUCK,)
    assert device.warnings() == [device.stuck]


async def test_a_machine_that_tells_nothing_has_no_troubles(health: Health, device: Device) -> None:
    device.temperature_c, device.room = None, None
    report = await health.look()
    assert (report.temperature_c, report.under_voltage, report.free_mb, report.scans_left) == (None, None, None, None)
    assert report.sound


def test_a_missing_reading_changes_nothing() -> None:
    band = Band(80, 75)
    assert [band.take(reading) for reading in (80.0, None, 75.0)] == [True, True, False]
