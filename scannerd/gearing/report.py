"""Settings beside what was measured, and the changes that would make them agree."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, get_args

from scannerd.config import Config
from scannerd.config_motors import TurntableSection
from scannerd.gearing.trial import Trial
from scannerd.settings.text import toml_value

SURE_SHARE = 2e-4
"""A gear that differs by less is the same: 0.07° in a turn."""
LARGEST_WHEEL = 20
"""Gears are fractions of small numbers of teeth; nearer ones are believed, else the figure itself."""
LEAST_PLAY_DEG = 0.06
MARGIN = 1.15
"""Play grows as belts age."""
SWINGS_MUCH_DEG = 0.05
"""Half a pixel at the rim of a platter seen at 1600 px."""
OFF_CENTRE_MM = 12.0
"""The scan takes a mat that circles farther for one that was moved."""


MICROSTEPS = get_args(TurntableSection.model_fields["microsteps"].annotation)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    configured: str
    measured: str
    difference: str = ""


@dataclass(frozen=True)
class Report:
    """The table, what to change in [turntable], and what to do by hand."""

    rows: tuple[Row, ...]
    changes: dict[str, Any]
    """Key of [turntable] → value."""
    remarks: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The changes as lines of config.toml."""
        return [f"{key} = {toml_value(value)}" for key, value in self.changes.items()]


def report_of(config: Config, trial: Trial) -> Report:
    """Compare."""
    table = config.turntable
    changes = {**_gear(table, trial), **_direction(table, trial), **_play(table, trial), **_smoothing(table, trial)}
    return Report(tuple(_rows(config, trial)), changes, tuple(_remarks(trial)))


def _rows(config: Config, trial: Trial) -> list[Row]:
    table, scale = config.turntable, trial.scale
    by_steps = table.driver == "stepper_gpio"
    steps = table.steps_per_turn if by_steps else table.units_per_turn
    true_steps = steps / abs(scale.true_per_commanded)
    doubt = true_steps * scale.deviation / abs(scale.true_per_commanded)
    rows = [
        Row(
            "steps in a turn" if by_steps else "controller's units in a turn",
            f"{steps:.6g}",
            f"{true_steps:.2f} ± {doubt:.2f}",
            f"{true_steps - steps:+.2f}",
        ),
        Row("turns", "as commanded", "as commanded" if scale.true_per_commanded > 0 else "the wrong way"),
        Row(
            "play",
            f"{table.backlash_deg:g}°",
            f"{trial.play_deg:.2f}° ± {trial.play_deviation_deg:.2f}°",
            f"{trial.play_deg - table.backlash_deg:+.2f}°",
        ),
    ]
    swing = trial.swing
    told = "none seen, or by too slow a camera"
    if swing is not None:
        told = f"{swing.frequency_hz:.1f} Hz ({swing.period_s:.3f} s), {swing.amplitude_deg:.2f}° after a stop"
    rows.append(Row("swings", f"smoothing_s = {table.smoothing_s:g}", told))
    x, y = trial.axis_foot_mm
    rows.append(Row("axis on the mat", "0.0, 0.0 mm", f"{x:.1f}, {y:.1f} mm", f"{math.hypot(x, y):.1f} mm"))
    wanted = config.scan.ring_elevations_deg
    elevation = f"{wanted[0]:g}°" if wanted else "–"
    off = f"{trial.camera_elevation_deg - wanted[0]:+.1f}°" if wanted else ""
    rows.append(Row("camera above the platter", elevation, f"{trial.camera_elevation_deg:.1f}°", off))
    rows.append(Row("camera to the mat", "–", f"{trial.camera_distance_mm:.0f} mm"))
    return rows


def _gear(table: TurntableSection, trial: Trial) -> dict[str, Any]:
    """Jumpers are wrong by powers of two, gears by anything else; only their product counts."""
    scale = trial.scale
    share = 1 / abs(scale.true_per_commanded)
    doubt = max(3 * scale.deviation * share, SURE_SHARE)
    if abs(share - 1) <= doubt:
        return {}
    if table.driver != "stepper_gpio":
        return {"units_per_turn": round(table.units_per_turn * share, 4)}
    microsteps = max(1, round(table.microsteps * 2 ** round(math.log2(share))))
    by_jumpers = abs(share * table.microsteps / microsteps - 1) <= doubt and not table.microstep_pins
    if by_jumpers and microsteps in MICROSTEPS:
        return {"microsteps": microsteps}
    gear = table.gear_ratio * share
    teeth = float(Fraction(gear).limit_denominator(LARGEST_WHEEL))
    return {"gear_ratio": round(teeth if abs(teeth / gear - 1) <= doubt else gear, 6)}


def _direction(table: TurntableSection, trial: Trial) -> dict[str, Any]:
    return {"invert": not table.invert} if trial.scale.true_per_commanded < 0 else {}


def _play(table: TurntableSection, trial: Trial) -> dict[str, Any]:
    play = abs(trial.play_deg)
    if play < max(LEAST_PLAY_DEG, trial.play_deviation_deg) or play <= table.backlash_deg:
        return {}
    return {"backlash_deg": round(math.ceil(play * MARGIN * 20) / 20, 2)}


def _smoothing(table: TurntableSection, trial: Trial) -> dict[str, Any]:
    swing = trial.swing
    if swing is None or swing.amplitude_deg < SWINGS_MUCH_DEG:
        return {}
    smoothing_s = round(swing.period_s, 3)
    return {"smoothing_s": smoothing_s} if abs(smoothing_s - table.smoothing_s) > 0.1 * smoothing_s else {}


def _remarks(trial: Trial) -> list[str]:
    told = []
    off_mm = math.hypot(*trial.axis_foot_mm)
    if off_mm > OFF_CENTRE_MM / 2:
        told.append(f"the mat lies {off_mm:.0f} mm beside the axis: lay its cross over it, nearer than 6 mm")
    return told
