"""Logging in: begun here, done at the issuer, ended here with a token. Nothing is remembered in between.

What must come back unchanged travels sealed with whoever logs in: the PKCE verifier, nonce, state and address.
"""

import hmac
import secrets

import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from offload.depot.instant import now
from offload.depot.tables import USERS
from offload.people.audit import note
from offload.people.oidc import Issuer, LoginRefused, Person
from offload.people.principal import Principal
from offload.people.tokens import TokenRefused, Tokens, principal_of_user

BEGUN_VALID_S = 600


class Begun(BaseModel):
    """A login on its way, as it is sealed."""

    redirect_uri: str
    state: str
    nonce: str
    verifier: str
    until_s: float


class Logins:
    """People who come by way of one issuer."""

    def __init__(self, engine: sa.Engine, issuer: Issuer, tokens: Tokens) -> None:
        self._engine, self._issuer, self.tokens = engine, issuer, tokens

    def begin(self, redirect_uri: str | None) -> tuple[str, str]:
        """Return where to send the person, and what to bring along with the code. Raises LoginRefused, IssuerAway."""
        known = self._issuer.setting.redirect_uris
        if redirect_uri is not None and redirect_uri not in known:
            raise LoginRefused(f"people are not sent back to {redirect_uri}; the operator allows {', '.join(known)}")
        begun = Begun(
            redirect_uri=redirect_uri or known[0],
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            until_s=now().timestamp() + BEGUN_VALID_S,
        )
        url = self._issuer.authorization_url(begun.redirect_uri, begun.state, begun.nonce, begun.verifier)
        return url, self.tokens.seal(begun.model_dump_json())

    def end(self, login: str, code: str, state: str, address: str | None) -> tuple[str, Principal]:
        """Return a token and whose it is. Raises LoginRefused, IssuerAway."""
        try:
            begun = Begun.model_validate_json(self.tokens.unseal(login))
        except (TokenRefused, ValidationError) as problem:
            raise LoginRefused("this login was not begun here; begin it again") from problem
        if begun.until_s < now().timestamp():
            raise LoginRefused(f"this login was begun more than {BEGUN_VALID_S} s ago; begin it again")
        if not hmac.compare_digest(begun.state.encode(), state.encode()):
            raise LoginRefused("the issuer answers another login than this one; begin it again")
        person = self._issuer.person(code, begun.redirect_uri, begun.nonce, begun.verifier)
        user_id = self._user(person)
        try:
            whose = principal_of_user(self._engine, user_id)
        except TokenRefused as refusal:
            raise LoginRefused(str(refusal)) from refusal
        with self._engine.begin() as connection:
            came = Principal(whose.tenant_id, whose.actor, whose.scopes, user_id, address=address)
            note(connection, came, "user.login", user_id)
        return self.tokens.make(user_id), whose

    def _user(self, person: Person) -> str:
        """Return the user that this person is, from the first time on by the issuer's own name for the person."""
        bound = sa.and_(USERS.c.issuer == person.issuer, USERS.c.subject == person.subject)
        with self._engine.begin() as connection:
            if (user_id := connection.scalar(sa.select(USERS.c.user_id).where(bound))) is not None:
                return str(user_id)
            if person.email is None:
                raise LoginRefused("the issuer has not verified this person's address")
            free = sa.and_(USERS.c.email == person.email.lower(), USERS.c.subject.is_(None))
            found = connection.scalars(sa.select(USERS.c.user_id).where(free, USERS.c.disabled_at.is_(None))).all()
            if len(found) != 1:
                known = "in several tenants" if found else "nowhere"
                raise LoginRefused(f"{person.email} is known {known} here; ask whoever runs this service")
            values = {"issuer": person.issuer, "subject": person.subject}
            connection.execute(sa.update(USERS).where(USERS.c.user_id == found[0]).values(values))
        return str(found[0])
