"""The typed configuration as text: what a key allows, and the documented `config.toml`."""

from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen, MultipleOf
from pydantic.fields import FieldInfo

from scannerd.config import SECTIONS, Config
from scannerd.config_camera import CameraSection, OtherCameraSection
from scannerd.config_section import Section

UNITS = {
    "_dioptres": "dpt",
    "_ev": "EV",
    "_deg_s2": "°/s²",
    "_deg_s": "°/s",
    "_deg": "°",
    "_mm": "mm",
    "_mb": "MB",
    "_kb_s": "KB/s",
    "_px": "px",
    "_us": "µs",
    "_hz": "Hz",
    "_s": "s",
}

HEADER = """\
# Settings of scannerd. Every key is here with its unit, its bounds and its default; leave out what you do not change.
# `scannerd check-config FILE` shows every fault of a file at once. An unknown key is a fault.
"""


def unit_of(name: str) -> str:
    """Return the unit that a key's name ends with; empty without one."""
    return next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")


def toml_value(value: object) -> str:
    """Return a value as one writes it in TOML."""
    if value is None:
        return '""'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, str | Path):
        return '"' + "".join(_escaped(letter) for letter in str(value)) + '"'
    return str(value)


def _escaped(letter: str) -> str:
    """Backslash, quote and what TOML calls control characters cannot stand for themselves."""
    if letter in '\\"':
        return f"\\{letter}"
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x20 or ord(letter) == 0x7F else letter


def allowed_values(field: FieldInfo) -> str:
    """Say in words what a key takes: `1, 2, 4`, `0.1 to 30`, `true or false`."""
    kind = field.annotation
    if is_list(kind):
        return _list(field)
    if get_origin(kind) is Literal:
        return ", ".join(toml_value(value) for value in get_args(kind))
    kinds = set(get_args(kind)) - {NoneType} if get_origin(kind) is UnionType else {kind}
    if bool in kinds:
        return "true or false"
    if kinds & {str, Path}:
        return _text(field, Path in kinds)
    return _number(field, whole=int in kinds)


def is_list(kind: Any) -> bool:
    """Whether a key takes several numbers."""
    return get_origin(kind) is tuple


def items_of(field: FieldInfo) -> tuple[type, float, float]:
    """Return what each number of a list is, int or float, and the least and the most that it may be."""
    kind, *bounds = get_args(get_args(field.annotation)[0])
    low: Any = next(entry.ge for entry in bounds if isinstance(entry, Ge))
    high: Any = next(entry.le for entry in bounds if isinstance(entry, Le))
    return kind, low, high


def bound(field: FieldInfo, kind: type, attribute: str) -> Any:
    """Return one of a key's bounds as declared, such as `bound(field, Ge, "ge")`; None without it."""
    return next((getattr(entry, attribute) for entry in field.metadata if isinstance(entry, kind)), None)


def pattern_of(field: FieldInfo) -> str | None:
    """Return the regular expression that a text must match; None without one."""
    return next((entry.pattern for entry in field.metadata if getattr(entry, "pattern", None)), None)


def _text(field: FieldInfo, is_path: bool) -> str:
    what = "a path in quotes" if is_path else "text in quotes"
    shortest, longest = bound(field, MinLen, "min_length"), bound(field, MaxLen, "max_length")
    if longest is not None:
        what += f", {shortest or 0} to {longest} letters"
    if (form := pattern_of(field)) is not None:
        what += f" of the form {form}"
    return what if field.default is not None else f'{what}, or ""'


def _list(field: FieldInfo) -> str:
    kind, low, high = items_of(field)
    what = "whole numbers" if kind is int else "numbers"
    return f"up to {bound(field, MaxLen, 'max_length')} {what} in [ ], each {low} to {high}"


def _number(field: FieldInfo, whole: bool) -> str:
    low, above, high = bound(field, Ge, "ge"), bound(field, Gt, "gt"), bound(field, Le, "le")
    if high is None or (low is None and above is None):
        raise TypeError(f"{field.description}: a number in config.toml needs both bounds")
    words = f"{low} to {high}" if low is not None else f"more than {above:g}, up to {high}"
    multiple = bound(field, MultipleOf, "multiple_of")
    if multiple is not None:
        words += f", a multiple of {multiple}"
    return f"a whole number, {words}" if whole else words


def documented_toml(config: Config | None = None) -> str:
    """Return `config.toml` with a comment on every key; without `config`, its defaults."""
    config = config or Config()
    blocks = [HEADER]
    for name in SECTIONS:
        section = getattr(config, name)
        lines = [f"# {(type(section).__doc__ or '').strip()}", f"[{name}]", *_keys(section)]
        blocks.append("\n".join(lines) + "\n")
        if name == "camera":
            blocks += [_camera(other) for other in config.cameras] or [_NO_OTHER_CAMERA]
    return "\n".join(blocks)


_OWN_KEYS = [name for name in OtherCameraSection.model_fields if name not in CameraSection.model_fields]
_NO_OTHER_CAMERA = "\n".join(
    [
        "# Further cameras that look at the same table, each in a section [[cameras]] with the keys of [camera] and:",
        *(f"#   {name}: {OtherCameraSection.model_fields[name].description}" for name in _OWN_KEYS),
        "",
    ]
)


def _camera(other: OtherCameraSection) -> str:
    return "\n".join([f"# {(OtherCameraSection.__doc__ or '').strip()}", "[[cameras]]", *_keys(other), ""])


def _keys(section: Section) -> Iterator[str]:
    for key, field in type(section).model_fields.items():
        unit, value = unit_of(key), getattr(section, key)
        bounds = allowed_values(field) + (f" {unit}" if unit else "")
        # TOML has no number that is none.
        unset = "# " if value is None and field.annotation == float | None else ""
        yield f"# {field.description} ({bounds})"
        yield f"{unset}{key} = {toml_value(value)}"
