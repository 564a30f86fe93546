"""Tokens of people who have logged in: signed, good for minutes, and worth no more than the person's row says now."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from joserfc import jwe, jwt
from joserfc.errors import JoseError

from offload.depot.instant import now
from offload.depot.tables import TENANTS, USERS
from offload.people.principal import Principal, Scope
from offload.people.token_key import TokenKey

VALID_S = 900
LEEWAY_S = 10
_ISSUER = "offload"
_SIGNED = {"alg": "HS256", "typ": "JWT"}
_SEALED = {"alg": "dir", "enc": "A256GCM"}


class TokenRefused(RuntimeError):
    """This token opens nothing; the message says why."""


@dataclass(frozen=True)
class Tokens:
    """Makes and reads tokens under one secret."""

    key: TokenKey

    def make(self, user_id: str) -> str:
        """Return a token of a user."""
        at_s = int(now().timestamp())
        claims = {"iss": _ISSUER, "aud": _ISSUER, "sub": user_id, "iat": at_s, "exp": at_s + VALID_S}
        return jwt.encode(dict(_SIGNED), claims, self.key.signing, algorithms=["HS256"])

    def principal_of(self, engine: sa.Engine, token: str) -> Principal:
        """Return who carries a token. Raises TokenRefused."""
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": _ISSUER},
            aud={"essential": True, "value": _ISSUER},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            claims = jwt.decode(token, self.key.signing, algorithms=["HS256"]).claims
            rules.validate(claims)
        except (JoseError, ValueError) as problem:
            raise TokenRefused(f"the token is not good: {type(problem).__name__}; log in again") from problem
        return principal_of_user(engine, str(claims["sub"]))

    def seal(self, content: str) -> str:
        """Return content that others may carry but neither read nor change."""
        return jwe.encrypt_compact(dict(_SEALED), content, self.key.sealing, algorithms=list(_SEALED.values()))

    def unseal(self, sealed: str) -> str:
        """Return the content. Raises TokenRefused."""
        try:
            opened = jwe.decrypt_compact(sealed, self.key.sealing, algorithms=list(_SEALED.values()))
        except (JoseError, ValueError) as problem:
            raise TokenRefused("this login was not begun here; begin it again") from problem
        assert opened.plaintext is not None
        return opened.plaintext.decode()


def principal_of_user(engine: sa.Engine, user_id: str) -> Principal:
    """Return a user as a principal, as the row says now. Raises TokenRefused."""
    query = (
        sa.select(USERS, TENANTS.c.closed_at, TENANTS.c.most_requests_a_minute)
        .join(TENANTS, TENANTS.c.tenant_id == USERS.c.tenant_id)
        .where(USERS.c.user_id == user_id)
    )
    with engine.connect() as connection:
        row: Any = connection.execute(query).mappings().one_or_none()
    if row is None or row["disabled_at"] is not None or row["closed_at"] is not None:
        raise TokenRefused("this person is no longer let in")
    return Principal(
        tenant_id=row["tenant_id"],
        actor=f"user:{row['email']}",
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        user_id=user_id,
        most_requests_a_minute=row["most_requests_a_minute"],
    )
