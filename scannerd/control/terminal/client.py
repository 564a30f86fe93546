"""Asks the daemon of this device, over its socket file."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

ANSWERS_WITHIN_S = 120.0
"""Home and the background photo answer when they are done."""


class NoDaemon(RuntimeError):
    """Nobody answers. The message says what to do."""


class NotDone(RuntimeError):
    """The daemon answered that it will not, or could not. The message is its reason."""


class DaemonSocket:
    """A conversation with the daemon."""

    def __init__(self, socket: Path, answers_within_s: float = ANSWERS_WITHIN_S) -> None:
        self._socket = socket
        transport = httpx.HTTPTransport(uds=str(socket))
        self._http = httpx.Client(transport=transport, base_url="http://localhost", timeout=answers_within_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def read(self, path: str) -> Any:
        """Return what is there, as JSON. Raises NoDaemon, NotDone."""
        return self._told("GET", path, None)

    def picture(self, path: str) -> bytes:
        """Return a picture as it is sent. Raises NoDaemon, NotDone."""
        return self._answered("GET", path, None).content

    def change(self, path: str, body: object) -> Any:
        """Ask for something and return the answer. Raises NoDaemon, NotDone."""
        return self._told("POST", path, body)

    def _told(self, method: str, path: str, body: object | None) -> Any:
        return self._answered(method, path, body).json()

    def _answered(self, method: str, path: str, body: object | None) -> httpx.Response:
        try:
            response = self._http.request(method, f"/api/v1/{path}", json=body)
        except httpx.ConnectError as error:
            raise NoDaemon(self._why_not()) from error
        except httpx.HTTPError as error:
            raise NoDaemon(f"{self._socket}: the daemon went away: {error}") from error
        if response.is_error:
            raise NotDone(str(response.json().get("detail", response.reason_phrase)))
        return response

    def _why_not(self) -> str:
        try:
            is_there = self._socket.exists()
        except PermissionError:
            is_there = True
        if not is_there:
            return (
                f"{self._socket}: no daemon runs here, or it has another [web] socket; sudo systemctl start scannerd"
            )
        return (
            f"{self._socket}: no answer; either you may not (sudo usermod -aG scannerd $USER, then log in again) or "
            "the daemon is gone (sudo systemctl status scannerd)"
        )
