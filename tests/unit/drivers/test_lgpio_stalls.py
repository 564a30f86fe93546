"""What a motor makes of a stall: the queue's steps at once, then the rest of the move with a ramp."""

import numpy as np
import pytest

from drivers.bench.platter import PlatterMechanics
from drivers.bench.rotor import MotorMake
from drivers.lgpio_waves import PUNCTUAL
from drivers.motion_profile import MotionLimits, plan_move

STEP_DEG = 0.0375
AT_ONCE_S = 20e-6
STALLS_S = (0.02, 0.06, 0.1, 0.15, 0.3)


def lost_steps(speed_deg_s: float, stall_s: float, queued: int) -> int:
    limits = MotionLimits(speed_deg_s, 180)
    before_s = np.cumsum(plan_move(4000, STEP_DEG, limits).intervals_s)[:1000]
    rest_s = np.cumsum(plan_move(600, STEP_DEG, limits).intervals_s)
    jump_s = before_s[-1] + stall_s + AT_ONCE_S * np.arange(1, queued + 1)
    rotor = PlatterMechanics(motor=MotorMake()).rotor(hiccup_s=0.0)
    assert rotor is not None
    lost = [rotor.pulse(1, at_s) for at_s in np.concatenate([before_s, jump_s, jump_s[-1] + rest_s])]
    return sum(map(abs, [*lost, rotor.rest(jump_s[-1] + rest_s[-1] + 5)]))


@pytest.mark.parametrize("speed_deg_s", [30, 45, 60])
def test_no_stall_costs_a_step_of_the_usual_motor(speed_deg_s: float) -> None:
    queued = PUNCTUAL.waves * int(PUNCTUAL.wave_us * 1e-6 * speed_deg_s / STEP_DEG)
    assert {stall_s: lost_steps(speed_deg_s, stall_s, queued) for stall_s in STALLS_S} == dict.fromkeys(STALLS_S, 0)


def test_a_queue_of_forty_milliseconds_would() -> None:
    assert any(lost_steps(60, stall_s, 64) for stall_s in STALLS_S)
