"""A command with its id, as it comes through a front door, and the answer that goes back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from secrets import token_hex

from scannerd.commands import Command


def new_command_id() -> str:
    """Return an id for a command whose sender gave none."""
    return token_hex(8)


@dataclass(frozen=True)
class Request:
    """A command and where it came from. The same id is the same request, however often it arrives."""

    command: Command
    command_id: str
    source: str
    """Of the front door, for the log: button, mqtt, rest, terminal."""
    expires_at: datetime | None = None
    """Later than this nobody wants it any more. With a time zone."""
    stale: str | None = None
    """Why the front door does not want it carried out now; if it was before, its answer is told all the same."""


class AnswerStatus(StrEnum):
    """What became of a command."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """It makes no sense now; nothing was changed."""
    FAILED = "failed"
    """It ran into hardware or the disk."""


@dataclass(frozen=True)
class Answer:
    """What the sender is told."""

    command_id: str
    status: AnswerStatus
    scan_id: str | None = None
    """Of the scan that it is about, where there is one."""
    reason: str | None = None
    """Why not, for people: what was observed and what to do."""
    repeated: bool = False
    """The id was known: this is the answer from then, and nothing was done again."""
    disk_full: bool = False
    """It failed for want of space."""
