"""Whether a request carries the key, and whether a service may listen without one."""

import hmac
import ipaddress

from fastapi import HTTPException, Request

from offload.apikey import KEY_FILE_VARIABLE, KEY_VARIABLE, KeyProblem


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


class KeyCheck:
    """A FastAPI dependency: lets a request through that carries the key, in constant time."""

    def __init__(self, key: str | None) -> None:
        self._key = key.encode() if key is not None else None

    def __call__(self, request: Request) -> None:
        """Raise 401 unless the request carries the key."""
        if self._key is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._key):
            raise HTTPException(
                401, "the key is missing or wrong; send Authorization: Bearer <key>", {"WWW-Authenticate": "Bearer"}
            )
