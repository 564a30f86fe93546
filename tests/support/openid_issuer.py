"""A small OpenID Connect issuer on loopback: discovery, keys, and codes with PKCE for a person always logged in."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID = "offload-test"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class OpenidIssuer:
    """What it says of the person, and how it lies, can be changed at any time."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.key = RSAKey.generate_key(2048, parameters={"kid": "one"})
        self.signed_with: Any = self.key
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {"sub": "ann-1", "email": "ann@shop.example", "email_verified": True}
        self.codes: dict[str, dict[str, str]] = {}
        self.is_ill = False

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the person is sent back to, as if logged in."""
        assert query["client_id"] == CLIENT_ID
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = encoded(digest)
        if asked is None or (challenge, form.get("redirect_uri")) != (asked["code_challenge"], asked["redirect_uri"]):
            return 400, {"error": "invalid_grant"}
        at_s = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": at_s, "exp": at_s + 300, "nonce": asked["nonce"]}
        header = {"alg": self.algorithm, "kid": "one"}
        said = self.signed(header, claims | self.claims)
        return 200, {"id_token": said, "access_token": "x", "token_type": "Bearer"}

    def signed(self, header: dict[str, str], claims: dict[str, Any]) -> str:
        if not isinstance(self.signed_with, bytes):
            return jwt.encode(header, claims, self.signed_with, algorithms=[self.algorithm])
        # A forger's: no library lets anybody take a public key for a shared secret.
        text = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{encoded(hmac.digest(self.signed_with, text.encode(), hashlib.sha256))}"

    def answer(self, method: str, path: str, body: str) -> tuple[int, dict[str, Any]]:
        if self.is_ill:
            return 502, {}
        if (method, path) == ("GET", "/.well-known/openid-configuration"):
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return 200, {"issuer": self.url, **{name: f"{self.url}/{where}" for name, where in names.items()}}
        if (method, path) == ("GET", "/keys"):
            return 200, dict(KeySet([self.key]).as_dict(private=False))
        if (method, path) == ("POST", "/token"):
            return self.token({name: values[0] for name, values in parse_qs(body).items()})
        return 404, {}

    def log_in(self, authorization_url: str) -> dict[str, str]:
        """Return what the person's browser brings back: code and state."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        back = parse_qs(urlsplit(self.authorize(query)).query)
        return {name: values[0] for name, values in back.items()}


@contextmanager
def serving() -> Iterator[OpenidIssuer]:
    """Yield an issuer that answers until the end."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply("GET", "")

        def do_POST(self) -> None:
            self.reply("POST", self.rfile.read(int(self.headers["Content-Length"])).decode())

        def reply(self, method: str, body: str) -> None:
            status, said = issuer.answer(method, self.path, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    issuer = OpenidIssuer(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
