"""What the next press of start asks for, as set on a dashboard."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from scannerd.board.state import Shown
from scannerd.commands import Quality, RawPhotos
from scannerd.config import Config
from scannerd.control.messages import Start


class ScanOptions(Shown):
    """The options as they are."""

    views: int
    rings: int
    quality: Quality
    sides: int
    repeats: int
    exposure_bracket: int
    focus_bracket: int
    raw: RawPhotos


WORDS = ("quality", "raw")
NUMBERS = tuple(name for name in ScanOptions.model_fields if name not in WORDS)


class OptionRefused(ValueError):
    """No such option, or no such value. The message says what would do."""


class OptionShelf:
    """Keeps options until the daemon ends; what nobody set is as configured."""

    def __init__(self, configured: Callable[[], Config]) -> None:
        self._configured = configured
        self._chosen: dict[str, Any] = {}

    def shown(self) -> ScanOptions:
        """Return all options, set or configured."""
        config = self._configured()
        numbers = {name: getattr(config.scan, name) for name in NUMBERS}
        words = {"quality": Quality.STANDARD, "raw": RawPhotos(config.camera.raw)}
        return ScanOptions.model_validate(numbers | words | self._chosen)

    def chosen(self) -> dict[str, Any]:
        """Return what a press of start should add to the command."""
        return dict(self._chosen)

    def choose(self, name: str, payload: bytes) -> None:
        """Keep an option. Raises OptionRefused."""
        value = _read(name, payload)
        try:
            start = Start.model_validate({"command": "start", name: value})
        except ValidationError as error:
            raise OptionRefused(f"option {name} = {value}: {error.errors()[0]['msg']}") from error
        self._chosen[name] = getattr(start, name)


def _read(name: str, payload: bytes) -> int | str:
    text = payload[:40].decode(errors="replace").strip()
    if name in WORDS:
        return text
    if name not in NUMBERS:
        raise OptionRefused(f"option {name[:40]!r} is unknown; use {', '.join((*NUMBERS, *WORDS))}")
    try:
        # Home Assistant sends 24 or 24.0.
        number = float(text)
        if number.is_integer():
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise OptionRefused(f"option {name} = {text!r}: use a whole number")
