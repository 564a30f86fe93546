"""Who a request comes from, as the gate found out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

TRUSTED_SCOPE = "scannerd.trusted"
"""Set in the scope of what came through the Unix socket."""
CALLER_SCOPE = "scannerd.caller"


@dataclass(frozen=True)
class Caller:
    """Somebody whom the gate let through."""

    local: bool = False
    """Came through the Unix socket: one of this device's own users."""
    token_id: str | None = None
    """Of a paired device."""

    @property
    def known(self) -> bool:
        """May change things and see who else is paired."""
        return self.local or self.token_id is not None


IsWelcome = Callable[[Caller], bool]
"""Whether somebody who was let through may read on: a token can be revoked while a stream is open."""


def caller_of_request(request: Request) -> Caller:
    """Return who sent it."""
    caller = request.scope.get(CALLER_SCOPE)
    return caller if isinstance(caller, Caller) else Caller()


class FromThisDevice:
    """The app as it is served on the Unix socket."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, marked."""
        await self._app({**scope, TRUSTED_SCOPE: True}, receive, send)
