"""The desk's queue: one thing at a time, in the order in which it was handed in."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from scannerd.commands import CommandRefused

T = TypeVar("T")


@dataclass(frozen=True)
class Turn:
    """Something that waits to be done, and who waits for it."""

    name: str
    do: Callable[[], Awaitable[None]]
    answer: asyncio.Future[Any]


class Turns:
    """Does what is handed in, one after the other, until it is closed."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Turn] = asyncio.Queue()
        self.is_open = True

    def close(self) -> None:
        """Take nothing more; what waits already is refused when `serve` ends."""
        self.is_open = False

    def require_open(self, name: str) -> None:
        """Raise CommandRefused when closed."""
        if not self.is_open:
            raise CommandRefused(f"{name}: the daemon is going down")

    def put(self, turn: Turn) -> None:
        """Hand something in. Raises CommandRefused when closed."""
        self.require_open(turn.name)
        self._waiting.put_nowait(turn)

    async def run(self, name: str, errand: Callable[[], Awaitable[T]]) -> T:
        """Return what the errand returns once it had its turn. Raises what it raises, CommandRefused when closed."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def do() -> None:
            try:
                result = await errand()
            except asyncio.CancelledError:
                refuse(answer, name)
                raise
            except Exception as error:  # noqa: BLE001 - it is raised where the errand was handed in
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(result)

        self.put(Turn(name, do, answer))
        return await answer

    async def ping(self) -> None:
        """Return once a turn of its own has come; at once when closed."""
        if self.is_open:
            with contextlib.suppress(CommandRefused):
                await self.run("ping", _nothing)

    async def serve(self) -> None:
        """Give everything its turn until cancelled."""
        try:
            while True:
                await (await self._waiting.get()).do()
        finally:
            while not self._waiting.empty():
                turn = self._waiting.get_nowait()
                refuse(turn.answer, turn.name)


def refuse(answer: asyncio.Future[Any], name: str) -> None:
    """Tell whoever waits, if anybody still does, that it will not be done."""
    if not answer.done():
        answer.set_exception(CommandRefused(f"{name}: the daemon is going down"))


async def _nothing() -> None:
    pass
