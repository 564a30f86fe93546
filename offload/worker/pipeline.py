"""The durable workflow of one job: lay the bundle out, run the engine, publish its results.

Each step is safe to repeat; DBOS remembers which are done, so that a restarted worker goes on at the step it died in.
Outputs go to a folder of the attempt, from there into storage, and become results by one row. Where another machine
takes a job over, it finds storage and rows, but nothing of the first one's folders.
"""

import asyncio
import logging
import shutil
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from dbos import DBOS

from offload.depot.folder import DataFolder
from offload.depot.keys import Keys
from offload.depot.ledger import Ledger, TakenOver
from offload.depot.results import ResultShelf
from offload.depot.storage import ContentDamaged, Storage, StorageTrouble
from offload.depot.workflow_names import WORKFLOW
from offload.logs.fields import about
from offload.wire.bundle import StoredFile
from offload.wire.jobs import Cause, Job, Stage
from offload.worker.blob_cache import BlobCache
from offload.worker.bundle import lay_out
from offload.worker.engine_process import Attempt, Ending, EngineProcess, Outcome, tail
from offload.worker.images import Images
from offload.worker.images_refused import ImagesRefused
from offload.worker.orphans import only_engine
from offload.worker.patience import Unwanted, until_stored
from offload.worker.results import ResultsIncomplete, check_results, newest_done, seal_results

log = logging.getLogger(__name__)

SHUTDOWN_S = 1.5
KEPT_WORDS_BYTES = 4000
"""Of an engine, in the job's row."""
MOST_FAILURES = 3
MOST_STARTS = 6
"""Of the engine, when its worker dies each time: such a job must not kill workers for ever."""


class Pipeline:
    """What the steps do. One job at a time."""

    def __init__(
        self,
        folder: DataFolder,
        ledger: Ledger,
        cache: BlobCache,
        storage: Storage,
        images: Images,
        command: Sequence[str],
        timeout_s: float,
        on_engine_ended: Callable[[str], None],
    ) -> None:
        self._folder, self._ledger = folder, ledger
        self._cache, self._storage, self._images = cache, storage, images
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
        try:
            await self._images.gather(job_id, lambda: self._is_cancelled(job_id), self._about(job_id))
            await self._lay_out(job_id)
        except Unwanted:
            await asyncio.to_thread(self._ledger.cancelled, job_id)
            return False
        except ImagesRefused as refusal:
            await self._fail(job_id, str(refusal), refusal.cause)
            return False
        return True

    async def reconstruct(self, job_id: str) -> list[dict[str, object]]:
        """Run the engine until it is done, bring its results into storage, and return them as plain `StoredFile`s.

        Nothing is returned if the job is over without results.
        """
        self._scan_ids[job_id] = (await asyncio.to_thread(self._ledger.get, job_id)).scan_id
        try:
            await self._lay_out(job_id)  # Again, where another machine did it before.
            async with only_engine(self._folder.job(job_id)) as lock:
                results = await self._run_until_stored(job_id, lock)
        except Unwanted:
            await asyncio.to_thread(self._ledger.cancelled, job_id)
            return []
        return [file.model_dump() for file in results]

    async def publish(self, job_id: str, results: list[dict[str, object]] | int) -> None:
        """Make what is in storage the job's results, by the one row that completes it.

        An int is an attempt's number, as workflows have it on record that began before results went into storage.
        """
        if isinstance(results, int):
            listed = await self._seal_and_store(job_id, Attempt(self._folder.job(job_id), results))
        else:
            listed = tuple(StoredFile.model_validate(file) for file in results)
        await asyncio.to_thread(self._ledger.complete, job_id, listed)
        log.info("%d results published", len(listed), extra=self._about(job_id))

    async def _lay_out(self, job_id: str) -> None:
        manifest = await asyncio.to_thread(self._ledger.manifest, job_id)
        bundle = Attempt(self._folder.job(job_id), 0).bundle
        bundle.parent.mkdir(parents=True, exist_ok=True)
        keys = await self._keys_of(job_id)
        await self._patiently(job_id, lambda: lay_out(self._cache, keys, manifest, bundle))

    async def _keys_of(self, job_id: str) -> Keys:
        return Keys.of_tenant(await asyncio.to_thread(self._ledger.tenant_id, job_id))

    async def _run_until_stored(self, job_id: str, lock: int) -> tuple[StoredFile, ...]:
        """Return the results in storage; none if the job is over. What was done before a kill is not done again."""
        while True:
            if await self._is_cancelled(job_id):
                raise Unwanted
            attempt = await asyncio.to_thread(newest_done, self._folder.job(job_id))
            if attempt is None:
                number = await asyncio.to_thread(self._ledger.begin, job_id)
                if await asyncio.to_thread(self._ledger.starts_that_count, job_id) > MOST_STARTS:
                    given_up = f"given up: the worker died in {MOST_STARTS} runs of the engine"
                    await self._fail(job_id, given_up, Cause.WORKER_DIED)
                    return ()
                attempt = Attempt(self._folder.job(job_id), number)
                outcome = await self._run(job_id, attempt, lock)
                if outcome.ending is not Ending.DONE:
                    if await self._is_over(job_id, outcome):
                        return ()
                    continue
            try:
                return await self._seal_and_store(job_id, attempt)
            except (ContentDamaged, FileNotFoundError) as damage:
                log.warning("results were damaged on this disk: %s; again", damage, extra=self._about(job_id))
                shutil.rmtree(attempt.folder, ignore_errors=True)

    async def _seal_and_store(self, job_id: str, attempt: Attempt) -> tuple[StoredFile, ...]:
        listed = await asyncio.to_thread(seal_results, attempt)

        shelf = ResultShelf(self._storage, await self._keys_of(job_id))

        def store() -> None:
            for file in shelf.put(job_id, attempt.out, listed):
                log.info("%s is in storage", file.name, extra=self._about(job_id))

        log.info("%d results go into storage", len(listed), extra=self._about(job_id))
        await self._patiently(job_id, store)
        return listed

    async def _patiently(self, job_id: str, action: Callable[[], None]) -> None:
        async def is_unwanted() -> bool:
            return await self._is_cancelled(job_id)

        await until_stored(action, is_unwanted, self._about(job_id))

    def give_up(self, job_id: str, problem: Exception) -> None:
        """Fail a job for a reason nobody foresaw."""
        self._ledger.fail(job_id, f"{type(problem).__name__}: {problem}", Cause.BUG)

    def tidy(self, job_id: str) -> None:
        """Drop what a finished job no longer needs; its logs stay."""
        self._scan_ids.pop(job_id, None)
        if not self._ledger.is_mine(job_id):
            return  # Whoever has it now may work in the same folder.
        job_folder = self._folder.job(job_id)
        for folder in (job_folder / "bundle", job_folder / "photos", *job_folder.glob("attempts/*/out")):
            shutil.rmtree(folder, ignore_errors=True)
        job = self._ledger.find(job_id)
        if job is not None and job.state.final:
            self._drop_other_results(job)

    def _drop_other_results(self, job: Job) -> None:
        """What stays where the storage is away costs space only, until the job is deleted."""
        try:
            keys = Keys.of_tenant(self._ledger.tenant_id(job.job_id))
            ResultShelf(self._storage, keys).drop_others(job.job_id, job.results)
        except StorageTrouble as trouble:
            log.warning("other attempts' results stay in storage: %s", trouble, extra=self._about(job.job_id))

    async def _run(self, job_id: str, attempt: Attempt, lock: int) -> Outcome:
        shutil.rmtree(attempt.folder, ignore_errors=True)
        attempt.folder.mkdir(parents=True)
        engine = EngineProcess(self._command, self._timeout_s)
        self._idle.clear()
        self._running = engine

        async def report(stage: Stage, percent: float) -> None:
            await asyncio.to_thread(self._ledger.progress, job_id, stage, percent)
            await self._keep_words(job_id, attempt)

        async def is_cancelled() -> bool:
            return self._shutting_down or await self._is_cancelled(job_id)

        log.info("engine started, attempt %d", attempt.number, extra=self._about(job_id))
        outcome = await engine.run(attempt, lock, report, is_cancelled)
        self._running = None
        if self._shutting_down and outcome.ending is not Ending.DONE:
            await self._freeze(job_id)
        self._idle.set()
        await self._keep_words(job_id, attempt)
        self._on_engine_ended(job_id)
        if outcome.ending is Ending.DONE:
            try:
                await asyncio.to_thread(check_results, attempt.out)
            except ResultsIncomplete as problem:
                outcome = Outcome(Ending.FAILED, str(problem))
        log.info("engine %s %s", outcome.ending.value, outcome.message, extra=self._about(job_id))
        return outcome

    async def _keep_words(self, job_id: str, attempt: Attempt) -> None:
        words = await asyncio.to_thread(tail, attempt.log, KEPT_WORDS_BYTES)
        await asyncio.to_thread(self._ledger.keep_words, job_id, words)

    async def _freeze(self, job_id: str) -> None:
        await asyncio.to_thread(self._ledger.take_back_start, job_id)
        self._idle.set()
        await asyncio.Event().wait()

    async def _is_over(self, job_id: str, outcome: Outcome) -> bool:
        if outcome.ending is Ending.CANCELLED:
            await asyncio.to_thread(self._ledger.cancelled, job_id)
            return True
        if outcome.ending in (Ending.BAD_INPUT, Ending.TIMED_OUT):
            await self._fail(job_id, outcome.message, outcome.cause)
            return True
        failures = await asyncio.to_thread(self._ledger.count_failure, job_id)
        if failures >= MOST_FAILURES:
            await self._fail(job_id, f"{outcome.message} (tried {failures} times)", outcome.cause)
        return failures >= MOST_FAILURES

    async def _fail(self, job_id: str, message: str, cause: Cause) -> None:
        log.warning("failed (%s): %s", cause, message, extra=self._about(job_id))
        await asyncio.to_thread(self._ledger.fail, job_id, message, cause)

    def _about(self, job_id: str) -> dict[str, object]:
        return about(job=job_id, scan=self._scan_ids.get(job_id))

    async def _is_cancelled(self, job_id: str) -> bool:
        return await asyncio.to_thread(self._ledger.cancel_requested, job_id)


def register(pipeline: Pipeline) -> Callable[[str], Coroutine[Any, Any, None]]:
    """Tell DBOS the workflow and its steps, before it launches, and return the workflow."""

    @DBOS.step(name="fetch")
    async def fetch(job_id: str) -> bool:
        return await pipeline.fetch(job_id)

    @DBOS.step(name="reconstruct")
    async def reconstruct(job_id: str) -> list[dict[str, object]]:
        return await pipeline.reconstruct(job_id)

    @DBOS.step(name="publish")
    async def publish_results(job_id: str, results: list[dict[str, object]] | int) -> None:
        await pipeline.publish(job_id, results)

    @DBOS.workflow(name=WORKFLOW)
    async def reconstruct_bundle(job_id: str) -> None:
        try:
            if await fetch(job_id) and (results := await reconstruct(job_id)):
                await publish_results(job_id, results)
        except TakenOver as news:
            log.warning("left: %s", news, extra=about(job=job_id))
        except Exception as problem:
            log.exception("a step failed", extra=about(job=job_id))
            await asyncio.to_thread(pipeline.give_up, job_id, problem)
        await asyncio.to_thread(pipeline.tidy, job_id)

    return reconstruct_bundle
