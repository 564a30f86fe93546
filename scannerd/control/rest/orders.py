"""Commands: what a POST asks for becomes a request to the core, and its answer a status."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header
from fastapi import Request as HttpRequest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from offload.wire.base import ScanId
from scannerd import commands
from scannerd.commands import Command
from scannerd.control.messages import AnswerMessage, CommandId, CommandMessage, MorePhotos, ScanWishes
from scannerd.control.rest.caller import caller_of_request
from scannerd.control.rest.gate import API
from scannerd.control.rest.ids import ScanInPath
from scannerd.control.rest.problems import BAD_REQUEST, Refused, documented
from scannerd.control.rest.reply import shown
from scannerd.control.scanner import Scanner
from scannerd.requests import Answer, AnswerStatus, Request, new_command_id

KeyHeader = Annotated[
    CommandId | None,
    Header(
        alias="Idempotency-Key",
        description="Of this command; a repeat with the same key is answered as the first time, and not done again.",
    ),
]


@dataclass(frozen=True)
class Sender:
    """What a request says of its command, beside the body."""

    source: str
    """The front door, for the log and the figures."""
    key: str | None


async def sender_of(request: HttpRequest, key: KeyHeader = None) -> Sender:
    """Return it."""
    return Sender("terminal" if caller_of_request(request).local else "rest", key)


FromSender = Annotated[Sender, Depends(sender_of)]


class Extras(BaseModel):
    """What every command may carry."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    command_id: CommandId | None = None
    """The same as the header Idempotency-Key."""
    expires_at: AwareDatetime | None = None
    """Later than this nobody wants it any more."""


class NewScan(ScanWishes, Extras):
    """What a person chose; what is left out is as configured."""

    model_config = ConfigDict(json_schema_extra={"example": {"views": 36, "rings": 1, "quality": "standard"}})

    scan_id: ScanId | None = None

    def order(self) -> commands.StartScan:
        """Return what the daemon understands."""
        return commands.StartScan(self.scan_id, **self._chosen())


class RetakeWish(Extras):
    """Which photo."""

    model_config = ConfigDict(json_schema_extra={"example": {"index": 17}})

    index: int = Field(ge=0, le=100_000)


class MoreWanted(MorePhotos, Extras):
    """Which photos to add."""

    model_config = ConfigDict(json_schema_extra={"example": {"views": 24, "elevation_deg": 55}})


ExtrasBody = Annotated[Extras | None, Body()]
_ANSWERED: dict[str, Any] = {
    "status_code": 202,
    "response_model": AnswerMessage,
    "responses": documented(*BAD_REQUEST, 404, 409, 503, 507),
}
"""How every command is answered."""


def order_routes(scanner: Scanner) -> APIRouter:
    """Everything that changes something."""
    router = APIRouter(prefix=API, tags=["commands"])
    desk = OrderDesk(scanner)

    @router.post("/scans", operation_id="start_scan", **_ANSWERED)
    async def start_scan(sender: FromSender, body: Annotated[NewScan | None, Body()] = None) -> Response:
        """Begin a scan; the answer names it. Refused while another one runs."""
        wish = body or NewScan()
        return await desk.obey(wish.order(), wish, sender)

    @router.post("/scans/{scan_id}/pause", operation_id="pause_scan", **_ANSWERED)
    async def pause(sender: FromSender, scan_id: ScanInPath, body: ExtrasBody = None) -> Response:
        """Wait before the next photo."""
        return await desk.obey(commands.Pause(scan_id), body, sender)

    @router.post("/scans/{scan_id}/resume", operation_id="resume_scan", **_ANSWERED)
    async def resume(sender: FromSender, scan_id: ScanInPath, body: ExtrasBody = None) -> Response:
        """Go on after a pause or a question; or take what is missing of a scan that was interrupted."""
        return await desk.obey(commands.Resume(scan_id), body, sender)

    @router.post("/scans/{scan_id}/cancel", operation_id="cancel_scan", **_ANSWERED)
    async def cancel(sender: FromSender, scan_id: ScanInPath, body: ExtrasBody = None) -> Response:
        """End the scan before the next photo. What was taken stays."""
        return await desk.obey(commands.Cancel(scan_id), body, sender)

    @router.post("/scans/{scan_id}/retake", operation_id="retake_photo", **_ANSWERED)
    async def retake(sender: FromSender, scan_id: ScanInPath, body: RetakeWish) -> Response:
        """Take one photo again. The old one counts until the new one is on the disk."""
        return await desk.obey(commands.Retake(body.index, scan_id), body, sender)

    @router.post("/scans/{scan_id}/extend", operation_id="extend_scan", **_ANSWERED)
    async def extend(sender: FromSender, scan_id: ScanInPath, body: MoreWanted) -> Response:
        """Add photos to a scan that is not complete yet; they are taken after all others."""
        return await desk.obey(body.extension(scan_id), body, sender)

    @router.delete("/scans/{scan_id}", operation_id="delete_scan", **_ANSWERED)
    async def delete(sender: FromSender, scan_id: ScanInPath, body: ExtrasBody = None) -> Response:
        """Put a scan into the trash."""
        return await desk.obey(commands.DeleteScan(scan_id), body, sender)

    @router.post("/scans/{scan_id}/restore", operation_id="restore_scan", **_ANSWERED)
    async def restore(sender: FromSender, scan_id: ScanInPath, body: ExtrasBody = None) -> Response:
        """Fetch a scan back from the trash."""
        return await desk.obey(commands.RestoreScan(scan_id), body, sender)

    @router.post("/scans/{scan_id}/send-first", operation_id="send_scan_first", **_ANSWERED)
    async def send_first(sender: FromSender, scan_id: ScanInPath, body: ExtrasBody = None) -> Response:
        """Have a scan carried to the service before all others."""
        return await desk.obey(commands.SendFirst(scan_id), body, sender)

    @router.post("/commands", operation_id="command", **_ANSWERED)
    async def command(
        sender: FromSender,
        message: Annotated[CommandMessage, Body(examples=[{"command": "jog", "delta_deg": 10}])],
    ) -> Response:
        """Any command, in the form that MQTT has as well. home, jog and background answer when they are done."""
        return await desk.obey(message.order(), message, sender)

    return router


class OrderDesk:
    """Asks the core and says what became of it."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner

    async def obey(self, command: Command, extras: "Extras | CommandMessage | None", sender: Sender) -> Response:
        """Return 202 with the answer. Raises Refused: 409 refused, 404 no such scan, 503 and 507 failed."""
        in_body = extras.command_id if extras is not None else None
        key = sender.key
        if key is not None and in_body is not None and key != in_body:
            raise Refused(422, f"Idempotency-Key {key!r} and command_id {in_body!r} differ; send one of them")
        expires_at = extras.expires_at if extras is not None else None
        request = Request(command, key or in_body or new_command_id(), sender.source, expires_at)
        answer = await self._scanner.ask(request)
        if answer.status is AnswerStatus.ACCEPTED:
            where = {"Location": f"/api/v1/scans/{answer.scan_id}"} if answer.scan_id else None
            return shown(AnswerMessage.of(answer), 202, where)
        status = await self._status_of(answer, command)
        raise Refused(status, answer.reason or "no reason given", command_id=answer.command_id)

    async def _status_of(self, answer: Answer, command: Command) -> int:
        named: str | None = getattr(command, "scan_id", None)
        is_there = named is not None and await self._is_there(named, isinstance(command, commands.RestoreScan))
        starts = isinstance(command, commands.StartScan)
        if named is not None and not is_there and not starts:
            return 404
        if answer.status is AnswerStatus.REFUSED or (starts and is_there):
            return 409
        return 507 if answer.disk_full else 503

    async def _is_there(self, scan_id: str, in_trash: bool) -> bool:
        layout = self._scanner.store.layout
        folder = layout.deleted(scan_id) if in_trash else layout.scan(scan_id)
        return await self._scanner.reading.run(folder.path.is_dir)
