"""Photos that a job names by URL, fetched to this disk.

Killed anywhere, it is done again; what was fetched whole on this machine is not fetched twice.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from offload.fetch.addresses import AddressPolicy
from offload.fetch.caller import Caller, CallFailed, TooLarge
from offload.fetch.target import UrlRefused
from offload.wire.reconstruct import ReconstructRequest
from offload.worker.images_refused import ImagesRefused
from offload.worker.patience import Unwanted

LARGEST_IMAGE_BYTES = 64 << 20
MOST_BYTES = 8 << 30
"""Of all photos of a job."""
IMAGE_TIMEOUT_S = 120.0
TRIES = 4
PAUSES_S = (1.0, 4.0, 16.0)
FETCHED_AT_ONCE = 4
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
IsUnwanted = Callable[[], Awaitable[bool]]


class ImageFetch:
    """Fetches the photos of one job into a folder."""

    def __init__(self, policy: AddressPolicy, request: ReconstructRequest, folder: Path) -> None:
        self._policy, self._request, self._folder = policy, request, folder
        self._arrived_bytes = 0

    async def fetch(self, is_unwanted: IsUnwanted) -> list[Path]:
        """Return every photo, whole, in the order of its URL. Raises ImagesRefused, Unwanted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        room = asyncio.Semaphore(FETCHED_AT_ONCE)

        async def one(number: int, url: str) -> Path:
            async with room:
                if await is_unwanted():
                    raise Unwanted
                return await self._one(caller, number, url)

        async with Caller(self._policy) as caller:
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(one(*numbered)) for numbered in enumerate(self._request.image_urls)]
            except* (ImagesRefused, Unwanted) as refusals:
                raise _first(refusals) from None
        return [task.result() for task in tasks]

    async def _one(self, caller: Caller, number: int, url: str) -> Path:
        path = self._folder / f"{number:04d}"
        if path.is_file():
            return path
        for last, pause_s in [*((False, pause_s) for pause_s in PAUSES_S), (True, 0.0)]:
            try:
                return await self._download(caller, number, url, path)
            except CallFailed as problem:
                if last:
                    raise ImagesRefused(f"image_urls[{number}]: {problem} (tried {TRIES} times)") from problem
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
        raise AssertionError

    async def _download(self, caller: Caller, number: int, url: str, path: Path) -> Path:
        part = path.with_suffix(".part")
        try:
            async with caller.get(url, timeout_s=IMAGE_TIMEOUT_S, most_bytes=LARGEST_IMAGE_BYTES) as download:
                if download.status in _TRY_AGAIN:
                    raise CallFailed(f"{url}: answered {download.status}")
                if download.status != 200:
                    raise ImagesRefused(f"image_urls[{number}]: {url} answered {download.status}, expected 200")
                with part.open("wb") as stream:
                    async for chunk in download.chunks():
                        self._count(len(chunk))
                        stream.write(chunk)
        except (UrlRefused, TooLarge) as refusal:
            raise ImagesRefused(f"image_urls[{number}]: {refusal}") from refusal
        return part.rename(path)

    def _count(self, size_bytes: int) -> None:
        self._arrived_bytes += size_bytes
        if self._arrived_bytes > MOST_BYTES:
            raise ImagesRefused(f"image_urls: more than {MOST_BYTES >> 30} GiB in all, which is all that is taken")


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    return next(_first(one) if isinstance(one, BaseExceptionGroup) else one for one in group.exceptions)
