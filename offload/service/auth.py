"""The bearer key: where it comes from, and whether a request carries it."""

import hmac
import ipaddress
import stat
from collections.abc import Mapping
from pathlib import Path

from fastapi import HTTPException, Request

KEY_VARIABLE = "OFFLOAD_API_KEY"
KEY_FILE_VARIABLE = "OFFLOAD_API_KEY_FILE"
SHORTEST_KEY = 16


class KeyProblem(RuntimeError):
    """The key cannot be used as it is configured; the message says what to do."""


def read_key(environment: Mapping[str, str]) -> str | None:
    """Return the key, or None where none is configured. There is no default one. Raises KeyProblem."""
    if value := environment.get(KEY_VARIABLE):
        return _checked(value, KEY_VARIABLE)
    if name := environment.get(KEY_FILE_VARIABLE):
        return _checked(_read_private(Path(name)), name)
    return None


def _read_private(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyProblem(f"{path} may be read by others (mode {mode:04o}, expected 0600); run: chmod 600 {path}")
        return path.read_text().strip()
    except OSError as problem:
        raise KeyProblem(f"{path}: {problem.strerror}; {KEY_FILE_VARIABLE} must name the key's file") from problem


def _checked(key: str, source: str) -> str:
    if len(key) < SHORTEST_KEY or not key.isascii():
        raise KeyProblem(
            f"the key from {source} has {len(key)} characters; expected at least {SHORTEST_KEY}, all ASCII "
            "(for example from: openssl rand -hex 24)"
        )
    return key


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
