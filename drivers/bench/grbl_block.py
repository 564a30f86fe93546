"""A line of G-code as GRBL 1.1 reads it, and what it refuses of one. Standard library only."""

import re
from dataclasses import dataclass

WORD = re.compile(r"([A-Z])([-+]?\d*\.?\d*)")
AXES = "XYZABC"
JOGGABLE = {20.0, 21.0, 53.0, 90.0, 91.0}
KNOWN_G = {0.0, 1.0, 4.0, 10.0, 17.0, 20.0, 21.0, 28.0, 40.0, 49.0, 53.0, 54.0, 80.0, 90.0, 91.0, 92.0, 94.0}
KNOWN_M = {0.0, 2.0, 3.0, 4.0, 5.0, 8.0, 9.0, 30.0}
MM_PER_INCH = 25.4


class Refused(Exception):
    """`error:N`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True)
class GrblBlock:
    """The words of one line."""

    codes: frozenset[float]
    """Its G words."""
    values: dict[str, float]
    """Its other words, but for M."""

    def place(self, letter: str) -> float | None:
        """Return what it says of this axis, in mm; None: nothing."""
        value = self.values.get(letter)
        return value if value is None or 20.0 not in self.codes else value * MM_PER_INCH


def read_block(text: str) -> GrblBlock:
    """Return a line's words. Raises Refused."""
    words = _words(text)
    codes = _numbers(words, "G")
    if not codes <= KNOWN_G or not _numbers(words, "M") <= KNOWN_M:
        raise Refused(20)
    return GrblBlock(codes, _values(words))


def read_jog(text: str) -> GrblBlock:
    """Return the words of what follows `$J=`. Raises Refused."""
    words = _words(text)
    codes = _numbers(words, "G")
    if not codes <= JOGGABLE or any(letter not in f"G{AXES}F" for letter, _ in words):
        raise Refused(16)
    block = GrblBlock(codes, _values(words))
    if "F" not in block.values:
        raise Refused(22)
    if not any(letter in block.values for letter in AXES):
        raise Refused(26)
    return block


def _words(text: str) -> list[tuple[str, float]]:
    words, at = [], 0
    while at < len(text):
        found = WORD.match(text, at)
        if found is None:
            raise Refused(1)
        try:
            words.append((found[1], float(found[2])))
        except ValueError:
            raise Refused(2) from None
        at = found.end()
    return words


def _numbers(words: list[tuple[str, float]], letter: str) -> frozenset[float]:
    return frozenset(number for word, number in words if word == letter)


def _values(words: list[tuple[str, float]]) -> dict[str, float]:
    values: dict[str, float] = {}
    for letter, number in words:
        if letter in "GM":
            continue
        if letter in values:
            raise Refused(25)
        values[letter] = number
    return values
