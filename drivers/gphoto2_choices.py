"""What cameras call their shutter speeds, ISO values, file formats and presets, each maker by its own words. Pure."""

import math
import re
from collections.abc import Callable, Iterable, Sequence

JPEG_FIRST = ("Large Fine JPEG", "JPEG Fine", "JPEG X.Fine", "L", "Extra Fine", "Fine", "JPEG Normal", "Normal")
"""Best first."""
RAW_WORDS = re.compile(r"\b(RAW|cRAW|NEF|ARW|RAF|ORF|RW2|DNG|PEF)\b|RAW", re.IGNORECASE)
PRESETS_FIRST = ("Daylight", "Direct sunlight", "Sunny", "Fine Weather", "Fluorescent", "Tungsten", "Flash", "Manual")
AUTOMATIC = re.compile(r"auto|awb|ambience", re.IGNORECASE)
BY_HAND = re.compile(r"^(M|Manual|MF|Manual exposure)$", re.IGNORECASE)
JPEG_ENDINGS = (".jpg", ".jpeg")


def seconds(word: str) -> float | None:
    """Return an exposure: `1/125`, `0.0080s`, `0"8`, `2.5`, `10/16`; None for bulb and whatever else is no time."""
    plain = word.strip().removesuffix("s").replace('"', "." if re.search(r'"\d', word) else "")
    try:
        if "/" in plain:
            over, under = plain.split("/")
            return float(over) / float(under)
        return float(plain)
    except (ValueError, ZeroDivisionError):
        return None


def gain(word: str) -> float | None:
    """Return the gain of an ISO value; None for automatic ones."""
    found = re.fullmatch(r"(?:ISO\s*)?(\d+)", word.strip())
    return int(found[1]) / 100 if found and int(found[1]) else None


def percent(word: str) -> float | None:
    """Return how full a battery is: `50%`, `Low`; None where it does not say."""
    if word.strip().lower() in ("low", "exhausted", "empty"):
        return 1.0
    found = re.fullmatch(r"(\d+)\s*%", word.strip())
    return float(found[1]) if found else None


def nearest(choices: Iterable[str], wanted: float, value: Callable[[str], float | None]) -> str | None:
    """Return the choice whose value is nearest by ratio, as steps of light are; None where there is none."""
    known = [(choice, number) for choice in choices if (number := value(choice)) is not None and number > 0]
    if not known:
        return None
    return min(known, key=lambda pair: abs(math.log(pair[1] / wanted)))[0]


def bounds(choices: Iterable[str], value: Callable[[str], float | None]) -> tuple[float, float] | None:
    """Return the lowest and highest value; None where there is none."""
    known = [number for choice in choices if (number := value(choice)) is not None and number > 0]
    return (min(known), max(known)) if known else None


def file_format(choices: Sequence[str], now: str, *, keeps_raw: bool) -> str | None:
    """Return which files to ask for: a JPEG, with the raw file beside it or not; None where there is no such way."""
    if keeps_raw:
        both = [choice for choice in choices if RAW_WORDS.search(choice) and re.search(r"\+|JPEG", choice)]
        return now if now in both else next(iter(sorted(both, key=_by_jpeg)), None)
    jpeg = [choice for choice in choices if not re.search(r"RAW|NEF|TIFF|HEIF", choice)]
    return now if now in jpeg else next(iter(sorted(jpeg, key=_by_jpeg)), None)


def white_balance(choices: Sequence[str], now: str) -> str | None:
    """Return a preset that does not change from photo to photo; None where every one may."""
    if not AUTOMATIC.search(now):
        return now
    fixed = [choice for choice in choices if not AUTOMATIC.search(choice)]
    return next((preset for preset in PRESETS_FIRST if preset in fixed), next(iter(fixed), None))


def _by_jpeg(choice: str) -> int:
    ends = [place for place, word in enumerate(JPEG_FIRST) if choice == word or choice.endswith(word)]
    return min(ends, default=len(JPEG_FIRST))
