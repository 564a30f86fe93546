"""The typed configuration as data: what a settings form shows, and a person's `config.toml` with values changed.

Every key has a stable id, `section.key`, under which a page finds its text in other languages; the help here is the
one in config.toml.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

import tomlkit
from annotated_types import Ge, Gt, Le, MaxLen, MinLen, MultipleOf
from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from tomlkit.exceptions import TOMLKitError

from scannerd.config import SECTIONS, Config
from scannerd.settings.applies import Applies, applies
from scannerd.settings.file import ConfigFaults, parse_config
from scannerd.settings.text import bound, is_list, items_of, pattern_of, unit_of

Value = bool | int | float | str | tuple[int | float, ...] | None
Changes = Mapping[str, Mapping[str, Any]]
"""Section → key → new value, as JSON has them; None and "" both leave a key without a value."""

Setting = tuple[str, str, Any]
"""Section, key, value."""


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


Kind = Literal["boolean", "integer", "number", "text", "path", "choice", "integers", "numbers"]
"""What a key takes; of the last two a list, whose bounds are those of each of its numbers."""


class SettingsKey(_Shown):
    """One key, with everything that a form needs to ask for it."""

    id: str
    name: str
    kind: Kind
    value: Value
    default: Value
    optional: bool
    """Whether it may be empty."""
    unit: str
    minimum: float | None = None
    minimum_excluded: bool = False
    """The value must be more than `minimum`."""
    maximum: float | None = None
    multiple: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    """A regular expression that a text must match."""
    choices: tuple[int | str, ...] = ()
    help: str
    applies: Applies


class SettingsSection(_Shown):
    """One table of the file."""

    name: str
    help: str
    keys: tuple[SettingsKey, ...]


def settings_of(config: Config) -> tuple[SettingsSection, ...]:
    """Return every section and key with its present value, in the order of the file; other cameras are no section."""
    return tuple(_section(config, name) for name in SECTIONS)


def changed_text(old_text: str, wanted: Changes, path: Path | str = "config.toml") -> str:
    """Return the file's text with the wanted values, and every comment and line that they do not touch as it was.

    Raises ConfigFaults with all problems when the file would not be sound; `path` is its name in them.
    """
    try:
        tables, document = tomllib.loads(old_text), tomlkit.parse(old_text)
    except (tomllib.TOMLDecodeError, TOMLKitError) as error:
        raise ConfigFaults(path, [f"not TOML: {error}"]) from error
    differing = _differing(tables, wanted)
    problems = [problem for setting in differing if (problem := _cannot_be_written(*setting)) is not None]
    if problems:
        raise ConfigFaults(path, problems)
    written = [(section, key, value) for section, key, value in differing if key in _table(tables, section)]
    for section, key, value in written:
        document[section][key] = value
    text = tomlkit.dumps(document)
    for section, key, value in differing:
        if (section, key, value) not in written:
            text = _with_new_key(text, section, f"{key} = {tomlkit.item(value).as_string()}")
    parse_config(text, path)
    if not _holds(text, tables, differing):
        raise ConfigFaults(path, ["cannot be changed in place; write every key in its [section], one on a line"])
    return text


def _table(tables: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    table = tables.get(section, {})
    return table if isinstance(table, dict) else {}


def _holds(text: str, tables: Mapping[str, Any], differing: list[Setting]) -> bool:
    """Whether the text means the old tables with these changes and nothing else."""
    expected = dict(tables)
    for section, key, value in differing:
        expected[section] = {**_table(expected, section), key: value}
    return tomllib.loads(text) == expected


def _section(config: Config, name: str) -> SettingsSection:
    section = getattr(config, name)
    keys = tuple(_key(name, key, field, getattr(section, key)) for key, field in type(section).model_fields.items())
    return SettingsSection(name=name, help=(type(section).__doc__ or "").strip(), keys=keys)


def _key(section: str, name: str, field: FieldInfo, value: object) -> SettingsKey:
    annotation = field.annotation
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    above = bound(field, Gt, "gt")
    _, low, high = items_of(field) if is_list(annotation) else (None, bound(field, Ge, "ge"), bound(field, Le, "le"))
    return SettingsKey(
        id=f"{section}.{name}",
        name=name,
        kind=_kind(annotation),
        value=_as_json(value),
        default=_as_json(field.default),
        optional=NoneType in get_args(annotation),
        unit=unit_of(name),
        minimum=low if above is None else above,
        minimum_excluded=above is not None,
        maximum=high,
        multiple=bound(field, MultipleOf, "multiple_of"),
        min_length=bound(field, MinLen, "min_length"),
        max_length=bound(field, MaxLen, "max_length"),
        pattern=pattern_of(field),
        choices=choices,
        help=field.description or "",
        applies=applies(section, name),
    )


def _kind(annotation: Any) -> Kind:
    if is_list(annotation):
        return "integers" if get_args(get_args(annotation)[0])[0] is int else "numbers"
    if get_origin(annotation) is Literal:
        return "choice"
    kinds = set(get_args(annotation)) if get_origin(annotation) is UnionType else {annotation}
    if bool in kinds:
        return "boolean"
    if int in kinds:
        return "integer"
    if float in kinds:
        return "number"
    return "path" if Path in kinds else "text"


def _as_json(value: object) -> Value:
    return str(value) if isinstance(value, Path) else value  # type: ignore[return-value]


def _differing(tables: Mapping[str, Any], wanted: Changes) -> list[Setting]:
    """Return the wanted values that are not what the file means already, so that it stays short."""
    found = []
    for section, keys in wanted.items():
        for key, value in keys.items():
            written = list(value) if isinstance(value, tuple) else "" if value is None else value
            now = _table(tables, section).get(key, _default(section, key))
            if type(now) is not type(written) or now != written:
                found.append((section, key, written))
    return found


def _default(section: str, key: str) -> object:
    known = type(Config.model_fields[section].default).model_fields if section in SECTIONS else {}
    if key not in known:
        return None
    default = _as_json(known[key].default)
    return "" if default is None else list(default) if isinstance(default, tuple) else default


def _cannot_be_written(section: str, key: str, value: object) -> str | None:
    """Say why TOML cannot hold this name or value; everything else is judged by the configuration's own rules."""
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, bool | int | float | str) for item in items):
        kinds = ", ".join(sorted({type(item).__name__ for item in items}))
        return f"[{section}] {key}: {kinds} is no value; use a number, a text, true or false, or a list of numbers"
    texts = (section, key, *(item for item in items if isinstance(item, str)))
    if any("\ud800" <= letter <= "\udfff" for text in texts for letter in text):
        return f"[{section!r}] {key!r}: holds half a character; type it again"
    if not all(name.isascii() and name.replace("_", "a").isalnum() for name in (section, key)):
        return f"[{section!r}] {key!r}: unknown; names have letters, digits and _ only"
    return None


def _with_new_key(text: str, section: str, line: str) -> str:
    """Return the text with a line at the end of a section, before the blank lines and comments that follow it."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    header = next((number for number, old in enumerate(lines) if _header_of(old) == section), None)
    if header is None:
        gap = ["\n"] if lines and lines[-1].strip() else []
        return "".join([*lines, *gap, f"[{section}]\n", f"{line}\n"])
    last = header
    for number in range(header + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            last = number
    return "".join([*lines[: last + 1], f"{line}\n", *lines[last + 1 :]])


def _header_of(line: str) -> str | None:
    stripped = line.partition("#")[0].strip()
    return stripped[1:-1].strip() if stripped.startswith("[") and stripped.endswith("]") else None
