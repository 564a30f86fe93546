"""`/api/v1/login`: begun with GET, ended with POST. Who may use the service gets a token for a quarter of an hour."""

from typing import Annotated, NoReturn

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field

from offload.people.logins import Logins
from offload.people.oidc import IssuerAway, LoginRefused
from offload.people.quotas import Pace
from offload.people.tokens import VALID_S

LOGINS_A_MINUTE = 30
"""Of one address: each asks the issuer something."""


class LoginBegun(BaseModel):
    """Send the person there; keep `login`, and the person's browser brings code and state back."""

    authorization_url: str
    login: str


class LoginAnswer(BaseModel):
    """What the issuer sent the person back with."""

    login: str = Field(max_length=4096)
    code: str = Field(max_length=4096)
    state: str = Field(max_length=256)


class Token(BaseModel):
    """Send it as `Authorization: Bearer …`."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int = VALID_S
    tenant_id: str
    scopes: list[str]


def add_login_routes(router: APIRouter, logins: Logins | None) -> None:
    """Add both routes; without an issuer they say that there is none."""
    pace = Pace()

    def ready(request: Request) -> tuple[Logins, str | None]:
        if logins is None:
            raise HTTPException(404, "nobody can log in here: the operator has set no OpenID Connect issuer")
        address = request.client.host if request.client else None
        pace.take(f"login from {address}", LOGINS_A_MINUTE)
        return logins, address

    def refuse(problem: IssuerAway | LoginRefused) -> NoReturn:
        raise HTTPException(503 if isinstance(problem, IssuerAway) else 401, str(problem)) from problem

    @router.get("/login")
    def begin(request: Request, redirect_uri: Annotated[str | None, Query(max_length=2000)] = None) -> LoginBegun:
        doors, _address = ready(request)
        try:
            url, login = doors.begin(redirect_uri)
        except (IssuerAway, LoginRefused) as problem:
            refuse(problem)
        return LoginBegun(authorization_url=url, login=login)

    @router.post("/login")
    def end(request: Request, answer: LoginAnswer) -> Token:
        doors, address = ready(request)
        try:
            token, whose = doors.end(answer.login, answer.code, answer.state, address)
        except (IssuerAway, LoginRefused) as problem:
            refuse(problem)
        return Token(access_token=token, tenant_id=whose.tenant_id, scopes=sorted(whose.scopes))
