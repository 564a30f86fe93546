"""Engine processes whose worker is gone, and the lock that says whether one still runs."""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

MARK = "OFFLOAD_JOB_FOLDER"
"""Environment variable of every engine process and all its descendants."""
LOCK_DEADLINE_S = 20.0
RETRY_S = 0.05


class EngineStillRuns(RuntimeError):
    """A process that cannot be killed still works on this job."""


@asynccontextmanager
async def only_engine(job_folder: Path) -> AsyncIterator[int]:
    """Yield the job's lock as a descriptor for the engine to inherit: no second engine while one process holds it.

    Kills what an earlier worker left behind. Raises EngineStillRuns.
    """
    descriptor = os.open(job_folder / "engine.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline_s = time.monotonic() + LOCK_DEADLINE_S
        kill_orphans(job_folder)
        while not _locked(descriptor):
            if time.monotonic() > deadline_s:
                raise EngineStillRuns(
                    f"another process holds {job_folder / 'engine.lock'} after {LOCK_DEADLINE_S:.0f} s; "
                    "find it with fuser, end it, then restart this worker"
                )
            kill_orphans(job_folder)
            await asyncio.sleep(RETRY_S)
        yield descriptor
    finally:
        os.close(descriptor)


def kill_orphans(job_folder: Path) -> None:
    """Kill every process that carries this job's mark."""
    mark = f"{MARK}={job_folder}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _carries(entry, mark):
            try:
                os.kill(int(entry.name), signal.SIGKILL)
            except ProcessLookupError:
                continue


def _carries(process: Path, mark: bytes) -> bool:
    try:
        return mark in (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
