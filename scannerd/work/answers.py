"""The answer that whoever handed in a command waits for. Giving one twice is giving it once."""

import asyncio

from scannerd.commands import Accepted

Answer = asyncio.Future[Accepted]


def accept(answer: Answer, scan_id: str | None = None) -> None:
    """Say yes."""
    if not answer.done():
        answer.set_result(Accepted(scan_id))


def fail(answer: Answer, reason: Exception) -> None:
    """Say no, or what it ran into."""
    if not answer.done():
        answer.set_exception(reason)
