"""The key that device and service share: from the environment or a private file, never from a default."""

from collections.abc import Mapping
from pathlib import Path

from offload.private_file import OpenToOthers, read_private

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
        return read_private(path)
    except OpenToOthers as problem:
        raise KeyProblem(str(problem)) from problem
    except OSError as problem:
        raise KeyProblem(f"{path}: {problem.strerror}; {KEY_FILE_VARIABLE} must name the key's file") from problem


def _checked(key: str, source: str) -> str:
    if len(key) < SHORTEST_KEY or not key.isascii():
        raise KeyProblem(
            f"the key from {source} has {len(key)} characters; expected at least {SHORTEST_KEY}, all ASCII "
            "(for example from: openssl rand -hex 24)"
        )
    return key
