"""What a check found, in a form that a table and a program can show."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check came out."""

    WELL = "well"
    ACT = "act"
    """Somebody should do something."""
    NOT_CHECKED = "not_checked"
    """It cannot be told here; `seen` says why."""


@dataclass(frozen=True)
class Finding:
    """One row of the table."""

    check: str
    verdict: Verdict
    seen: str
    expected: str = ""
    todo: str = ""


def well(check: str, seen: str, expected: str = "") -> Finding:
    """All is as it should be."""
    return Finding(check, Verdict.WELL, seen, expected)


def act(check: str, seen: str, expected: str, todo: str) -> Finding:
    """Somebody should do `todo`."""
    return Finding(check, Verdict.ACT, seen, expected, todo)


def not_checked(check: str, why: str) -> Finding:
    """Nobody can tell here."""
    return Finding(check, Verdict.NOT_CHECKED, f"not checked: {why}")
