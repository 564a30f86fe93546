"""Scans on the bench that people and accidents turn the platter of, each photo compared with where it truly was.

`python true_angles.py [--seeds 20] [--first 0]` tries as many scans, each with disturbances chosen by its seed: the
platter turned by hand while nobody holds it, or against the motor; mat and object turned on the platter; jams, lost
steps, stops, restarts; between photos, rings and sides. The camera paints the platter's true angle into a corner of
every picture, so that each photo on the disk tells its own truth, whatever the daemon wrote beside it.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from lossless import counted_in, faults_of_sealed, journal_of
from numpy.typing import NDArray
from scan_on_bench import WIDTH_PX, OverheadCamera, bench_config, running

from drivers.bench.install import install_bench
from drivers.bench.lift import LiftMechanics
from drivers.bench.pins import BenchWiring, LiftWiring
from drivers.bench.scene import Exposure
from offload.wire.bundle import FrameEntry
from scannerd.app import Daemon
from scannerd.commands import Command, CommandRefused, Pause, Resume, ResumeScan, StartScan, Stop
from scannerd.config import Config, LiftSection
from scannerd.event_bus import Subscription
from scannerd.events import Event, FrameStored, Outcome, ScanEnded, ScanPaused
from scannerd.store.layout import ScanFolder, StoreLayout

SCAN = "cup"
SPEED = 40.0
CELL_PX, ROWS, COLUMNS = 8, 2, 7
BITS = ROWS * COLUMNS - 1
CODE_DEG = 0.05
TRUE_DEG = 0.35
"""A platter may still swing so much in a photo that counts as still, on a bench whose clock runs this fast."""
ACROSS_RINGS_DEG = 0.6
"""From another height the mat tells the angle less exactly."""
DEADLINE_S = 60.0
MOST_DISTURBANCES = 4
LIFT = LiftSection(driver="stepper_gpio", step_deg=0.05, lowest_deg=10, highest_deg=70, home_deg=10)


class SigningCamera(OverheadCamera):
    """Paints the angle of what stands on the platter into the upper left corner, as black and white squares."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        super().__call__(exposure, out)
        angles_deg = exposure.platter_angles_deg
        cell_px = max(1, CELL_PX * out.shape[1] // WIDTH_PX)
        cells = np.kron(_code(angles_deg[len(angles_deg) // 2]), np.ones((cell_px, cell_px), np.uint8))
        out[: cells.shape[0], : cells.shape[1]] = (40 + 160 * cells)[:, :, None]


def _code(angle_deg: float) -> NDArray[np.uint8]:
    number = round(angle_deg % 360 / CODE_DEG) % round(360 / CODE_DEG)
    bits = [number >> bit & 1 for bit in range(BITS)]
    return np.array([*bits, sum(bits) % 2], np.uint8).reshape(ROWS, COLUMNS)


def true_angle_deg(photo: Path) -> float:
    """Return what this camera's photo has in its corner, 0 to 360. Raises AssertionError where nobody can read it."""
    grey = cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE)
    corner = np.asarray(grey, np.float64)[: ROWS * CELL_PX, : COLUMNS * CELL_PX]
    means = corner.reshape(ROWS, CELL_PX, COLUMNS, CELL_PX).mean(axis=(1, 3)).ravel()
    bits = [int(mean > (means.min() + means.max()) / 2) for mean in means]
    assert sum(bits[:-1]) % 2 == bits[-1], f"{photo}: its corner cannot be read"
    return sum(bit << place for place, bit in enumerate(bits[:-1])) * CODE_DEG


@dataclass
class Told:
    """What became of one scan."""

    seed: int
    happened: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    photos: int = 0
    off_plan: int = 0
    """Photos whose angle is told truly, but is not the planned one."""
    worst_deg: float = 0.0


class Accidents:
    """One scan, and everything that happens to it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.told = Told(seed)
        self._chance = random.Random(f"angles {seed}")
        self._folder = folder
        self._lifted = self._chance.random() < 0.5
        self._rings, self._sides = self._chance.choice([1, 1, 2]), self._chance.choice([1, 1, 2])
        self._left = self._chance.randint(1, MOST_DISTURBANCES)
        self._config = self._settings()
        self._begun = False

    async def happen(self) -> Told:
        """Let the scan come to its end, and compare."""
        wiring = BenchWiring(lift=LiftWiring() if self._lifted else None)
        arm = LiftMechanics(step_deg=0.05, start_deg=10.0) if self._lifted else None
        self._note(f"{self._rings} rings, {self._sides} sides, {'lift' if self._lifted else 'tripod'}")
        with install_bench(SigningCamera(), SPEED, wiring, lift=arm) as self._bench:
            while not await self._run():
                pass
            if self._bench.board.enabled:
                self.told.faults.append("the motor is still on")
        self._compare()
        return self.told

    def _settings(self) -> Config:
        config = bench_config(self._folder, views=self._chance.randint(5, 9))
        return config.model_copy(
            update={
                "turntable": config.turntable.model_copy(update={"idle_release_s": 0.05}),
                "scan": config.scan.model_copy(update={"propose": False}),
                **({"lift": LIFT} if self._lifted else {}),
            }
        )

    def _note(self, what: str) -> None:
        self.told.happened.append(what)

    async def _run(self) -> bool:
        """Let one daemon work; return whether the scan is complete."""
        async with running(self._config, self._bench) as daemon, _listening(daemon) as events:
            if self._begun and StoreLayout(self._folder).scan(SCAN).manifest.exists():
                return True
            if self._begun:
                await daemon.submit(ResumeScan(SCAN))
            else:
                await daemon.submit(StartScan(SCAN, rings=self._rings, sides=self._sides))
                self._begun = True
            async with asyncio.timeout(DEADLINE_S):
                async for event in events:
                    if await self._live_through(daemon, event):
                        break
            done = StoreLayout(self._folder).scan(SCAN).manifest.exists()
        if not done:
            self._tidy()
        return done

    async def _live_through(self, daemon: Daemon, event: Event) -> bool:
        """Return whether this daemon's life is over."""
        if isinstance(event, FrameStored) and self._left > 0 and self._chance.random() < 0.35:
            self._left -= 1
            return await self._disturb(daemon)
        if isinstance(event, ScanPaused):
            self._note(f"paused: {event.question}")
            await self._until_motor_is_off()
            self._tidy()
            await _ask(daemon, Resume())
        if isinstance(event, ScanEnded):
            self._note(f"{event.outcome}: {event.error}")
            if event.outcome is Outcome.COMPLETED:
                return True
            self._tidy()
            await _ask(daemon, ResumeScan(SCAN))
        return False

    async def _disturb(self, daemon: Daemon) -> bool:
        what = self._chance.choice(["pause", "jam", "short jam", "lose", "push", "stop", "restart"])
        self._note(what)
        match what:
            case "pause":
                await _ask(daemon, Pause())
            case "jam":
                self._bench.world.jammed = True
            case "short jam":
                self._bench.world.jammed = True
                asyncio.get_running_loop().call_later(self._chance.uniform(0.0, 0.6), self._free)
            case "lose":
                self._bench.world.motor.lose(self._chance.choice([20, 200, 800, 2000]))
            case "push":
                self._push(self._chance.choice([-1, 1]) * self._chance.choice([1, 5, 30, 110, 170]))
            case "stop":
                await _ask(daemon, Stop())
            case "restart":
                return True
        return False

    def _tidy(self) -> None:
        self._turn()
        self._free()

    def _free(self) -> None:
        self._bench.world.jammed = False

    def _turn(self) -> None:
        """Somebody turns the platter that nobody holds, or mat and object on it; or does not."""
        what, by_deg = self._chance.choice(["nothing", "platter", "mat"]), self._chance.uniform(-180, 180)
        if what == "nothing":
            return
        self._note(f"{what} turned by {by_deg:.1f}°")
        if what == "platter":
            self._push(by_deg)
        else:
            self._bench.world.mat_turned_deg += by_deg

    def _push(self, by_deg: float) -> None:
        self._bench.world.platter.turn_by_hand(by_deg, self._bench.clock.now_s())

    async def _until_motor_is_off(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while self._bench.board.enabled:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def _compare(self) -> None:
        folder = StoreLayout(self._folder).scan(SCAN)
        frames = counted_in(journal_of(folder))
        self.told.photos = len(frames)
        self.told.faults += faults_of_sealed(folder, len(frames)) + faults_in_angles(folder)
        errors = angle_errors(folder)
        self.told.worst_deg = max(abs(error.told_deg) for error in errors)
        self.told.off_plan = sum(abs(error.commanded_deg) > ACROSS_RINGS_DEG for error in errors)


@dataclass(frozen=True)
class AngleError:
    """Of one photo, in degrees, against the truth; the first photo of each side is the reference."""

    frame: FrameEntry
    told_deg: float
    commanded_deg: float
    same_ring: bool
    """As the reference: from another height the mat tells less exactly."""


def angle_errors(folder: ScanFolder) -> list[AngleError]:
    """Return how far the journal's angles are from the truth that a `SigningCamera` painted into its photos."""
    errors = []
    zeros: dict[int, tuple[int, float]] = {}
    for frame in sorted(counted_in(journal_of(folder)).values(), key=lambda frame: frame.taken_at):
        true_deg = true_angle_deg(folder.path / frame.file.name)
        ring, zero_deg = zeros.setdefault(frame.side, (frame.ring, true_deg - told_deg(frame)))
        told, commanded = (_wrapped(deg + zero_deg - true_deg) for deg in (told_deg(frame), frame.angle_deg))
        errors.append(AngleError(frame, told, commanded, ring == frame.ring))
    return errors


def faults_in_angles(folder: ScanFolder) -> list[str]:
    """Return which photos show the platter elsewhere than a model is told."""
    return [
        f"photo {error.frame.index} (side {error.frame.side}, ring {error.frame.ring}): {told_deg(error.frame):.2f}° "
        f"told (seen {error.frame.seen_angle_deg}), wrong by {error.told_deg:.2f}°"
        for error in angle_errors(folder)
        if abs(error.told_deg) > (TRUE_DEG if error.same_ring else ACROSS_RINGS_DEG)
    ]


@asynccontextmanager
async def _listening(daemon: Daemon) -> AsyncIterator[Subscription]:
    yield daemon.events.subscribe()


async def _ask(daemon: Daemon, command: Command) -> None:
    """Somebody may have been sooner: then it makes no sense any more."""
    with contextlib.suppress(CommandRefused):
        await daemon.submit(command)


def told_deg(frame: FrameEntry) -> float:
    """Return the angle that a model is told."""
    return frame.angle_deg if frame.seen_angle_deg is None else frame.seen_angle_deg


def _wrapped(angle_deg: float) -> float:
    return (angle_deg + 180) % 360 - 180


def scan_of(seed: int) -> Told:
    """Return what became of the scan with this seed."""
    with tempfile.TemporaryDirectory(prefix="scannerd-angles-") as folder:
        return asyncio.run(Accidents(seed, Path(folder)).happen())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    wrong = 0
    for seed in range(options.first, options.first + options.seeds):
        told = scan_of(seed)
        wrong += bool(told.faults)
        print(f"{seed}: {told.photos} photos, {told.off_plan} off plan, worst {told.worst_deg:.2f}°", flush=True)
        if told.faults:
            print("   ", "\n    ".join([*told.happened, *told.faults]), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
