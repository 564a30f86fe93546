"""Storage in a bucket of any S3: every upload and download is checked against the file's SHA-256."""

import hashlib
import io
import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from offload.depot.keys import checked_key
from offload.depot.storage import (
    ContentDamaged,
    NotStored,
    StorageRefused,
    StorageTrouble,
    StorageUnreachable,
    Stored,
    full_told,
)

if TYPE_CHECKING:
    from obstore.store import S3Config

PART_BYTES = 8 << 20
"""Of an upload in parts, and of a download: what is begun again when a connection breaks."""
LOOK_BYTES = 64 << 10
"""Read at once by who looks into a file here and there."""
PARTS_AT_ONCE = 2
HASH_NOTE = "sha256"
CONNECT_S, SILENCE_S, REQUEST_S = 5, 20, 120
RETRIES, RETRY_S = 2, 10.0
"""Of one request. Whoever must not give up waits and calls again."""


@dataclass(frozen=True)
class Bucket:
    """Which bucket, where, and with what key."""

    name: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    prefix: str = ""
    """What our names begin with there; empty, or ends with a slash."""
    endpoint: str | None = None
    """None is Amazon's."""
    public_endpoint: str | None = None
    """By which others reach it, where that differs."""
    links: bool = True
    """Whether others reach it at all."""
    checksums: bool = True
    """Send S3's own SHA-256 checksum along; some servers know none."""


class S3Storage:
    """Files in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._store = _store(bucket, bucket.endpoint)
        public = bucket.public_endpoint
        self._public_store = _store(bucket, public) if public else self._store

    @property
    def title(self) -> str:
        """What it is, for logs and people."""
        where = f" at {self._bucket.endpoint}" if self._bucket.endpoint else ""
        return f"the S3 bucket {self._bucket.name}{where}"

    def check(self) -> None:
        """Look into the bucket. Raises StorageRefused, StorageUnreachable."""
        with self._told("it cannot be looked into", missing=StorageRefused):
            next(iter(obstore.list(self._store, f"{self._bucket.prefix}check/", chunk_size=1)), None)

    def put(self, key: str, path: Path, sha256: str) -> None:
        """Store a local file: `Storage.put`. A kill can leave parts that nobody sees (docs/storage.md)."""
        size_bytes = path.stat().st_size
        with self._told(f"{key} cannot be stored", missing=StorageRefused):
            obstore.put(
                self._store,
                self._name(key),
                _whole(path, sha256) if size_bytes <= PART_BYTES else _parts(path, sha256),
                attributes={HASH_NOTE: sha256},
                use_multipart=size_bytes > PART_BYTES,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
        if self.stat(key) != Stored(key, size_bytes, sha256):
            raise StorageUnreachable(f"{key} was stored, but {self.title} does not show it as it was sent")

    def stat(self, key: str) -> Stored | None:
        """Return what is stored there."""
        try:
            with self._told(f"{key} cannot be looked up"):
                found = obstore.get(self._store, self._name(key), options={"head": True})
                return Stored(key, found.meta["size"], _noted(found.attributes.get(HASH_NOTE)))
        except NotStored:
            return None

    def open(self, key: str) -> BinaryIO:
        """Open a stored file for reading, by requests for ranges. Raises NotStored."""
        stored = self.stat(key)
        if stored is None:
            raise NotStored(f"{key} is not in {self.title}")
        return io.BufferedReader(_Ranges(self, stored), LOOK_BYTES)

    def read(self, key: str, start_bytes: int, length_bytes: int) -> bytes:
        """Return a range of a stored file; the start must lie inside it. Raises NotStored."""
        with self._told(f"{key} cannot be read"):
            return bytes(obstore.get_range(self._store, self._name(key), start=start_bytes, length=length_bytes))

    def fetch(self, key: str, target: Path, sha256: str) -> None:
        """Make `target` the stored file, verified: `Storage.fetch`."""
        stored = self.stat(key)
        if stored is None:
            raise NotStored(f"{key} is not in {self.title}")
        aside = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.tmp")
        try:
            with full_told(target):
                found = self._download(stored, aside)
            if found != sha256:
                raise ContentDamaged(f"{key} of {self.title}", sha256, found)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)

    def local(self, key: str) -> Path | None:
        """Return None: it lies elsewhere."""
        return None

    def link(self, key: str, valid_s: float) -> str | None:
        """Return a presigned URL; made here, without asking the server."""
        if not self._bucket.links:
            return None
        return obstore.sign(self._public_store, "GET", self._name(key), timedelta(seconds=valid_s))

    def delete(self, keys: Iterable[str]) -> None:
        """Make these files gone."""
        names = [self._name(key) for key in keys]
        if names:
            with self._told(f"{len(names)} files cannot be deleted"):
                obstore.delete(self._store, names)

    def below(self, prefix: str) -> Iterator[Stored]:
        """Go through all files whose key begins so."""
        ours = len(self._bucket.prefix)
        with self._told(f"{prefix} cannot be listed"):
            for chunk in obstore.list(self._store, self._bucket.prefix + prefix):
                yield from (Stored(meta["path"][ours:], meta["size"]) for meta in chunk)

    def _name(self, key: str) -> str:
        return self._bucket.prefix + checked_key(key)

    def _download(self, stored: Stored, target: Path) -> str:
        digest = hashlib.sha256()
        with target.open("wb") as stream:
            for start_bytes in range(0, stored.size_bytes, PART_BYTES):
                part = self.read(stored.key, start_bytes, min(PART_BYTES, stored.size_bytes - start_bytes))
                digest.update(part)
                stream.write(part)
        return digest.hexdigest()

    @contextmanager
    def _told(self, what: str, missing: type[StorageTrouble] = NotStored) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as problem:
            raise missing(f"{what}: {self.title} has no such file or bucket") from problem
        except (PermissionDeniedError, UnauthenticatedError) as problem:
            raise StorageRefused(f"{what}: {self.title} refuses our key; {_first_line(problem)}") from problem
        except BaseError as problem:
            if _is_refusal(problem):
                raise StorageRefused(f"{what}: {self.title} refuses; {_first_line(problem)}") from problem
            raise StorageUnreachable(f"{what}: {self.title}: {_first_line(problem)}") from problem


class _Ranges(io.RawIOBase):
    """A stored file as a stream that can be sought in."""

    def __init__(self, storage: S3Storage, stored: Stored) -> None:
        super().__init__()
        self._storage, self._stored, self._at_bytes = storage, stored, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at_bytes, os.SEEK_END: self._stored.size_bytes}[whence]
        if base + offset < 0:
            raise OSError(f"{self._stored.key} has no place {base + offset}")
        self._at_bytes = base + offset
        return self._at_bytes

    def readall(self) -> bytes:
        parts = []
        while part := self.read(PART_BYTES):
            parts.append(part)
        return b"".join(parts)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted_bytes = min(len(buffer), self._stored.size_bytes - self._at_bytes)
        if wanted_bytes <= 0:
            return 0
        part = self._storage.read(self._stored.key, self._at_bytes, wanted_bytes)
        buffer[: len(part)] = part
        self._at_bytes += len(part)
        return len(part)


def _store(bucket: Bucket, endpoint: str | None) -> S3Store:
    config: S3Config = {
        "region": bucket.region,
        "access_key_id": bucket.access_key_id,
        "secret_access_key": bucket.secret_access_key,
    }
    if endpoint:
        config["endpoint"] = endpoint
    if bucket.session_token:
        config["session_token"] = bucket.session_token
    if bucket.checksums:
        config["checksum_algorithm"] = "SHA256"
    return S3Store(
        bucket.name,
        config=config,
        client_options={
            "allow_http": endpoint is not None and endpoint.startswith("http:"),
            "connect_timeout": timedelta(seconds=CONNECT_S),
            "read_timeout": timedelta(seconds=SILENCE_S),
            "timeout": timedelta(seconds=REQUEST_S),
        },
        retry_config={
            "max_retries": RETRIES,
            "retry_timeout": timedelta(seconds=RETRY_S),
            "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=1), "base": 2},
        },
    )


def _whole(path: Path, sha256: str) -> bytes:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ContentDamaged(str(path), sha256, found)
    return content


def _parts(path: Path, sha256: str) -> Iterator[bytes]:
    """Yield a file's parts; at the end raises ContentDamaged, which gives the upload up before anybody sees it."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(PART_BYTES):
            digest.update(part)
            yield part
    if digest.hexdigest() != sha256:
        raise ContentDamaged(str(path), sha256, digest.hexdigest())


def _is_refusal(problem: BaseError) -> bool:
    """Not every call has an exception of its own for this: the listing of a bucket shows the answer's status only."""
    status = re.search(r"status code: (4\d\d)", str(problem))
    return status is not None and status[1] not in ("408", "429")


def _noted(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _first_line(problem: BaseException) -> str:
    return str(problem).strip().split("\n", 1)[0][:300]
