"""Calls out: every connection goes to an address that the policy permits, every answer is held to a size and a time.

The name is looked up once and its address put into the URL, so that a name whose server answers differently the next
time (DNS rebinding) gains nothing; httpx-secure holds each connection to the same policy once more. Proxies and keys
of our environment are never used, and connections are not shared between names.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
from httpx_secure import SSRFProtectionError, httpx_ssrf_protection

from offload.fetch.addresses import AddressPolicy
from offload.fetch.target import NameUnknown, Target, UrlRefused, read_url, resolve

CONNECT_TIMEOUT_S = 10.0
SILENCE_TIMEOUT_S = 20.0
MOST_CONNECTIONS = 32
MOST_REDIRECTS = 3
USER_AGENT = "offload"
_REDIRECTS = {301, 302, 303, 307, 308}


class CallFailed(RuntimeError):
    """Nobody answered, or not to the end. Another time may help."""


class TooLarge(RuntimeError):
    """The answer is longer than is taken."""


@dataclass(frozen=True)
class Answer:
    """How a receiver answered; its words are cut."""

    status: int
    words: str


class Caller:
    """Makes the calls. An async context manager; all tasks of one loop may use it at once."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        timeout = httpx.Timeout(SILENCE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        limits = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=0)
        client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=timeout, limits=limits)
        self._client = httpx_ssrf_protection(
            client,
            check_globally_reachable=False,  # `permits` is stricter, and knows what the operator lists.
            custom_validator=lambda _host, address, _port: policy.permits(address),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _value: object, _traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float, most_bytes: int
    ) -> Answer:
        """Post and return the answer, also one that says no. A redirect is an answer, and is never followed.

        Raises UrlRefused, CallFailed.
        """
        async with _within(timeout_s, url):
            target = await self._resolve(read_url(url))
            async with self._stream("POST", target, headers=headers, content=body) as response:
                words = bytearray()
                async for chunk in response.aiter_raw():
                    words += chunk
                    if len(words) >= most_bytes:
                        break
                return Answer(response.status_code, words[:most_bytes].decode(errors="replace"))

    @asynccontextmanager
    async def get(self, url: str, *, timeout_s: float, most_bytes: int) -> AsyncIterator["Download"]:
        """Yield the answer to a GET, after at most `MOST_REDIRECTS`, each to a permitted address.

        Raises UrlRefused, CallFailed; within the context also TooLarge.
        """
        async with _within(timeout_s, url):
            following = read_url(url)
            for _hop in range(MOST_REDIRECTS + 1):
                target = await self._resolve(following)
                async with self._stream("GET", target, headers={"Accept-Encoding": "identity"}) as response:
                    if response.status_code not in _REDIRECTS:
                        yield Download(response, url, most_bytes)
                        return
                    following = _redirected(following, response)
            raise UrlRefused(f"{url}: redirected more than {MOST_REDIRECTS} times")

    async def _resolve(self, url: httpx.URL) -> Target:
        try:
            return await resolve(url, self._policy)
        except NameUnknown as problem:
            raise CallFailed(str(problem)) from problem

    @asynccontextmanager
    async def _stream(
        self, method: str, target: Target, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> AsyncIterator[httpx.Response]:
        sent = {"User-Agent": USER_AGENT, **headers, "Host": target.host_header}
        extensions = {"sni_hostname": target.url.host}
        request = self._client.build_request(
            method, target.numeric_url, headers=sent, content=content, extensions=extensions
        )
        try:
            response = await self._client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()
        except SSRFProtectionError as refusal:
            raise UrlRefused(f"{target.url}: {refusal}") from refusal
        except httpx.HTTPError as problem:
            raise CallFailed(f"{target.url}: {str(problem) or type(problem).__name__}") from problem


@dataclass(frozen=True)
class Download:
    """An answer whose content is still to come."""

    response: httpx.Response
    url: str
    most_bytes: int

    @property
    def status(self) -> int:
        """Of HTTP."""
        return self.response.status_code

    async def chunks(self) -> AsyncIterator[bytes]:
        """Go through the content. Raises TooLarge, also before the first byte."""
        announced = self.response.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > self.most_bytes:
            raise TooLarge(f"{self.url}: {announced} bytes, at most {self.most_bytes} are taken")
        arrived_bytes = 0
        async for chunk in self.response.aiter_raw():
            arrived_bytes += len(chunk)
            if arrived_bytes > self.most_bytes:
                raise TooLarge(f"{self.url}: more than {self.most_bytes} bytes, which is all that is taken")
            yield chunk


def _redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    location = response.headers.get("location", "")
    try:
        return read_url(str(url.join(location)))
    except httpx.InvalidURL as problem:
        raise UrlRefused(f"{url}: redirects to {location[:80]!r}, which is no URL") from problem


@asynccontextmanager
async def _within(timeout_s: float, url: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as problem:
        raise CallFailed(f"{url}: not done within {timeout_s:g} s") from problem
