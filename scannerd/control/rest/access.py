"""Pairing and who is paired."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from scannerd.board.state import Shown
from scannerd.control.rest.caller import caller_of_request
from scannerd.control.rest.gate import API, COOKIE
from scannerd.control.rest.ids import TokenInPath
from scannerd.control.rest.limits import Buckets, caller_of
from scannerd.control.rest.pairing import VALID_S, PairingCodes, WrongCode
from scannerd.control.rest.problems import BAD_REQUEST, Refused, documented
from scannerd.control.rest.reply import shown
from scannerd.control.rest.tokens import TokenBook, TooManyTokens
from scannerd.control.scanner import Scanner
from scannerd.store.durable import StoreFault

COOKIE_S = 365 * 86_400
WRONG_CODES_BURST, WRONG_CODES_PER_S = 10, 1 / 30
"""Of one address."""


class PairWish(BaseModel):
    """The code that the device shows, and a name for this tablet or program."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"code": "314562", "name": "shop tablet"}}
    )

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class Paired(Shown):
    """Told once: keep it."""

    token: str = Field(examples=["pN4n0pJxw5cQxQmJXH1yGqW0c0rX2l5b4rR1bXo2y0A"])
    token_id: str = Field(examples=["5f0c9a3e"])


class CodeShown(Shown):
    """A code and how long it counts."""

    code: str = Field(examples=["314562"])
    valid_s: float


class TokenShown(Shown):
    """One paired device."""

    token_id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None = None
    """To about ten minutes."""
    current: bool
    """The one that asks."""


class TokenList(Shown):
    """All paired devices, oldest first."""

    tokens: tuple[TokenShown, ...]


_GONE: dict[int | str, dict[str, Any]] = {204: {"description": "Revoked."}, **documented(*BAD_REQUEST, 404, 503)}


def access_routes(scanner: Scanner, tokens: TokenBook, codes: PairingCodes) -> APIRouter:
    """Who may command."""
    router = APIRouter(prefix=API, tags=["pairing"])
    wrong_codes = Buckets(WRONG_CODES_BURST, WRONG_CODES_PER_S)

    @router.post(
        "/pair/code", operation_id="new_pairing_code", response_model=CodeShown, responses=documented(*BAD_REQUEST)
    )
    async def new_code(request: Request) -> Response:
        """Show a new code. Only for this device's own users, through its socket: `scannerd pair`."""
        if not caller_of_request(request).local:
            raise Refused(403, "a code is shown at the device only: run `scannerd pair` there")
        return shown(CodeShown(code=codes.new_code(), valid_s=VALID_S))

    @router.post("/pair", operation_id="pair", response_model=Paired, responses=documented(*BAD_REQUEST, 409, 503))
    async def pair(request: Request, wish: PairWish) -> Response:
        """Exchange the code for a token, which also comes as a cookie that no script can read."""
        address = caller_of(request.client.host) if request.client else "local"
        wait_s = wrong_codes.wait_s(address)
        if wait_s > 0:
            raise Refused(
                429, f"too many wrong codes; wait {wait_s:.0f} s", headers={"Retry-After": str(round(wait_s) + 1)}
            )
        try:
            codes.redeem(wish.code)
            token, entry = await scanner.reading.run(lambda: tokens.issue(wish.name))
        except WrongCode as wrong:
            wrong_codes.take(address)
            raise Refused(409, str(wrong)) from wrong
        except TooManyTokens as full:
            raise Refused(409, str(full)) from full
        except StoreFault as fault:
            raise Refused(503, str(fault)) from fault
        response = shown(Paired(token=token, token_id=entry.token_id))
        response.set_cookie(COOKIE, token, max_age=COOKIE_S, path="/", httponly=True, samesite="strict")
        return response

    @router.get("/tokens", operation_id="list_tokens", response_model=TokenList, responses=documented())
    async def list_tokens(request: Request) -> Response:
        """Who is paired."""
        mine = caller_of_request(request).token_id
        found = tuple(
            TokenShown(
                token_id=entry.token_id,
                name=entry.name,
                created_at=entry.created_at,
                last_used_at=entry.last_used_at,
                current=entry.token_id == mine,
            )
            for entry in tokens.entries()
        )
        return shown(TokenList(tokens=found))

    @router.delete("/tokens/{token_id}", status_code=204, operation_id="revoke_token", responses=_GONE)
    async def revoke(request: Request, token_id: TokenInPath) -> Response:
        """Forget a paired device: its token counts no more, from now on."""
        try:
            known = await scanner.reading.run(lambda: tokens.revoke(token_id))
        except StoreFault as fault:
            raise Refused(503, str(fault)) from fault
        if not known:
            raise Refused(404, f"no token {token_id}")
        response = Response(status_code=204)
        if caller_of_request(request).token_id == token_id:
            response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response

    return router
