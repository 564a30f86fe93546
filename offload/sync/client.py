"""The service as the device sees it: uploads at an offset, bundles, jobs, results; and its troubles told apart."""

import hashlib
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from offload.sync.clock import ClockWatch
from offload.sync.passage import Passage, local_now
from offload.sync.rate_meter import RateMeter
from offload.sync.tls_words import tls_trouble
from offload.sync.token_bucket import TokenBucket
from offload.sync.trouble import (
    DeviceTrouble,
    JobUnknown,
    KeyRefused,
    ServiceBusy,
    ServiceRefused,
    ServiceUnreachable,
    SyncTrouble,
)
from offload.wire.bundle import Manifest, StoredFile
from offload.wire.jobs import FROM_STORAGE, Job, MissingBlobs

CHUNK_BYTES = 64 << 10
CAPPED_CHUNK_S = 0.5
"""Under a cap the bytes go out evenly, and none of the connections falls silent for long."""
LEAST_CHUNK_BYTES = 256
PIECE_BYTES = 4 << 20
"""Of a large file, in one request: between two of them quiet hours may begin, and a more urgent scan may go first."""
CAPPED_PIECE_S = 20.0
SEND_BUFFER_BYTES = 64 << 10
"""What is in the socket's buffer when a connection breaks is sent again: keep it small."""
LONGEST_BUSY_S = 300.0
TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=20.0, pool=60.0)


Answer = TypeVar("Answer", Job, MissingBlobs)


class CannotTrust(RuntimeError):
    """The file of certificates cannot be used; the message says which and why."""


class Upload:
    """One file on its way: what of it the service has."""

    def __init__(self, path: Path, file: StoredFile) -> None:
        self.path, self.file = path, file
        self.offset_bytes = 0
        """As the service told last."""
        self.complete = False


def trusted(ca_file: Path | None) -> ssl.SSLContext | bool:
    """Return whom to believe: that file's authorities, or the usual ones. Raises CannotTrust."""
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as problem:
        raise CannotTrust(
            f"{ca_file}: holds no certificates to trust ({problem.strerror or problem}); name a PEM file"
        ) from problem


class ServiceClient:
    """Talks to one service. Every call raises SyncTrouble of the kind that says what to do."""

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        connections: int = 4,
        rate_bytes_s: float | None = None,
        passage: Passage | None = None,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        """`rate_bytes_s`: a cap for uploads; `passage` opens and closes the way for everything."""
        self._url = url.rstrip("/")
        self.bucket = TokenBucket(rate_bytes_s)
        self.passage = passage or Passage()
        self.meter = RateMeter()
        self.clock = ClockWatch()
        self.answered_s = float("-inf")
        """When the service last gave an answer that is no trouble, by the monotonic clock."""
        self._chunk_bytes, self._piece_bytes = CHUNK_BYTES, PIECE_BYTES
        if rate_bytes_s is not None:
            self._chunk_bytes = min(CHUNK_BYTES, max(LEAST_CHUNK_BYTES, int(rate_bytes_s * CAPPED_CHUNK_S)))
            self._piece_bytes = min(PIECE_BYTES, max(CHUNK_BYTES, int(rate_bytes_s * CAPPED_PIECE_S / connections)))
        # For the service's storage: a client of its own, since no header with our key may ever get there.
        self._keyless = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False)
        self._http = httpx.AsyncClient(
            base_url=f"{self._url}/api/v1",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=TIMEOUT,
            trust_env=False,
            transport=httpx.AsyncHTTPTransport(
                verify=verify,
                # Two more than carry photos: jobs are asked after, and results fetched, meanwhile.
                limits=httpx.Limits(max_connections=connections + 2),
                socket_options=[(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)],
            ),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        await self._keyless.aclose()

    async def look_up(self, upload: Upload) -> None:
        """Ask what the service has of a file."""
        status = await self._send("HEAD", f"/blobs/{upload.file.sha256}")
        upload.complete = status.headers.get("Upload-Complete") == "?1"
        upload.offset_bytes = _offset(status, upload.file)

    async def send(self, upload: Upload, on_sent: Callable[[int], None]) -> None:
        """Send the next piece, from where the service has it; `on_sent` gets the bytes of each chunk sent."""
        file, offset_bytes = upload.file, upload.offset_bytes
        size_bytes = max(0, min(self._piece_bytes, file.size_bytes - offset_bytes))
        headers = {
            "Upload-Offset": str(offset_bytes),
            "Upload-Length": str(file.size_bytes),
            "Content-Length": str(size_bytes),
        }
        body = self._body(upload.path, offset_bytes, size_bytes, on_sent)
        answer = await self._send("PATCH", f"/blobs/{file.sha256}", headers=headers, content=body)
        if answer.status_code == 422:
            raise ServiceUnreachable(f"{file.name} was damaged on its way: {_detail(answer)}")
        upload.complete = answer.status_code in (200, 201)
        if not upload.complete:
            upload.offset_bytes = _offset(answer, file)
        if not upload.complete and (answer.status_code != 204 or upload.offset_bytes <= offset_bytes):
            raise ServiceUnreachable(f"{file.name} is not complete on the service yet: {_detail(answer)}")

    async def submit(self, manifest: Manifest) -> Job | MissingBlobs:
        """Make the bundle a job, or learn which of its files are missing there."""
        headers = {"Bundle-Sha256": manifest.digest(), "Content-Type": "application/json"}
        answer = await self._send("POST", "/bundles", headers=headers, content=manifest.canonical_bytes())
        if answer.status_code == 422:
            raise ServiceRefused(f"the service refused scan {manifest.scan_id}: {_detail(answer)}")
        return _parsed(MissingBlobs, answer) if answer.status_code == 409 else _parsed(Job, answer)

    async def job(self, job_id: str) -> Job:
        """Return how a job fares. Raises JobUnknown, too."""
        return _parsed(Job, await self._send("GET", f"/jobs/{job_id}"))

    async def download(self, job_id: str, file: StoredFile, target: Path) -> None:
        """Write a result to `target`, verified. Not fsynced."""
        digest = hashlib.sha256()
        await self.passage.wait()
        try:
            async with self._opened(job_id, file) as answer:
                with target.open("wb") as stream:
                    async for chunk in answer.aiter_bytes(CHUNK_BYTES):
                        digest.update(chunk)
                        stream.write(chunk)
        except httpx.TransportError as problem:
            raise self._unreachable(problem) from problem
        except OSError as problem:
            raise DeviceTrouble(f"{target}: {problem.strerror}; free some space on the device") from problem
        if digest.hexdigest() != file.sha256:
            raise ServiceUnreachable(
                f"{file.name} of job {job_id} arrived damaged: it hashes to {digest.hexdigest()}"
            )

    async def _body(
        self, path: Path, offset_bytes: int, size_bytes: int, on_sent: Callable[[int], None]
    ) -> AsyncIterator[bytes]:
        with path.open("rb") as stream:
            stream.seek(offset_bytes, os.SEEK_SET)
            left_bytes = size_bytes
            while left_bytes > 0 and (chunk := stream.read(min(self._chunk_bytes, left_bytes))):
                await self.bucket.take(len(chunk))
                on_sent(len(chunk))
                self.meter.add(len(chunk))
                left_bytes -= len(chunk)
                yield chunk

    @asynccontextmanager
    async def _opened(self, job_id: str, file: StoredFile) -> AsyncIterator[httpx.Response]:
        """Give the answer that holds a result: the service's, or that of the storage which it names for a moment."""
        async with self._http.stream("GET", f"/jobs/{job_id}/results/{file.name}") as answer:
            if answer.headers.get(FROM_STORAGE) != "?1":
                self._check(answer)
                yield answer
                return
            link = answer.headers.get("Location", "")
        try:
            async with self._keyless.stream("GET", link) as answer:
                if answer.status_code != 200:
                    raise ServiceUnreachable(f"the service's storage answers {answer.status_code} to {file.name}")
                yield answer
        except (httpx.TransportError, httpx.InvalidURL) as problem:
            where = f"the service's storage {urlsplit(link).netloc}"
            told = tls_trouble(where, problem, local_now()) if isinstance(problem, httpx.TransportError) else None
            raise told or ServiceUnreachable(f"{where} is not reachable: {problem}") from problem

    async def _send(
        self,
        method: str,
        where: str,
        headers: dict[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        await self.passage.wait()
        try:
            answer = await self._http.request(method, where, headers=headers, content=content)
        except httpx.TransportError as problem:
            raise self._unreachable(problem) from problem
        self._check(answer)
        self.answered_s = time.monotonic()
        return answer

    def _check(self, answer: httpx.Response) -> None:
        status, path = answer.status_code, answer.request.url.path
        self.clock.hear(answer.headers.get("Date"))
        if status in (401, 403):
            raise KeyRefused(
                f"{self._url} refuses the key (status {status}): it is missing, wrong or was withdrawn; put the "
                "service's key into the file that [offload] key_file names (for sync alone: OFFLOAD_API_KEY_FILE)"
            )
        if status >= 500 or status in (408, 423, 425, 429):
            raise ServiceBusy(f"{self._url} answers {status}: {_detail(answer)}", _retry_after_s(answer))
        if status == 404 and "/jobs/" in path:
            raise JobUnknown(f"{self._url} does not know the job: {_detail(answer)}")
        if 300 <= status < 400:
            target = answer.headers.get("Location", "nowhere")
            raise ServiceUnreachable(
                f"{self._url} sends us elsewhere (status {status} to {target}), where the key does not go; a guest "
                "network's sign-in page, or another [offload] url"
            )
        if status >= 400 and status not in (409, 422):
            raise ServiceRefused(f"{self._url} answers {status} to {path}: {_detail(answer)}")

    def _unreachable(self, problem: httpx.TransportError) -> SyncTrouble:
        told = tls_trouble(self._url, problem, local_now())
        return told or ServiceUnreachable(f"{self._url} is not reachable: {str(problem) or type(problem).__name__}")


def _offset(answer: httpx.Response, file: StoredFile) -> int:
    """Nothing makes us read outside of the file."""
    told = answer.headers.get("Upload-Offset", "0")
    return min(int(told), file.size_bytes) if told.isdecimal() else 0


def _retry_after_s(answer: httpx.Response) -> float:
    told = answer.headers.get("Retry-After", "")
    return min(float(told), LONGEST_BUSY_S) if told.isdecimal() else 0.0


def _parsed(kind: type[Answer], answer: httpx.Response) -> Answer:
    try:
        # A newer service tells more; what this version needs of it, it checks all the same.
        return kind.model_validate_json(answer.content, extra="ignore")
    except ValidationError as problem:
        raise ServiceRefused(
            f"{answer.request.url} answers in a way this version does not know: {problem}"
        ) from problem


def _detail(answer: httpx.Response) -> str:
    if not answer.is_closed:
        return answer.reason_phrase
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200] or answer.reason_phrase
