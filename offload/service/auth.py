"""Who asks and whether they may, for every route; and whether a service may listen without a key."""

import hmac
import ipaddress
from dataclasses import dataclass, replace
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, HTTPException, Request

from offload.apikey import KEY_FILE_VARIABLE, KEY_VARIABLE, KeyProblem
from offload.people.keys import PREFIX, KeyRefused, are_there_keys, principal_of
from offload.people.principal import Principal, Scope, local_operator
from offload.people.quotas import Pace
from offload.people.tokens import TokenRefused, Tokens


def require_key_unless_loopback(host: str, key: str | None, *, has_keys: bool = False) -> None:
    """Refuse to listen where others can reach it without a key. Raises KeyProblem."""
    if key is None and not has_keys and not is_loopback(host):
        raise KeyProblem(
            f"refusing to listen on {host} without a key: set {KEY_VARIABLE} or {KEY_FILE_VARIABLE}, make a tenant's "
            "with `offload key create`, or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Doorkeeper:
    """Tells who a request is from. Keys are compared in constant time."""

    def __init__(
        self, engine: sa.Engine, operator_key: str | None, tokens: Tokens | None = None, *, is_loopback: bool
    ) -> None:
        self._tokens = tokens
        self._engine, self._is_loopback = engine, is_loopback
        self._pace = Pace()
        self._operator_key = operator_key.encode() if operator_key is not None else None

    def admit(self, request: Request) -> Principal:
        """Return who asks. Raises 401, QuotaExceeded."""
        address = request.client.host if request.client else None
        found = self._who(given_key(request))
        if found.most_requests_a_minute is not None:
            self._pace.take(found.tenant_id, found.most_requests_a_minute)
        return replace(found, address=address)

    def _who(self, given: str) -> Principal:
        if self._operator_key is not None and hmac.compare_digest(given.encode(), self._operator_key):
            return local_operator("operator")
        if given.startswith(PREFIX):
            try:
                return principal_of(self._engine, given)
            except KeyRefused as refusal:
                raise _unauthorized(str(refusal)) from refusal
        if self._tokens is not None and given.count(".") == 2:
            try:
                return self._tokens.principal_of(self._engine, given)
            except TokenRefused as refusal:
                raise _unauthorized(str(refusal)) from refusal
        if self._is_open():
            return local_operator("loopback")
        raise _unauthorized("the key is missing or wrong")

    def _is_open(self) -> bool:
        """On loopback, while nobody has ever made or set a key, and nobody can log in."""
        if self._operator_key is not None or self._tokens is not None or not self._is_loopback:
            return False
        with self._engine.connect() as connection:
            return not are_there_keys(connection)


def _unauthorized(why: str) -> HTTPException:
    how = "send Authorization: Bearer <key>, or X-API-Key: <key>"
    return HTTPException(401, f"{why}; {how}", {"WWW-Authenticate": "Bearer"})


def given_key(request: Request) -> str:
    """Return the key or token that a request carries, or nothing."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "").strip()


@dataclass(frozen=True)
class Admitted:
    """The dependency that lets a request through to a route that takes this scope."""

    scope: Scope

    def __call__(self, request: Request) -> Principal:
        """Return who asks. Raises 401, 403."""
        doorkeeper: Doorkeeper = request.app.state.doorkeeper
        found = doorkeeper.admit(request)
        if not found.may(self.scope):
            held = ", ".join(sorted(found.scopes)) or "none"
            raise HTTPException(403, f"this takes the scope {self.scope}; {found.actor} has {held}")
        return found


Reader = Annotated[Principal, Depends(Admitted(Scope.JOBS_READ))]
Writer = Annotated[Principal, Depends(Admitted(Scope.JOBS_WRITE))]
Admin = Annotated[Principal, Depends(Admitted(Scope.ADMIN))]
Watcher = Annotated[Principal, Depends(Admitted(Scope.METRICS))]
Operator = Annotated[Principal, Depends(Admitted(Scope.OPERATOR))]
"""What a route declares as its first argument: no route goes without one of these five."""
