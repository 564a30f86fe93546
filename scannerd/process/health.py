"""Looks after the device: says when it gets too hot, too little voltage or too full, and when that is over."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from scannerd.events import Event, HealthChanged, Warned
from scannerd.process.health_report import HealthReport, Trouble
from scannerd.process.vitals import Throttling, Vitals, read_vitals
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

LOOK_S = 10.0
HOT_C, COOL_C = 80.0, 75.0
"""A Pi slows down from 80 °C; it counts as hot until it is cooler than 75 °C."""
SCANS_LOW, SCANS_ENOUGH = 1.0, 1.25
LOW_VOLTAGE = "supply below 4.63 V; use a power supply of 5 V and 3 A or more, and a short cable"
LINGER_S = 60.0
"""A flag that comes and goes is one trouble, not a hundred."""


@dataclass(frozen=True)
class Room:
    """The disk that keeps the scans, in bytes."""

    usable_bytes: int
    """Free, beside the reserve."""
    scan_bytes: int
    """What one scan as configured and its model need at most."""


class Band:
    """On above one limit, off below another."""

    def __init__(self, on: float, off: float) -> None:
        """With `on` below `off` it watches for what gets too little."""
        self._on, self._off = on, off
        self.is_on = False

    def take(self, reading: float | None) -> bool:
        """Return whether it is on after this reading; without one nothing changes."""
        if reading is not None:
            sign = 1 if self._on >= self._off else -1
            limit = self._off if self.is_on else self._on
            self.is_on = sign * reading >= sign * limit if not self.is_on else sign * reading > sign * limit
        return self.is_on


class Lingering:
    """On with a flag, and for a while after it."""

    def __init__(self) -> None:
        self._last_s: float | None = None

    def take(self, flag: bool, now_s: float) -> bool:
        """Return whether it is on."""
        if flag:
            self._last_s = now_s
        return self._last_s is not None and now_s - self._last_s < LINGER_S


class Health:
    """The latest look, and what is said when something begins or ends."""

    def __init__(
        self,
        reading: WorkerThread,
        room: Callable[[], Room | None],
        stuck: Callable[[], str | None],
        publish: Callable[[Event], None],
        *,
        vitals: Callable[[], Vitals] = read_vitals,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`room` and `vitals` are called in the thread `reading`; `stuck` says what hangs."""
        self._reading = reading
        self._room = room
        self._stuck = stuck
        self._publish = publish
        self._vitals = vitals
        self._now_s = now_s
        self._hot = Band(HOT_C, COOL_C)
        self._full = Band(SCANS_LOW, SCANS_ENOUGH)
        self._low_voltage, self._slow = Lingering(), Lingering()
        self._latest = HealthReport(at=datetime.now(UTC), memory_mb=0.0)

    @property
    def report(self) -> HealthReport:
        """The latest look."""
        return self._latest

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> HealthReport:
        """Look once, and say what has changed."""
        vitals, room = await self._reading.run(lambda: (self._vitals(), self._room()))
        before, stuck = self._latest.troubles, self._stuck()
        troubles = self._judge(vitals, room, stuck)
        self._latest = _report(vitals, room, troubles)
        if troubles != before:
            self._tell(before, vitals, room, stuck)
        return self._latest

    def _judge(self, vitals: Vitals, room: Room | None, stuck: str | None) -> tuple[Trouble, ...]:
        flags = vitals.throttling or Throttling(False, False, False)
        now_s = self._now_s()
        found = {
            Trouble.HOT: self._hot.take(vitals.temperature_c),
            Trouble.UNDER_VOLTAGE: self._low_voltage.take(flags.under_voltage, now_s),
            Trouble.SLOWED: self._slow.take(flags.slowed, now_s),
            Trouble.DISK_LOW: self._full.take(_scans_left(room)),
            Trouble.STUCK: stuck is not None,
        }
        return tuple(trouble for trouble, is_on in found.items() if is_on)

    def _tell(self, before: tuple[Trouble, ...], vitals: Vitals, room: Room | None, stuck: str | None) -> None:
        for trouble in self._latest.troubles:
            if trouble not in before:
                message = _words(trouble, vitals, room, stuck)
                if trouble is not Trouble.STUCK:  # the watchdog has said it
                    LOG.warning("%s", message)
                self._publish(Warned(message))
        for trouble in before:
            if trouble not in self._latest.troubles:
                LOG.info("over: %s", trouble)
        self._publish(HealthChanged(self._latest))


def _scans_left(room: Room | None) -> float | None:
    return None if room is None else max(0, room.usable_bytes) / room.scan_bytes


def _report(vitals: Vitals, room: Room | None, troubles: tuple[Trouble, ...]) -> HealthReport:
    flags, scans_left = vitals.throttling, _scans_left(room)
    return HealthReport(
        at=datetime.now(UTC),
        temperature_c=vitals.temperature_c,
        under_voltage=flags.under_voltage if flags else None,
        under_voltage_before=flags.under_voltage_before if flags else None,
        slowed=flags.slowed if flags else None,
        memory_mb=round(vitals.memory_mb, 1),
        free_mb=max(0, room.usable_bytes) // 1_000_000 if room else None,
        scans_left=round(scans_left, 1) if scans_left is not None else None,
        troubles=troubles,
    )


def _words(trouble: Trouble, vitals: Vitals, room: Room | None, stuck: str | None) -> str:
    match trouble:
        case Trouble.HOT:
            return f"processor at {vitals.temperature_c:.0f} °C, it slows down from {HOT_C:.0f} °C; give its case air"
        case Trouble.UNDER_VOLTAGE:
            return LOW_VOLTAGE
        case Trouble.SLOWED:
            return "the processor is slowed down, for heat or voltage; scans take longer"
        case Trouble.DISK_LOW if room is not None:
            return (
                f"{max(0, room.usable_bytes) / 1e6:.0f} MB free beside the reserve, a scan as configured needs up to "
                f"{room.scan_bytes / 1e6:.0f} MB; delete old scans"
            )
        case Trouble.STUCK if stuck is not None:
            return stuck
        case _:
            return str(trouble)
