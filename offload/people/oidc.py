"""One OpenID Connect issuer: where to send people, what their code is worth, and whose signature counts.

Authorization code with PKCE (RFC 7636, S256); the ID token is checked as OpenID Connect Core 1.0, 3.1.3.7 says.
"""

import base64
import hashlib
import json
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from offload.people.oidc_setting import OidcProblem, OidcSetting, check_private_on_the_way

TIMEOUT_S = 10.0
LARGEST_ANSWER_BYTES = 1 << 20
LEEWAY_S = 60
KEPT_S = 3600.0
"""How long the issuer's addresses and keys are believed."""
LOOK_AGAIN_S = 30.0
"""At the earliest, for a key that is not known."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""All with a public key: a shared one, or none, would let whoever knows the public one sign."""


class IssuerAway(RuntimeError):
    """The issuer does not answer as it should; somebody else's fault, and waiting may help."""


class LoginRefused(RuntimeError):
    """The issuer vouches for nobody here; the message says why."""


@dataclass(frozen=True)
class Person:
    """Whom the issuer vouches for."""

    issuer: str
    subject: str
    email: str | None
    """Only where the issuer has verified it."""


@dataclass(frozen=True)
class _Known:
    addresses: dict[str, Any]
    keys: KeySet
    at_s: float


class Issuer:
    """Blocks its thread while it asks; thread-safe."""

    def __init__(self, setting: OidcSetting) -> None:
        self.setting = setting
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where to send a person. Raises IssuerAway."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.setting.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        where = str(self._look().addresses["authorization_endpoint"])
        return f"{where}{'&' if '?' in where else '?'}{urlencode(query)}"

    def person(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Person:
        """Return whom a code stands for. Raises IssuerAway, LoginRefused."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        form |= {"client_id": self.setting.client_id, "code_verifier": verifier}
        secret = self.setting.client_secret
        answer = self._ask(
            "POST",
            str(self._look().addresses["token_endpoint"]),
            data=form,
            auth=(self.setting.client_id, secret) if secret else None,
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise LoginRefused(f"the issuer takes this code for nothing: {answer.get('error', 'no id_token')}")
        return self._vouched(token, nonce)

    def _vouched(self, token: str, nonce: str) -> Person:
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.setting.issuer},
            aud={"essential": True, "value": self.setting.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = self._decoded(token)
            rules.validate(claims)
        except (JoseError, ValueError) as problem:
            raise LoginRefused(f"the issuer's token is not good: {type(problem).__name__}: {problem}") from problem
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != self.setting.client_id:
            raise LoginRefused("the issuer's token was made for another service")
        email = claims.get("email") if claims.get("email_verified") is True else None
        return Person(self.setting.issuer, str(claims["sub"]), email)

    def _decoded(self, token: str) -> dict[str, Any]:
        known = self._look()
        try:
            return jwt.decode(token, known.keys, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            if time.monotonic() - known.at_s < LOOK_AGAIN_S:
                raise
        return jwt.decode(token, self._look(again=True).keys, algorithms=ALGORITHMS).claims

    def _look(self, *, again: bool = False) -> _Known:
        with self._lock:
            if self._known is None or again or time.monotonic() - self._known.at_s > KEPT_S:
                self._known = self._discover()
            return self._known

    def _discover(self) -> _Known:
        issuer = self.setting.issuer
        addresses = self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if addresses.get("issuer") != issuer:
            raise IssuerAway(f"{issuer} calls itself {addresses.get('issuer')}; set it exactly as it does")
        try:
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                check_private_on_the_way(f"{name} of {issuer}", str(addresses[name]))
            keys: Any = self._ask("GET", str(addresses["jwks_uri"]))
            return _Known(addresses, KeySet.import_key_set(keys), time.monotonic())
        except (KeyError, OidcProblem, JoseError, ValueError) as problem:
            raise IssuerAway(f"{issuer} does not describe itself as it should: {problem!r}") from problem

    def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        """Return the JSON object of an answer, also of one that refuses. Raises IssuerAway."""
        body = b""
        try:
            with (
                httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
                client.stream(method, url, headers={"Accept": "application/json"}, **more) as answer,
            ):
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER_BYTES:
                        raise IssuerAway(f"{url} answers with more than {LARGEST_ANSWER_BYTES} bytes")
            found = json.loads(body)
        except (httpx.HTTPError, ValueError) as problem:
            raise IssuerAway(f"{url} does not answer as it should: {type(problem).__name__}") from problem
        if not isinstance(found, dict) or answer.status_code >= 500:
            raise IssuerAway(f"{url} does not answer as it should: status {answer.status_code}")
        return found
