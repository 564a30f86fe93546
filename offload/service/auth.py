"""Who asks and whether they may, for every route; and whether a service may listen without a key."""

import hmac
import ipaddress
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from offload.apikey import KEY_FILE_VARIABLE, KEY_VARIABLE, KeyProblem
from offload.people.principal import Principal, Scope, local_operator


def require_key_unless_loopback(host: str, key: str | None) -> None:
    """Refuse to listen where others can reach it without a key. Raises KeyProblem."""
    if key is None and not _is_loopback(host):
        raise KeyProblem(
            f"refusing to listen on {host} without a key: set {KEY_VARIABLE} or {KEY_FILE_VARIABLE}, "
            "or listen on 127.0.0.1"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Doorkeeper:
    """Tells who a request is from. The key is compared in constant time."""

    def __init__(self, operator_key: str | None) -> None:
        self._operator_key = operator_key.encode() if operator_key is not None else None

    def admit(self, request: Request) -> Principal:
        """Return who asks. Raises 401."""
        if self._operator_key is None:
            return local_operator("loopback")
        if hmac.compare_digest(given_key(request).encode(), self._operator_key):
            return local_operator("operator")
        raise HTTPException(
            401,
            "the key is missing or wrong; send Authorization: Bearer <key>, or X-API-Key: <key>",
            {"WWW-Authenticate": "Bearer"},
        )


def given_key(request: Request) -> str:
    """Return the key or token that a request carries, or nothing."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "").strip()


def admitted(scope: Scope) -> Callable[[Request], Principal]:
    """Return the dependency that lets a request through to a route that takes this scope."""

    def principal(request: Request) -> Principal:
        doorkeeper: Doorkeeper = request.app.state.doorkeeper
        found = doorkeeper.admit(request)
        if not found.may(scope):
            held = ", ".join(sorted(found.scopes)) or "none"
            raise HTTPException(403, f"this takes the scope {scope}; {found.actor} has {held}")
        return found

    return principal


Reader = Annotated[Principal, Depends(admitted(Scope.JOBS_READ))]
Writer = Annotated[Principal, Depends(admitted(Scope.JOBS_WRITE))]
Admin = Annotated[Principal, Depends(admitted(Scope.ADMIN))]
Operator = Annotated[Principal, Depends(admitted(Scope.OPERATOR))]
"""What a route declares as its first argument: no route goes without one of these four."""
