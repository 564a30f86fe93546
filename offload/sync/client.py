"""The service as the device sees it: uploads at an offset, bundles, jobs, results; and its troubles told apart."""

import hashlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import ValidationError

from offload.wire.bundle import Manifest, StoredFile
from offload.wire.jobs import Job, MissingBlobs

CHUNK_BYTES = 64 << 10
SEND_BUFFER_BYTES = 64 << 10
"""What is in the socket's buffer when a connection breaks is sent again: keep it small."""
TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=20.0, pool=60.0)


Answer = TypeVar("Answer", Job, MissingBlobs)


class SyncTrouble(RuntimeError):
    """Something between device and service; the message is for people."""


class TryAgain(SyncTrouble):
    """Waiting may help; `pause_s` is the least time to wait."""

    pause_s = 0.0


class ServiceUnreachable(TryAgain):
    """No answer, or an answer that says: later."""


class KeyRefused(TryAgain):
    """The service wants another key; a person must act."""

    pause_s = 15.0


class DeviceTrouble(TryAgain):
    """The device itself cannot keep what comes back."""

    pause_s = 5.0


class ServiceRefused(SyncTrouble):
    """The service understood, and will never take this."""


class ServiceClient:
    """Talks to one service. Every call raises SyncTrouble of the kind that says what to do."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=f"{self._url}/api/v1",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=TIMEOUT,
            trust_env=False,
            transport=httpx.AsyncHTTPTransport(
                limits=httpx.Limits(max_connections=8),
                socket_options=[(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)],
            ),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def upload(self, path: Path, file: StoredFile, on_sent: Callable[[int], None]) -> None:
        """Bring a file up, going on where the service has it; `on_sent` gets the bytes of each chunk sent."""
        where = f"/blobs/{file.sha256}"
        status = await self._send("HEAD", where)
        if status.headers.get("Upload-Complete") == "?1":
            return
        offset_bytes = int(status.headers.get("Upload-Offset", "0"))
        headers = {
            "Upload-Offset": str(offset_bytes),
            "Upload-Length": str(file.size_bytes),
            "Content-Length": str(max(0, file.size_bytes - offset_bytes)),
        }
        answer = await self._send("PATCH", where, headers=headers, content=_body(path, offset_bytes, on_sent))
        if answer.status_code == 422:
            raise ServiceUnreachable(f"{file.name} was damaged on its way: {_detail(answer)}")
        if answer.status_code not in (200, 201):
            raise ServiceUnreachable(f"{file.name} is not complete on the service yet: {_detail(answer)}")

    async def submit(self, manifest: Manifest) -> Job | MissingBlobs:
        """Make the bundle a job, or learn which of its files are missing there."""
        headers = {"Bundle-Sha256": manifest.digest(), "Content-Type": "application/json"}
        answer = await self._send("POST", "/bundles", headers=headers, content=manifest.canonical_bytes())
        if answer.status_code == 422:
            raise ServiceRefused(f"the service refused scan {manifest.scan_id}: {_detail(answer)}")
        return _parsed(MissingBlobs, answer) if answer.status_code == 409 else _parsed(Job, answer)

    async def job(self, job_id: str) -> Job:
        """Return how a job fares."""
        return _parsed(Job, await self._send("GET", f"/jobs/{job_id}"))

    async def download(self, job_id: str, file: StoredFile, target: Path) -> None:
        """Write a result to `target`, verified. Not fsynced."""
        digest = hashlib.sha256()
        try:
            async with self._http.stream("GET", f"/jobs/{job_id}/results/{file.name}") as answer:
                self._check(answer)
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

    async def _send(
        self,
        method: str,
        where: str,
        headers: dict[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        try:
            answer = await self._http.request(method, where, headers=headers, content=content)
        except httpx.TransportError as problem:
            raise self._unreachable(problem) from problem
        self._check(answer)
        return answer

    def _check(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in (401, 403):
            raise KeyRefused(
                f"{self._url} refuses the key (status {status}); set OFFLOAD_API_KEY or OFFLOAD_API_KEY_FILE of sync "
                "to the service's key"
            )
        if status >= 500 or status in (408, 423, 429):
            raise ServiceUnreachable(f"{self._url} answers {status}: {_detail(answer)}")
        if status >= 400 and status not in (409, 422):
            raise ServiceRefused(f"{self._url} answers {status} to {answer.request.url.path}: {_detail(answer)}")

    def _unreachable(self, problem: httpx.TransportError) -> SyncTrouble:
        cause: BaseException | None = problem
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return ServiceUnreachable(
                    f"{self._url} shows a certificate that is not trusted: {cause.verify_message}"
                )
            cause = cause.__cause__ or cause.__context__
        return ServiceUnreachable(f"{self._url} is not reachable: {str(problem) or type(problem).__name__}")


async def _body(path: Path, offset_bytes: int, on_sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(offset_bytes, os.SEEK_SET)
        while chunk := stream.read(CHUNK_BYTES):
            on_sent(len(chunk))
            yield chunk


def _parsed(kind: type[Answer], answer: httpx.Response) -> Answer:
    try:
        return kind.model_validate_json(answer.content)
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
