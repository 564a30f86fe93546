"""Results on their way back: downloaded aside, verified, made durable, and in place by one rename."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from offload.durable import fsync_tree, publish, sha256_of
from offload.wire.bundle import StoredFile
from offload.wire.jobs import Job

RESULTS = "results"
Download = Callable[[str, StoredFile, Path], Awaitable[None]]


async def bring_back(job: Job, folder: Path, download: Download) -> None:
    """Make `folder/results` hold every result of the job; what is already here and right is not fetched again.

    `download` writes one verified file, and tries again by itself.
    """
    aside, results = folder / f".{RESULTS}.{job.job_id}.partial", folder / RESULTS
    if await asyncio.to_thread(_complete, results, job):
        return
    for file in job.results:
        target = aside / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not await asyncio.to_thread(_is_right, target, file):
            await download(job.job_id, file, target)
    await asyncio.to_thread(_put_in_place, aside, results)


def _put_in_place(aside: Path, results: Path) -> None:
    fsync_tree(aside)
    shutil.rmtree(results, ignore_errors=True)
    publish(aside, results)


def _complete(results: Path, job: Job) -> bool:
    return bool(job.results) and all(_is_right(results / file.name, file) for file in job.results)


def _is_right(path: Path, file: StoredFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size_bytes and sha256_of(path) == file.sha256
