"""Torque decides whether steps are lost: by speed, acceleration, start, weight; never by chance, and by fours."""

import math
from collections.abc import Sequence

import pytest

from drivers.bench.bench_clock import BenchClock
from drivers.bench.platter import Platter, PlatterMechanics
from drivers.bench.rotor import BeltLoad, MotorMake, Rotor
from drivers.bench.world import World
from drivers.motion_profile import MotionLimits, plan_move

USUAL = MotionLimits(60.0, 180.0)
HASTY = MotionLimits(300.0, 900.0)
STEP_DEG = 360 / 9600
FOUR_FULL_STEPS = 64
PAUSE_S = 0.6


def platter_with(object_kg: float = 0.0, motor: MotorMake | None = None) -> Platter:
    return Platter(PlatterMechanics(motor=motor or MotorMake(), object_kg=object_kg))


def turn(platter: Platter, distance_deg: float, limits: MotionLimits, start_s: float = 0.0) -> float:
    return play(platter, plan_move(round(distance_deg / STEP_DEG), STEP_DEG, limits).intervals_s.tolist(), start_s)


def play(platter: Platter, waits_s: Sequence[float], start_s: float = 0.0) -> float:
    """Return when the platter has come to rest."""
    at_s = start_s
    for wait_s in waits_s:
        at_s += wait_s
        platter.step(1, at_s)
    platter.true_angle_deg(at_s + PAUSE_S)
    return at_s + PAUSE_S


def test_the_default_profile_never_loses_a_step() -> None:
    platter, at_s = platter_with(), 0.0
    for distance_deg in (3, 5, 10, 15, 45, 90, 10, 10, 10):
        at_s = turn(platter, distance_deg, USUAL, at_s)
    assert platter.steps_lost == 0
    assert platter.settled_angle_deg == pytest.approx(198, abs=9 * STEP_DEG)


@pytest.mark.parametrize("distance_deg", [10, 15, 45])
def test_five_times_the_speed_and_acceleration_loses_steps_by_fours(distance_deg: float) -> None:
    platter, steps = platter_with(), round(distance_deg / STEP_DEG)
    turn(platter, distance_deg, HASTY)
    assert platter.steps_lost > 0
    missing = steps - platter.motor_steps
    assert missing != 0
    assert missing % FOUR_FULL_STEPS == 0


def test_what_a_light_table_carries_a_heavy_one_does_not() -> None:
    lost = {}
    for object_kg in (0.0, 5.0, 16.0):
        platter = platter_with(object_kg)
        turn(platter, 10, USUAL)
        lost[object_kg] = platter.steps_lost
    assert lost[0.0] == lost[5.0] == 0
    assert lost[16.0] > 0


def test_a_start_without_a_ramp_is_followed_only_when_it_is_slow() -> None:
    for speed_deg_s, follows in ((10.0, True), (150.0, False)):
        platter = platter_with()
        play(platter, [STEP_DEG / speed_deg_s] * 400)
        assert (platter.steps_lost == 0) is follows, speed_deg_s


def test_a_motor_that_is_much_stronger_follows_the_hasty_profile() -> None:
    platter = platter_with(motor=MotorMake(holding_nm=0.5))
    turn(platter, 45, HASTY)
    assert platter.steps_lost == 0


def test_torque_falls_with_speed_and_a_weaker_supply_makes_it_fall_earlier() -> None:
    make = MotorMake()
    curve = [make.torque_nm(speed) for speed in (0, 10, 40, 80, 160)]
    assert curve[0] == curve[1] == make.holding_nm
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] < make.holding_nm / 2
    assert MotorMake(supply_v=5.0).torque_nm(40) < make.torque_nm(40)


def test_at_high_speed_no_acceleration_is_gentle_enough_for_a_weak_supply() -> None:
    lost = {}
    for supply_v in (12.0, 2.5):
        platter = platter_with(motor=MotorMake(supply_v=supply_v))
        turn(platter, 3 * 360, MotionLimits(2400.0, 400.0))
        lost[supply_v] = platter.steps_lost
    assert lost[12.0] == 0
    assert lost[2.5] > 0
    slow = platter_with(motor=MotorMake(supply_v=2.5))
    turn(slow, 360, MotionLimits(100.0, 180.0))
    assert slow.steps_lost == 0


def swing_of_the_rotor(rate_hz: float) -> float:
    """Return how far the rotor of an unloaded motor is from its field at most, driven in full steps; in these."""
    make = MotorMake(friction_nm=0.0, damping_ratio=0.05)
    rotor = Rotor(make, BeltLoad(1e-9, 50.0, 0.1), 1, hiccup_s=0.0)
    widest = 0.0
    for pulse in range(60):
        rotor.pulse(1, pulse / rate_hz)
        if pulse > 10:
            widest = max(widest, abs(rotor._angle - rotor._field) / rotor._step_rad)
    return widest


def test_full_steps_at_the_rotors_own_frequency_shake_it_most() -> None:
    natural_hz = MotorMake().natural_hz
    assert natural_hz == pytest.approx(math.sqrt(50 * 0.16 / 2e-6) / (2 * math.pi))
    assert swing_of_the_rotor(natural_hz) > 1.5 * swing_of_the_rotor(natural_hz * 0.6)


def test_an_object_makes_the_platter_swing_slower_and_longer() -> None:
    bare, loaded = PlatterMechanics(), PlatterMechanics(object_kg=4.0)
    heavier = loaded.loaded_kgm2 / bare.loaded_kgm2
    assert heavier == pytest.approx((0.0146 + 4 * 0.08**2) / 0.0146)
    assert loaded.loaded_hz == pytest.approx(bare.loaded_hz / math.sqrt(heavier))
    fades_per_s = [each.loaded_damping_ratio * each.loaded_hz for each in (bare, loaded)]
    assert fades_per_s[1] == pytest.approx(fades_per_s[0] / heavier)


def test_pulses_that_a_busy_laptop_brings_late_lose_nothing() -> None:
    """Each tenth pulse comes 30 ms late, and those after it a quarter faster until they have caught up."""
    clock = BenchClock()
    world = World(clock, PlatterMechanics(motor=MotorMake()))
    due_s = at_s = 0.0
    for number, wait_s in enumerate(plan_move(2400, STEP_DEG, USUAL).intervals_s.tolist()):
        due_s += wait_s
        before_s, at_s = at_s, max(due_s, at_s + 0.8 * wait_s)
        world.platter.step(1, at_s + (0.03 if number % 10 == 0 else 0.0), at_s - before_s)
        at_s += 0.03 if number % 10 == 0 else 0.0
    world.platter.true_angle_deg(at_s + 5)
    assert world.pulses_lost == 0
    assert world.platter.motor_steps == 2400
