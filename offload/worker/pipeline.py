"""The durable workflow of one job: lay the bundle out, run the engine, publish its results.

Each step is safe to repeat; DBOS remembers which are done, so that a restarted worker goes on at the step it died in.
Outputs go to a folder of the attempt and become results by one rename.
"""

import asyncio
import logging
import shutil
import threading
from collections.abc import Callable, Sequence

from dbos import DBOS

from offload.depot.folder import DataFolder
from offload.depot.ledger import Ledger
from offload.depot.queue import WORKFLOW
from offload.durable import fsync_tree, publish
from offload.logs.fields import about
from offload.wire.jobs import Stage
from offload.worker.bundle import lay_out
from offload.worker.engine_process import Attempt, Ending, EngineProcess, Outcome
from offload.worker.orphans import only_engine
from offload.worker.results import ResultsIncomplete, check_results, list_results

log = logging.getLogger(__name__)

SHUTDOWN_S = 1.5
MOST_FAILURES = 3
MOST_STARTS = 6
"""Of the engine, when its worker dies each time: such a job must not kill workers for ever."""


class Pipeline:
    """What the steps do. One job at a time."""

    def __init__(
        self,
        folder: DataFolder,
        ledger: Ledger,
        command: Sequence[str],
        timeout_s: float,
        on_engine_ended: Callable[[str], None],
    ) -> None:
        self._folder, self._ledger = folder, ledger
        self._command, self._timeout_s = command, timeout_s
        self._on_engine_ended = on_engine_ended
        self._running: EngineProcess | None = None
        self._scan_ids: dict[str, str] = {}
        """Of the jobs in hand, for the log."""
        self._idle = threading.Event()
        self._idle.set()
        self._shutting_down = False

    def shut_down(self) -> None:
        """Kill the engine and freeze the workflow where it is; call from another thread, then end the process.

        The job stays pending, and the interrupted start is not held against it.
        """
        self._shutting_down = True
        if (engine := self._running) is not None:
            engine.kill()
        self._idle.wait(SHUTDOWN_S)

    async def fetch(self, job_id: str) -> bool:
        """Lay the bundle out for the engine; False if the job is over before it began."""
        if await self._is_cancelled(job_id):
            await asyncio.to_thread(self._ledger.cancelled, job_id)
            return False
        await asyncio.to_thread(self._ledger.progress, job_id, Stage.FETCH, 0.0)
        manifest = await asyncio.to_thread(self._ledger.manifest, job_id)
        self._folder.job(job_id).mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(lay_out, self._folder, manifest, self._folder.job(job_id) / "bundle")
        return True

    async def reconstruct(self, job_id: str) -> int:
        """Run the engine until it is done and return that attempt's number; 0 if the job is over without results."""
        self._scan_ids[job_id] = (await asyncio.to_thread(self._ledger.get, job_id)).scan_id
        async with only_engine(self._folder.job(job_id)) as lock:
            while True:
                if await self._is_cancelled(job_id):
                    await asyncio.to_thread(self._ledger.cancelled, job_id)
                    return 0
                number = await asyncio.to_thread(self._ledger.begin, job_id)
                if number > MOST_STARTS:
                    await self._fail(job_id, f"given up: the worker died in {MOST_STARTS} runs of the engine")
                    return 0
                attempt = Attempt(self._folder.job(job_id), number)
                outcome = await self._run(job_id, attempt, lock)
                if outcome.ending is Ending.DONE:
                    return number
                if await self._is_over(job_id, outcome):
                    return 0

    async def publish(self, job_id: str, number: int) -> None:
        """Make the attempt's output the job's results, durable and by one rename, and complete the job."""
        job_folder, results = self._folder.job(job_id), self._folder.results(job_id)
        out = Attempt(job_folder, number).out
        if not results.is_dir():
            await asyncio.to_thread(fsync_tree, out)
            publish(out, results)
        listed = await asyncio.to_thread(list_results, results)
        await asyncio.to_thread(self._ledger.complete, job_id, listed)
        log.info("%d results published", len(listed), extra=self._about(job_id))

    def give_up(self, job_id: str, problem: Exception) -> None:
        """Fail a job for a reason nobody foresaw."""
        self._ledger.fail(job_id, f"{type(problem).__name__}: {problem}")

    def tidy(self, job_id: str) -> None:
        """Drop what a finished job no longer needs; its logs stay."""
        self._scan_ids.pop(job_id, None)
        job_folder = self._folder.job(job_id)
        for folder in (job_folder / "bundle", *job_folder.glob("attempts/*/out")):
            shutil.rmtree(folder, ignore_errors=True)

    async def _run(self, job_id: str, attempt: Attempt, lock: int) -> Outcome:
        shutil.rmtree(attempt.folder, ignore_errors=True)
        attempt.folder.mkdir(parents=True)
        engine = EngineProcess(self._command, self._timeout_s)
        self._idle.clear()
        self._running = engine

        async def report(stage: Stage, percent: float) -> None:
            await asyncio.to_thread(self._ledger.progress, job_id, stage, percent)

        async def is_cancelled() -> bool:
            return self._shutting_down or await self._is_cancelled(job_id)

        log.info("engine started, attempt %d", attempt.number, extra=self._about(job_id))
        outcome = await engine.run(attempt, lock, report, is_cancelled)
        self._running = None
        if self._shutting_down and outcome.ending is not Ending.DONE:
            await self._freeze(job_id)
        self._idle.set()
        self._on_engine_ended(job_id)
        if outcome.ending is Ending.DONE:
            try:
                await asyncio.to_thread(check_results, attempt.out)
            except ResultsIncomplete as problem:
                outcome = Outcome(Ending.FAILED, str(problem))
        log.info("engine %s %s", outcome.ending.value, outcome.message, extra=self._about(job_id))
        return outcome

    async def _freeze(self, job_id: str) -> None:
        await asyncio.to_thread(self._ledger.take_back_start, job_id)
        self._idle.set()
        await asyncio.Event().wait()

    async def _is_over(self, job_id: str, outcome: Outcome) -> bool:
        if outcome.ending is Ending.CANCELLED:
            await asyncio.to_thread(self._ledger.cancelled, job_id)
            return True
        if outcome.ending in (Ending.BAD_INPUT, Ending.TIMED_OUT):
            await self._fail(job_id, outcome.message)
            return True
        failures = await asyncio.to_thread(self._ledger.count_failure, job_id)
        if failures >= MOST_FAILURES:
            await self._fail(job_id, f"{outcome.message} (tried {failures} times)")
        return failures >= MOST_FAILURES

    async def _fail(self, job_id: str, message: str) -> None:
        log.warning("failed: %s", message, extra=self._about(job_id))
        await asyncio.to_thread(self._ledger.fail, job_id, message)

    def _about(self, job_id: str) -> dict[str, object]:
        return about(job=job_id, scan=self._scan_ids.get(job_id))

    async def _is_cancelled(self, job_id: str) -> bool:
        return await asyncio.to_thread(self._ledger.cancel_requested, job_id)


def register(pipeline: Pipeline) -> None:
    """Tell DBOS the workflow and its steps; before it launches."""

    @DBOS.step(name="fetch")
    async def fetch(job_id: str) -> bool:
        return await pipeline.fetch(job_id)

    @DBOS.step(name="reconstruct")
    async def reconstruct(job_id: str) -> int:
        return await pipeline.reconstruct(job_id)

    @DBOS.step(name="publish")
    async def publish_results(job_id: str, number: int) -> None:
        await pipeline.publish(job_id, number)

    @DBOS.workflow(name=WORKFLOW)
    async def reconstruct_bundle(job_id: str) -> None:
        try:
            if await fetch(job_id) and (number := await reconstruct(job_id)):
                await publish_results(job_id, number)
        except Exception as problem:
            log.exception("a step failed", extra=about(job=job_id))
            await asyncio.to_thread(pipeline.give_up, job_id, problem)
        await asyncio.to_thread(pipeline.tidy, job_id)
