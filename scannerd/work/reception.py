"""Where every front door hands in its commands: once each, in time, and always with an answer."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from drivers.protocols import DriverError
from offload.logs.fields import about
from scannerd.commands import Accepted, Command, CommandRefused
from scannerd.events import CommandAnswered, Event
from scannerd.requests import Answer, AnswerStatus, Request
from scannerd.store.durable import StoreFault, StoreFull
from scannerd.store.ledger import CommandLedger
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

MAX_WAITING = 32
"""So many commands may be under way at a time; a person sends one, a broken program thousands."""

Submit = Callable[[Command], Awaitable[Accepted]]


class Reception:
    """Answers requests. The same id is answered the same way, also after a restart."""

    def __init__(
        self,
        submit: Submit,
        ledger: CommandLedger,
        publish: Callable[[Event], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`submit` carries a command out, as the desk does."""
        self._submit = submit
        self._ledger = ledger
        self._publish = publish
        self._now = now
        self._disk = WorkerThread("ledger")
        self._under_way: OrderedDict[str, tuple[str, asyncio.Future[Answer]]] = OrderedDict()

    async def ask(self, request: Request) -> Answer:
        """Carry a command out, or say why not; never raises for either.

        Cancelling this call leaves the command under way; asking again with the same id tells how it ended.
        """
        fingerprint = _fingerprint(request.command)
        if request.command_id in self._under_way:
            first, answer = self._under_way[request.command_id]
            return _repeated(request, first, fingerprint, await asyncio.shield(answer))
        known = self._ledger.find(request.command_id)
        if known is not None:
            return _repeated(request, known.command, fingerprint, _answer_of(known.command_id, known.answer))
        turned_away = self._turned_away(request)
        if turned_away is not None:
            return self._told(request, Answer(request.command_id, AnswerStatus.REFUSED, reason=turned_away))
        answer = asyncio.get_running_loop().create_future()
        self._under_way[request.command_id] = (fingerprint, answer)
        try:
            told = await self._carry_out(request, fingerprint)
            answer.set_result(told)
        except asyncio.CancelledError:
            answer.set_result(Answer(request.command_id, AnswerStatus.FAILED, reason="the daemon is going down"))
            raise
        finally:
            del self._under_way[request.command_id]
        return told

    def close(self) -> None:
        """Wait for the last line and end the thread; safe to call twice."""
        self._disk.close()

    def _turned_away(self, request: Request) -> str | None:
        if request.stale is not None:
            return request.stale
        now = self._now()
        if request.expires_at is not None and now >= request.expires_at:
            late_s = (now - request.expires_at).total_seconds()
            return f"came {late_s:.0f} s after it expired; send it again, and compare the clocks if it was fresh"
        if len(self._under_way) >= MAX_WAITING:
            return f"{MAX_WAITING} commands are under way; wait for their answers"
        return None

    async def _carry_out(self, request: Request, fingerprint: str) -> Answer:
        await self._note(lambda: self._ledger.begin(request.command_id, fingerprint))
        answer = await self._answer(request)
        await self._note(lambda: self._ledger.answer(request.command_id, _stored(answer)))
        return self._told(request, answer)

    async def _answer(self, request: Request) -> Answer:
        try:
            accepted = await self._submit(request.command)
        except CommandRefused as refusal:
            return Answer(request.command_id, AnswerStatus.REFUSED, reason=str(refusal))
        except (StoreFault, DriverError, RuntimeError) as fault:
            full = isinstance(fault, StoreFull)
            return Answer(request.command_id, AnswerStatus.FAILED, reason=str(fault), disk_full=full)
        return Answer(request.command_id, AnswerStatus.ACCEPTED, accepted.scan_id)

    async def _note(self, write: Callable[[], None]) -> None:
        """A full disk must not keep anybody from pausing or cancelling."""
        try:
            await self._disk.run(write)
        except StoreFault as fault:
            LOG.warning("the ledger of commands could not be written: %s", fault)

    def _told(self, request: Request, answer: Answer) -> Answer:
        name = type(request.command).__name__
        why = f": {answer.reason}" if answer.reason else ""
        fields = about(scan=answer.scan_id, command_id=request.command_id)
        LOG.info("%s: %s %s%s", request.source, name, answer.status, why, extra=fields)
        self._publish(CommandAnswered(name, request.source, answer))
        return answer


def _fingerprint(command: Command) -> str:
    return repr(command)


def _stored(answer: Answer) -> dict[str, Any]:
    return {name: value for name, value in asdict(answer).items() if name not in ("command_id", "repeated")}


def _answer_of(command_id: str, stored: dict[str, Any] | None) -> Answer:
    if stored is None:
        reason = "it arrived before the daemon's last start, which swallowed its answer; look at the state"
        return Answer(command_id, AnswerStatus.FAILED, reason=reason)
    status = AnswerStatus(stored["status"])
    full = bool(stored.get("disk_full", False))
    return Answer(command_id, status, stored.get("scan_id"), stored.get("reason"), disk_full=full)


def _repeated(request: Request, first: str, fingerprint: str, answer: Answer) -> Answer:
    if first != fingerprint:
        reason = (
            f"id {request.command_id!r} was used for {first}, this is {fingerprint}; give each command its own id"
        )
        return Answer(request.command_id, AnswerStatus.REFUSED, reason=reason)
    return replace(answer, repeated=True)
