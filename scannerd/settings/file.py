"""Reading `config.toml`: every fault at once, each with what to write instead."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from scannerd.config import SECTIONS, Config
from scannerd.config_camera import MOST_CAMERAS, OtherCameraSection
from scannerd.config_section import Section
from scannerd.settings.rules import broken_rules
from scannerd.settings.text import allowed_values, toml_value, unit_of


class ConfigFaults(ValueError):
    """The file cannot be used. The message lists every problem."""

    def __init__(self, path: Path | str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        super().__init__("\n".join([f"{path}, {count}", *(f"  {problem}" for problem in problems)]))


def read_config(path: Path) -> Config:
    """Read and check the file. Raises ConfigFaults."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"not UTF-8 text ({error.reason})"
        raise ConfigFaults(path, [f"cannot be read: {reason}"]) from error
    return parse_config(text, path)


def parse_config(text: str, path: Path | str = "config.toml") -> Config:
    """Check the text of a file that is called `path` in messages. Raises ConfigFaults."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigFaults(path, [f"not TOML: {error}"]) from error
    sections, problems = _check_sections(tables)
    problems += broken_rules(sections)
    if problems:
        raise ConfigFaults(path, problems)
    return Config(**sections)


def read_leniently(path: Path) -> tuple[Config, tuple[str, ...]]:
    """Return what is sound of a file, defaults for the rest, and every problem: for whoever examines a scanner."""
    try:
        return read_config(path), ()
    except ConfigFaults as faults:
        try:
            sections, _ = _check_sections(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            sections = {}
        return Config(**sections), faults.problems


def _check_sections(tables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the sections that are sound, and what is wrong with the others."""
    sound: dict[str, Any] = {}
    problems: list[str] = []
    for name, table in tables.items():
        if name not in Config.model_fields:
            problems.append(f"[{name}]: unknown section{_nearest_section(name)}")
        elif name in SECTIONS and not isinstance(table, dict):
            problems.append(f"{name} = {toml_value(table)}: write a section [{name}]")
    for name in SECTIONS:
        table = tables.get(name, {})
        model = type(Config.model_fields[name].default)
        if not isinstance(table, dict):
            continue
        try:
            sound[name] = model.model_validate(table)
        except ValidationError as error:
            problems += [_problem(f"[{name}]", model, fault) for fault in error.errors()]
    sound["cameras"], faults = _check_cameras(tables.get("cameras", []))
    return sound, problems + faults


def _check_cameras(tables: object) -> tuple[tuple[OtherCameraSection, ...], list[str]]:
    """Return the other cameras that are sound, and what is wrong with the rest."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        return (), ["[cameras]: write a section [[cameras]] for each further camera"]
    sound, problems = [], []
    for number, table in enumerate(tables, 1):
        try:
            sound.append(OtherCameraSection.model_validate(table))
        except ValidationError as error:
            heading = f"[[cameras]] {table.get('name', number)}:"
            problems += [_problem(heading, OtherCameraSection, fault) for fault in error.errors()]
    if len(tables) >= MOST_CAMERAS:
        problems.append(f"[[cameras]]: {1 + len(tables)} cameras; use at most {MOST_CAMERAS}")
    return tuple(sound), problems


def _problem(heading: str, model: type[Section], fault: ErrorDetails) -> str:
    name = str(fault["loc"][0])
    if fault["type"] == "extra_forbidden":
        return f"{heading} {name}: unknown{_nearest_key(model, name)}"
    if fault["type"] == "missing":
        return f"{heading} {name} is missing: it is {model.model_fields[name].description}"
    allowed = f"{allowed_values(model.model_fields[name])} {unit_of(name)}".rstrip()
    return f"{heading} {name} = {toml_value(fault['input'])}: use {allowed}"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), None)


def _nearest_section(name: str) -> str:
    known = list(Config.model_fields)
    near = _nearest(name, known)
    return f"; did you mean [{near}]?" if near else f"; known are {', '.join(known)}"


def _nearest_key(model: type[Section], name: str) -> str:
    """Look in the same section first, then in all others: keys are often written under the wrong heading."""
    here = list(model.model_fields)
    near = _nearest(name, here)
    if near:
        return f"; did you mean {near}?"
    models = {other: type(Config.model_fields[other].default) for other in SECTIONS}
    homes = {key: other for other, keys in models.items() for key in keys.model_fields}
    near = _nearest(name, homes)
    return f"; did you mean [{homes[near]}] {near}?" if near else f"; known are {', '.join(here)}"
