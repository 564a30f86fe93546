"""One run of an engine in a process of its own: started on a leash, watched, and never left behind."""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from offload.depot.database import URL_FILE_VARIABLE, URL_VARIABLE
from offload.depot.storage_setting import SECRET_VARIABLES
from offload.wire.jobs import Cause, Stage
from offload.worker import leash
from offload.worker.causes import cause_named, cause_of_end
from offload.worker.orphans import MARK, kill_orphans

WATCH_S = 0.25
"""Between two looks: progress is written and a cancellation seen at most this late."""
LONGEST_LINE_BYTES = 1 << 20
DRAIN_S = 2.0
"""For what is still in the pipe when the engine has ended."""
TAIL_BYTES = 2000
SECRETS = (
    "OFFLOAD_API_KEY",
    "OFFLOAD_API_KEY_FILE",
    "OFFLOAD_TOKEN_KEY",
    "OFFLOAD_TOKEN_KEY_FILE",
    "OFFLOAD_OIDC_CLIENT_SECRET_FILE",
    URL_VARIABLE,
    URL_FILE_VARIABLE,
    *SECRET_VARIABLES,
)
"""What the worker knows and an engine need not: it is somebody else's program."""


class Ending(Enum):
    """How a run of the engine ended."""

    DONE = "done"
    BAD_INPUT = "bad input"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"


@dataclass(frozen=True)
class Outcome:
    """How a run ended and what to tell about it."""

    ending: Ending
    message: str = ""
    cause: Cause = Cause.BUG
    """Of a failure."""


@dataclass(frozen=True)
class Attempt:
    """Where one run of the engine reads and writes."""

    job_folder: Path
    number: int

    @property
    def bundle(self) -> Path:
        """The bundle that the engine reads."""
        return self.job_folder / "bundle"

    @property
    def folder(self) -> Path:
        """Everything of this run."""
        return self.job_folder / "attempts" / str(self.number)

    @property
    def out(self) -> Path:
        """The engine's results."""
        return self.folder / "out"

    @property
    def done(self) -> Path:
        """The list of complete and durable results; missing before."""
        return self.folder / "done.json"

    @property
    def log(self) -> Path:
        """What the engine told people."""
        return self.folder / "engine.log"


class EngineProcess:
    """Runs an engine command that speaks JSON lines on standard output: progress, `done`, or `error`."""

    def __init__(self, command: Sequence[str], timeout_s: float) -> None:
        self._command, self._timeout_s = tuple(command), timeout_s
        self._process: Process | None = None
        self._latest: tuple[Stage, float] | None = None
        self._done = False
        self._error: Outcome | None = None

    async def run(
        self,
        attempt: Attempt,
        lock: int,
        report: Callable[[Stage, float], Awaitable[None]],
        is_cancelled: Callable[[], Awaitable[bool]],
    ) -> Outcome:
        """Run to the end; no process of the engine is left, however this ends.

        `report` gets the stage and the percent of the whole job, at most every WATCH_S.
        """
        with attempt.log.open("wb") as log:
            self._process = await self._start(attempt, lock, log.fileno())
        lines = asyncio.ensure_future(self._read())
        end = asyncio.ensure_future(self._process.wait())
        try:
            ending = await self._watch(end, report, is_cancelled)
            self.kill()
            await asyncio.to_thread(kill_orphans, attempt.job_folder)
            await asyncio.wait([end, lines], timeout=DRAIN_S)
        finally:
            self.kill()
            end.cancel()
            lines.cancel()
        if ending is Ending.TIMED_OUT:
            return Outcome(ending, f"the engine was stopped after {self._timeout_s:.0f} s", Cause.TIMEOUT)
        return Outcome(ending) if ending else self._judge(self._process.returncode, attempt)

    def kill(self) -> None:
        """Kill the engine's whole process group at once; safe from any thread, and when none runs."""
        if self._process is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    async def _start(self, attempt: Attempt, lock: int, log: int) -> Process:
        environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
        environment[MARK] = str(attempt.job_folder)
        tied = [sys.executable, "-I", "-S", str(Path(leash.__file__)), str(os.getpid()), *self._command]
        return await asyncio.create_subprocess_exec(
            *tied,
            str(attempt.bundle),
            "--out",
            str(attempt.out),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=log,
            env=environment,
            pass_fds=(lock,),
            start_new_session=True,
            limit=LONGEST_LINE_BYTES,
        )

    async def _watch(
        self,
        end: asyncio.Future[int],
        report: Callable[[Stage, float], Awaitable[None]],
        is_cancelled: Callable[[], Awaitable[bool]],
    ) -> Ending | None:
        assert self._process is not None
        deadline_s = time.monotonic() + self._timeout_s
        while True:
            await asyncio.wait([end], timeout=WATCH_S)
            # `end` waits for the pipes too, which a child of the engine may hold open for ever.
            ended = self._process.returncode is not None
            if self._latest is not None:
                (stage, percent), self._latest = self._latest, None
                await report(stage, percent)
            if ended:
                return None
            if await is_cancelled():
                return Ending.CANCELLED
            if time.monotonic() > deadline_s:
                return Ending.TIMED_OUT

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # A library that prints is not worth a job.
            if isinstance(message, dict):
                self._take(message)

    def _take(self, message: dict[str, object]) -> None:
        if message.get("done") is True:
            self._done = True
        elif "error" in message:
            bad_input = message.get("bad_input") is True
            cause = cause_named(message.get("cause"), bad_input=bad_input)
            self._error = Outcome(Ending.BAD_INPUT if bad_input else Ending.FAILED, str(message["error"]), cause)
        elif message.get("stage") in set(Stage):
            percent = message.get("percent")
            if isinstance(percent, int | float):
                self._latest = (Stage(str(message["stage"])), min(max(float(percent), 0.0), 100.0))

    def _judge(self, status: int | None, attempt: Attempt) -> Outcome:
        if self._error is not None:
            return self._error
        if status == 0 and self._done:
            return Outcome(Ending.DONE)
        if status is not None and status < 0:
            end = f"the engine was killed by {signal.Signals(-status).name}"
            end += ", perhaps for want of memory" if status == -signal.SIGKILL else ""
        else:
            end = f"the engine ended with status {status} and without saying that it was done"
        last_words = tail(attempt.log)
        cause = cause_of_end(status, last_words)
        return Outcome(Ending.FAILED, f"{end}; its last words: {last_words or 'none'}", cause)


def tail(log: Path, most_bytes: int = TAIL_BYTES) -> str:
    """Return the end of a log."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - most_bytes))
        return stream.read().decode(errors="replace").strip()
