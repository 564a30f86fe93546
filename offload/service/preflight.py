"""Whether a request that names its photos can become a job, told within seconds instead of by a failed job."""

import asyncio
from collections import Counter
from collections.abc import Iterable

import httpx

from offload.fetch.addresses import AddressPolicy
from offload.fetch.target import NameUnknown, UrlRefused, read_url, resolve
from offload.wire.reconstruct import ReconstructRequest

LEAST_IMAGES, MOST_IMAGES = 4, 500
LARGEST_METADATA_BYTES = 16 << 10
LOOKED_UP_AT_ONCE = 16
LOOK_UP_LIMIT_S = 5.0
"""For all names together; those that take longer are judged when they are called."""


class RequestRefused(RuntimeError):
    """The request cannot become a job; the message says which part, and what is expected."""


async def check_request(request: ReconstructRequest, policy: AddressPolicy) -> None:
    """Raise RequestRefused for what can be seen without fetching anything."""
    count = len(request.image_urls)
    if not LEAST_IMAGES <= count <= MOST_IMAGES:
        raise RequestRefused(f"image_urls: {count} are named, expected {LEAST_IMAGES} to {MOST_IMAGES}")
    metadata_bytes = len(request.model_dump_json(include={"metadata"}))
    if metadata_bytes > LARGEST_METADATA_BYTES:
        raise RequestRefused(f"metadata: {metadata_bytes} bytes, at most {LARGEST_METADATA_BYTES} are kept")
    twice, times = Counter(request.image_urls).most_common(1)[0]
    if times > 1:
        raise RequestRefused(f"image_urls: {twice[:200]} is named {times} times; every photo must be another one")
    urls = {f"image_urls[{number}]": url for number, url in enumerate(request.image_urls)}
    if request.callback_url is not None:
        urls = {"callback_url": request.callback_url, **urls}
    await _check_places({where: _read(where, url) for where, url in urls.items()}, policy)


def _read(where: str, url: str) -> httpx.URL:
    try:
        return read_url(url)
    except UrlRefused as refusal:
        raise RequestRefused(f"{where}: {refusal}") from refusal


async def _check_places(urls: dict[str, httpx.URL], policy: AddressPolicy) -> None:
    """Look each place up once; a name that is not known now may be known when it is called."""
    first = {(url.host, url.port): (where, url) for where, url in reversed(urls.items())}
    room = asyncio.Semaphore(LOOKED_UP_AT_ONCE)

    async def check(where: str, url: httpx.URL) -> str | None:
        async with room:
            try:
                await resolve(url, policy)
            except UrlRefused as refusal:
                return f"{where}: {refusal}"
            except NameUnknown:
                return None
            return None

    refusals: Iterable[str | None] = ()
    try:
        async with asyncio.timeout(LOOK_UP_LIMIT_S):
            refusals = await asyncio.gather(*(check(where, url) for where, url in reversed(first.values())))
    except TimeoutError:
        return
    for refusal in refusals:
        if refusal is not None:
            raise RequestRefused(refusal)
