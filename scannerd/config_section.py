"""One table of config.toml: frozen, typed, bounded, and able to say what each key is for."""

from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def key(default: Any, says: str, **bounds: Any) -> Any:
    """Declare one key: its default, what it is for (shown in config.toml), and pydantic's bounds."""
    return Field(default, description=says, **bounds)


def _path(value: object) -> object:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("no file's name has a NUL character")
    return Path(value) if isinstance(value, str) and value else value


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


def _path_or_none(value: object) -> object:
    return _path(_empty_is_none(value))


def fixed(value: object) -> object:
    """A list of the file, as a value that cannot change."""
    return tuple(value) if isinstance(value, list) else value


Folder = Annotated[Path, BeforeValidator(_path)]
OptionalFile = Annotated[Path | None, BeforeValidator(_path_or_none)]
OptionalText = Annotated[str | None, BeforeValidator(_empty_is_none)]
ViewsOfRings = Annotated[tuple[Annotated[int, Ge(3), Le(720)], ...], BeforeValidator(fixed)]
Elevations = Annotated[tuple[Annotated[float, Ge(-10), Le(90)], ...], BeforeValidator(fixed)]


class Section(BaseModel):
    """One table of the file. Text is never taken for a number, nor the other way."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
