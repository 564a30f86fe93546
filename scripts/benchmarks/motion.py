"""`scripts/bench motion`: how evenly STEP pulses come, how long moves take, its cost, and whether a step is lost.

lgpio is the real one, its process and its C thread included, on a line that is recorded where its kernel would be.
pigpio's waves are timed by the chip's DMA: how evenly, only a Pi can tell; here is counted what feeding them costs.
"""

import argparse
import asyncio
import importlib
import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from typing import Any

from motion_pulses import STEP_DEG, by_lgpio, by_our_thread, by_sleeping, cpu_of_feeding, profile_of
from rich.console import Console
from rich.table import Table

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.lgpio_pins import lgpio_beneath
from drivers.bench.pigpio_daemon import pigpio_beneath
from drivers.motion_profile import MotionLimits, plan_move
from drivers.options import StepperGpioOptions
from drivers.pulse_chunks import Delays
from drivers.stepper_gpio import StepperGpio

WAYS = ("thread", "lgpio", "pigpio")
LONGEST_RANDOM_DEG = 12.0
GOALS = {"took_over_theory": 1.01, "steps_off": 0, "cpu_of_a_core": 0.03}


def main(arguments: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    figures = measure(options.seconds, options.moves, options.seed, options.speed)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        for table in _tables(figures):
            Console().print(table)
        print(f"goals: {GOALS}; load {figures['load_before']} before, {figures['load_after']} after")
    return 0


def measure(seconds: float, moves: int, seed: int, speed: float) -> dict[str, Any]:
    """Return all figures: moves of `seconds` in real time, `moves` random ones on a clock `speed` times as fast."""
    load_before = round(os.getloadavg()[0], 1)
    limits = MotionLimits(60.0, 180.0)
    profile = profile_of(seconds, limits)
    by_waves, lgpio_cost = by_lgpio(profile, plan_move(160, STEP_DEG, limits))
    return {
        "pulses": {
            "lgpio, a process of its own": asdict(by_waves),
            "a thread of ours": asdict(by_our_thread(profile)),
            "a Python loop that sleeps": asdict(by_sleeping(profile)),
        },
        "lgpio": asdict(lgpio_cost),
        "feeding": {"pigpio": cpu_of_feeding(profile, _pigpio())},
        "moves": {
            f"{distance_deg:g}°, {kind}": asyncio.run(_move_over_theory(distance_deg, smoothing_s))
            for kind, smoothing_s in (("trapezoid", 0.0), ("S-curve over 0.125 s", 0.125))
            for distance_deg in (6.0, 30.0, 180.0)
        },
        "random": {way: asyncio.run(_random_moves(way, moves, seed, speed)) for way in WAYS},
        "goals": GOALS,
        "load_before": load_before,
        "load_after": round(os.getloadavg()[0], 1),
    }


def _pigpio() -> Callable[[Delays], object]:
    wave_of = importlib.import_module("drivers.pulse_pigpio").wave_of
    return lambda delays: wave_of(17, delays)


async def _move_over_theory(distance_deg: float, smoothing_s: float) -> float:
    """Return a move's time over the profile's theory, from order to arrival, in real time: the best of three."""
    with install_bench(GreyCard()) as bench:
        axis = StepperGpio(StepperGpioOptions(smoothing_s=smoothing_s), bench.clock)
        await axis.home()
        ratios = []
        for turn in range(3):
            to_deg = 0.0 if turn % 2 else distance_deg
            from_deg, began_s = axis.angle_deg, bench.clock.now_s()
            await axis.move_to(to_deg)
            ratios.append((bench.clock.now_s() - began_s) / axis.move_time_s(from_deg, to_deg))
        await axis.close()
    return min(ratios)


async def _random_moves(way: str, moves: int, seed: int, speed: float) -> dict[str, float]:
    """Return how many steps the platter is off after so many random moves, some of them cancelled on the way."""
    chance = random.Random(seed)
    with _bench(way, speed) as bench:
        pulses = "pigpio" if way == "pigpio" else "auto"
        axis = StepperGpio(replace(StepperGpioOptions(), pulses=pulses), bench.clock)
        await axis.home()
        off, cancelled = 0.0, 0
        for _ in range(moves):
            target_deg = axis.angle_deg + chance.uniform(-LONGEST_RANDOM_DEG, LONGEST_RANDOM_DEG)
            cancelled += await _go(axis, bench, target_deg, chance)
            off = max(off, abs(bench.world.platter.motor_steps - axis.angle_deg / axis.step_deg))
        steps = bench.world.pulses
        await axis.close()
    return {"moves": moves, "cancelled": cancelled, "pulses": steps, "steps_off": round(off, 6)}


async def _go(axis: StepperGpio, bench: Bench, target_deg: float, chance: random.Random) -> bool:
    """Move; one in ten is cancelled on the way. Returns whether it was."""
    move = asyncio.create_task(axis.move_to(target_deg))
    if chance.random() < 0.1:
        await bench.clock.wait_until(bench.clock.now_s() + chance.uniform(0.05, 0.3))
        move.cancel()
    await asyncio.wait({move})
    return move.cancelled()


@contextmanager
def _bench(way: str, speed: float) -> Iterator[Bench]:
    with ExitStack() as beneath:
        bench = beneath.enter_context(install_bench(GreyCard(), speed=speed))
        if way == "lgpio":
            beneath.enter_context(lgpio_beneath(bench))
        if way == "pigpio":
            beneath.enter_context(pigpio_beneath(bench))
        yield bench


def _tables(figures: dict[str, Any]) -> Iterator[Table]:
    pulses = Table("pulses by", "late p50 µs", "p99 µs", "max µs", "time over theory", "CPU of a core")
    for name, found in figures["pulses"].items():
        late = (f"{found[key]:.0f}" for key in ("late_p50_us", "late_p99_us", "late_max_us"))
        pulses.add_row(name, *late, f"{found['took_over_theory']:.4f}", f"{found['cpu_of_a_core']:.1%}")
    for name, share in figures["feeding"].items():
        pulses.add_row(f"{name} (feeding only)", "–", "–", "–", "–", f"{share:.1%}")
    yield pulses
    lgpio = Table("lgpio's process", "")
    for name, value in figures["lgpio"].items():
        lgpio.add_row(name, f"{value:.3g}")
    yield lgpio
    moves = Table("move", "time over the profile's theory")
    for name, ratio in figures["moves"].items():
        moves.add_row(name, f"{ratio:.4f}")
    yield moves
    steps = Table("pulses by", "random moves", "cancelled on the way", "pulses", "steps off")
    for name, found in figures["random"].items():
        steps.add_row(name, *(f"{found[key]:g}" for key in ("moves", "cancelled", "pulses", "steps_off")))
    yield steps


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench motion", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each move whose pulses are timed")
    parser.add_argument("--moves", type=int, default=1000, help="random ones, for each way of timing pulses")
    parser.add_argument("--seed", type=int, default=1, help="of the random moves")
    parser.add_argument("--speed", type=float, default=10.0, help="of the bench's clock for the random moves")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
