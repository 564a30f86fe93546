"""What must hold between keys, checked on every section that is sound by itself."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from offload.wire.bundle import FIRST_CAMERA
from scannerd.config import ButtonSection, MatSection, OffloadSection, ScanSection
from scannerd.config_camera import AnyCameraSection, OtherCameraSection, read_lens
from scannerd.config_motors import BETWEEN, LiftSection, TurntableSection
from scannerd.scan.pattern import ImpossiblePattern, pattern_of

MAX_STEPS_PER_SECOND = 40_000
"""Common motor drivers want pulses of some microseconds."""

SPI_DATA_PIN = 10
"""Of /dev/spidev0.*: a ring's data line."""


def broken_rules(sections: Mapping[str, Any]) -> list[str]:
    """Return one line for each rule that does not hold; sections that are missing are not judged."""
    problems: list[str] = []
    turntable, button, mat = sections.get("turntable"), sections.get("button"), sections.get("mat")
    others: tuple[OtherCameraSection, ...] = sections.get("cameras", ())
    problems += _pins(sections)
    if button is not None:
        problems += _press_times(button)
    if turntable is not None and turntable.driver == "stepper_gpio":
        problems += _step_rate(turntable)
    if turntable is not None and turntable.driver == "serial_table":
        problems += _phrases(turntable)
    if (lift := sections.get("lift")) is not None:
        problems += _lift(lift)
    if turntable is not None and lift is not None:
        problems += _shared_port(turntable, lift)
    if (scan := sections.get("scan")) is not None:
        problems += _pattern(scan, lift, others)
    if mat is not None and mat.used:
        problems += _mat(mat)
    if (offload := sections.get("offload")) is not None:
        problems += _quiet_hours(offload)
    if (camera := sections.get("camera")) is not None:
        problems += cameras_at_odds(camera, others)
        if sections.get("intrinsics") is not None:
            problems += _lens("[intrinsics] file", sections["intrinsics"].file, camera)
    for other in others:
        problems += _lens(f"[[cameras]] {other.name}: intrinsics_file", other.intrinsics_file, other)
    return problems


def pins_used(sections: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """Return section, key and BCM number of every pin that some device is connected to."""
    used: list[tuple[str, str, int]] = []
    for motor in ("turntable", "lift"):
        section = sections.get(motor)
        if section is not None and section.driver == "stepper_gpio":
            used += [(motor, name, getattr(section, name)) for name in ("step_pin", "direction_pin", "enable_pin")]
            used += [(motor, "microstep_pins", pin) for pin in getattr(section, "microstep_pins", ())]
            sensor = "index" if motor == "turntable" else "switch"
            if getattr(section, sensor) != "none":
                used.append((motor, f"{sensor}_pin", getattr(section, f"{sensor}_pin")))
    for name in ("button", "led", "light", "emergency_stop", "buzzer"):
        section = sections.get(name)
        if section is not None and section.driver == "ws2812":
            used.append((name, "device", SPI_DATA_PIN))
        elif section is not None and section.driver != "none":
            used.append((name, "pin", section.pin))
    return used


def _pins(sections: Mapping[str, Any]) -> list[str]:
    """Two devices on one pin would fight over its level."""
    first: dict[int, str] = {}
    problems = []
    for section, name, pin in pins_used(sections):
        where = f"[{section}] {name}"
        if pin in first:
            problems.append(f"{where} = {pin}: {first[pin]} has this pin already; use another")
        first.setdefault(pin, where)
    return problems


def _press_times(button: ButtonSection) -> list[str]:
    longest_s = button.hold_s + button.warn_s
    if button.stuck_s > longest_s:
        return []
    return [
        f"[button] stuck_s = {button.stuck_s:g}: a press that cancels takes hold_s + warn_s = {longest_s:g} s; "
        "use more than that"
    ]


def _quiet_hours(offload: OffloadSection) -> list[str]:
    begin, end = offload.quiet_from, offload.quiet_until
    if (begin is None) != (end is None):
        missing = "quiet_from" if begin is None else "quiet_until"
        return [f"[offload] {missing} is empty: quiet hours need both times, or none"]
    if begin is not None and begin == end:
        return [f'[offload] quiet_until = "{end}": the same as quiet_from; give another time']
    return []


def _step_rate(turntable: TurntableSection) -> list[str]:
    rate = turntable.max_speed_deg_s / 360 * turntable.steps_per_turn
    if rate <= MAX_STEPS_PER_SECOND:
        return []
    fastest_deg_s = MAX_STEPS_PER_SECOND * 360 / turntable.steps_per_turn
    return [
        f"[turntable] max_speed_deg_s = {turntable.max_speed_deg_s:g}: needs {rate:.0f} steps/s, "
        f"the driver can do {MAX_STEPS_PER_SECOND}; use at most {fastest_deg_s:.4g}, or fewer microsteps"
    ]


def _phrases(turntable: TurntableSection) -> list[str]:
    """A template or a regular expression that cannot be is known before the table is."""
    problems = []
    try:
        re.compile(turntable.error_reply)
    except re.error as reason:
        problems.append(f"[turntable] error_reply: no regular expression: {reason}")
    for name in ("move", "move_by", "query", "stop", "home", "off", "on"):
        command, _, reply = getattr(turntable, f"{name}_command").partition(BETWEEN)
        try:
            command.format(angle_deg=0.0, units=0.0, by_deg=0.0, by_units=0.0, speed_deg_s=0.0)
            groups = re.compile(reply).groupindex
        except (KeyError, ValueError, IndexError, re.error) as reason:
            problems.append(f"[turntable] {name}_command: cannot be used: {reason}; see docs/motion.md")
            continue
        if name == "query" and command and not groups.keys() & {"angle_deg", "units"}:
            problems.append("[turntable] query_command: its reply needs (?P<angle_deg>…) or (?P<units>…)")
    if not turntable.move_command and not turntable.move_by_command:
        problems.append("[turntable] move_command: nothing moves the table; use one, or move_by_command")
    return problems


def _lift(lift: LiftSection) -> list[str]:
    problems = []
    if lift.lowest_deg >= lift.highest_deg:
        problems.append(f"[lift] lowest_deg = {lift.lowest_deg:g}: use less than highest_deg = {lift.highest_deg:g}")
    elif not lift.lowest_deg <= lift.home_deg <= lift.highest_deg:
        problems.append(
            f"[lift] home_deg = {lift.home_deg:g}: use {lift.lowest_deg:g} to {lift.highest_deg:g}, its soft limits"
        )
    rate = lift.max_speed_deg_s / lift.step_deg
    if lift.driver in ("stepper_gpio", "none") and rate > MAX_STEPS_PER_SECOND:
        problems.append(
            f"[lift] max_speed_deg_s = {lift.max_speed_deg_s:g}: needs {rate:.0f} steps/s, the driver can do "
            f"{MAX_STEPS_PER_SECOND}; use at most {MAX_STEPS_PER_SECOND * lift.step_deg:.4g}"
        )
    return problems


def _shared_port(turntable: TurntableSection, lift: LiftSection) -> list[str]:
    """One controller that moves both speaks one language, at one speed, of two axes."""
    on_gpio = ("stepper_gpio", "none")
    if lift.driver in on_gpio or turntable.driver in on_gpio or lift.port != turntable.port:
        return []
    if lift.driver != turntable.driver:
        return [
            f'[lift] driver = "{lift.driver}": [turntable] has the same port with driver = "{turntable.driver}"; use '
            "the same, or another port"
        ]
    problems = []
    if lift.axis == turntable.axis:
        problems.append(f'[lift] axis = "{lift.axis}": turns the platter already; use the other letter of the board')
    if lift.baud != turntable.baud:
        problems.append(f"[lift] baud = {lift.baud}: the same port as [turntable]; use its {turntable.baud}")
    return problems


def _pattern(scan: ScanSection, lift: LiftSection | None, others: Sequence[OtherCameraSection]) -> list[str]:
    lists = {name: getattr(scan, name) for name in ("ring_views", "ring_elevations_deg")}
    lengths = {name: len(values) for name, values in lists.items() if values}
    if len(set(lengths.values())) > 1:
        told = " and ".join(f"{name} {length}" for name, length in lengths.items())
        return [f"[scan] {told} rings: name the same number of rings in both, or leave one empty"]
    for name, length in lengths.items():
        if scan.rings not in (1, length):
            return [f"[scan] rings = {scan.rings}: {name} names {length}; use {length}, or leave it out"]
    try:
        pattern_of(scan, lift=lift, others_deg=[other.elevation_deg for other in others])
    except ImpossiblePattern as reason:
        return [f"[scan] {reason}"]
    return []


def _mat(mat: MatSection) -> list[str]:
    problems = []
    if mat.marker_mm >= mat.square_mm:
        problems.append(
            f"[mat] marker_mm = {mat.marker_mm:g}: markers stand inside squares of {mat.square_mm:g} mm; "
            f"use less than {mat.square_mm:g}"
        )
    markers, available = mat.columns * mat.rows // 2, int(mat.dictionary.rsplit("_", 1)[1])
    if markers > available:
        problems.append(
            f"[mat] columns = {mat.columns}, rows = {mat.rows}: need {markers} markers, {mat.dictionary} has "
            f"{available}; use fewer squares or {mat.dictionary.replace('_250', '_1000')}"
        )
    return problems


def cameras_at_odds(camera: AnyCameraSection, others: Sequence[OtherCameraSection]) -> list[str]:
    """Return one line for each name or device that two cameras have."""
    problems = []
    names, devices = {FIRST_CAMERA: "[camera]"}, {_device(camera): "[camera]"}
    for other in others:
        where = f"[[cameras]] {other.name}"
        if other.name in names:
            problems.append(f"{where}: {names[other.name]} is called so already; use another name")
        if _device(other) in devices:
            problems.append(f"{where}: {_said(other)} is {devices[_device(other)]} already; name another device")
        names.setdefault(other.name, where)
        devices.setdefault(_device(other), where)
    return problems


def _device(camera: AnyCameraSection) -> tuple[str, str | int | None]:
    if camera.driver != "picamera2":
        return camera.driver, camera.device
    return camera.driver, camera.camera_index if isinstance(camera, OtherCameraSection) else 0


def _said(camera: OtherCameraSection) -> str:
    if camera.driver != "picamera2":
        return f'device = "{camera.device or ""}"'
    return f"camera_index = {camera.camera_index}"


def _lens(key: str, file: Path | None, camera: AnyCameraSection) -> list[str]:
    where = f'{key} = "{file}"'
    try:
        lens = read_lens(file)
    except OSError as error:
        return [f"{where}: cannot be read: {error.strerror}"]
    except ValidationError as error:
        first = error.errors()[0]
        return [f"{where}: not a calibrated lens: {'.'.join(map(str, first['loc']))}: {first['msg']}"]
    if lens is not None and (lens.width_px, lens.height_px) != (camera.width_px, camera.height_px):
        return [
            f"{where}: for photos of {lens.width_px}x{lens.height_px}, the camera is set to "
            f"{camera.width_px}x{camera.height_px}; calibrate at that size or leave it empty"
        ]
    return []
