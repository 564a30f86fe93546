"""The secret behind tokens: from the environment or a private file, else made once in the data folder."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from joserfc.jwk import OctKey

from offload.depot.folder import DataFolder
from offload.durable import fsync_folder
from offload.private_file import OpenToOthers, read_private

VARIABLE = "OFFLOAD_TOKEN_KEY"
FILE_VARIABLE = "OFFLOAD_TOKEN_KEY_FILE"
SHORTEST = 32


class TokenKeyProblem(RuntimeError):
    """The secret cannot be used as it is configured; the message says what to do."""


class TokenKey:
    """Two keys of one secret: one signs what people carry, the other seals what only this service may read."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.signing, self.sealing = (
            OctKey.import_key(hmac.digest(secret.encode(), purpose, hashlib.sha256))
            for purpose in (b"offload signing", b"offload sealing")
        )

    def derive(self, purpose: str) -> bytes:
        """Return a key for another purpose; none tells anything of the others."""
        return hmac.digest(self._secret.encode(), purpose.encode(), hashlib.sha256)


def read_token_key(environment: Mapping[str, str], folder: DataFolder) -> TokenKey:
    """Return the keys. Services on several machines must be given the same secret. Raises TokenKeyProblem."""
    if value := environment.get(VARIABLE):
        return TokenKey(_checked(value, VARIABLE))
    named = environment.get(FILE_VARIABLE)
    path = Path(named) if named else folder.root / "token.key"
    if not named:
        _make(path)
    try:
        return TokenKey(_checked(read_private(path), str(path)))
    except OpenToOthers as problem:
        raise TokenKeyProblem(str(problem)) from problem
    except OSError as problem:
        raise TokenKeyProblem(f"{path}: {problem.strerror}; {FILE_VARIABLE} must name the secret's file") from problem


def _checked(secret: str, source: str) -> str:
    if len(secret) < SHORTEST:
        raise TokenKeyProblem(f"the secret from {source} has {len(secret)} characters, expected at least {SHORTEST}")
    return secret


def _make(path: Path) -> None:
    """Whole or not at all, and of several processes only the first one's."""
    if path.exists():
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_urlsafe(48).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    fsync_folder(path.parent)
