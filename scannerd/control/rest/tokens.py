"""Who is paired: tokens as hashes in `tokens.json`. The token itself is told once and kept nowhere here."""

import hashlib
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scannerd.store.durable import write_durably

LOG = logging.getLogger(__name__)

MOST_TOKENS = 64
"""So many devices can be paired at a time."""
NOTED_EVERY = timedelta(minutes=10)
"""So exactly is known when a token was last used: an SD card is not written at every request."""


class TooManyTokens(RuntimeError):
    """No more device can be paired before one is revoked."""


class TokenEntry(BaseModel):
    """One paired device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_id: str = Field(pattern=r"^[0-9a-f]{8}$")
    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created_at: datetime
    last_used_at: datetime | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tokens: list[TokenEntry] = []


class TokenBook:
    """The paired devices of one scanner, in memory and in a file that only the daemon's user can read."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Read the file. One that cannot be read is put aside: then nobody is paired, and everybody can pair anew."""
        self._path = path
        self._now = now
        self._by_hash = {entry.sha256: entry for entry in self._read()}
        self._unsaved = False

    def entries(self) -> list[TokenEntry]:
        """Return the paired devices, oldest first."""
        return sorted(self._by_hash.values(), key=lambda entry: entry.created_at)

    def find(self, token: str) -> TokenEntry | None:
        """Return whose token it is, and remember that it was used."""
        digest = _digest(token)
        entry = self._by_hash.get(digest)
        if entry is None:
            return None
        now = self._now()
        if entry.last_used_at is None or now - entry.last_used_at >= NOTED_EVERY:
            entry = self._by_hash[digest] = entry.model_copy(update={"last_used_at": now})
            self._unsaved = True
        return entry

    def counts(self, token_id: str | None) -> bool:
        """Whether this device is (still) paired."""
        return any(entry.token_id == token_id for entry in self._by_hash.values())

    def issue(self, name: str) -> tuple[str, TokenEntry]:
        """Return a new token of 256 bits and its entry; it counts once it is on the disk.

        Raises TooManyTokens, StoreFault.
        """
        if len(self._by_hash) >= MOST_TOKENS:
            raise TooManyTokens(f"{MOST_TOKENS} devices are paired; revoke one that nobody uses any more")
        token = secrets.token_urlsafe(32)
        taken = {entry.token_id for entry in self._by_hash.values()}
        token_id = next(new for new in iter(lambda: secrets.token_hex(4), "") if new not in taken)
        entry = TokenEntry(token_id=token_id, name=name, sha256=_digest(token), created_at=self._now())
        self._write([*self._by_hash.values(), entry])
        self._by_hash[entry.sha256] = entry
        return token, entry

    def revoke(self, token_id: str) -> bool:
        """Forget one; False when there is none. Raises StoreFault; then it still counts."""
        found = next((entry for entry in self._by_hash.values() if entry.token_id == token_id), None)
        if found is None:
            return False
        self._write([entry for entry in self._by_hash.values() if entry is not found])
        del self._by_hash[found.sha256]
        return True

    def save(self) -> None:
        """Write down when tokens were last used, if that has changed. Raises StoreFault."""
        if self._unsaved:
            self._write(list(self._by_hash.values()))

    def _read(self) -> list[TokenEntry]:
        try:
            return _File.model_validate_json(self._path.read_bytes()).tokens
        except FileNotFoundError:
            return []
        except (OSError, ValidationError) as error:
            aside = self._path.with_suffix(".broken")
            LOG.error(
                "%s: cannot be used, is kept as %s; every device must be paired anew: %s", self._path, aside, error
            )
            self._path.replace(aside)
            return []

    def _write(self, entries: list[TokenEntry]) -> None:
        write_durably(self._path, _File(tokens=entries).model_dump_json(indent=2).encode(), mode=0o600)
        self._unsaved = False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
