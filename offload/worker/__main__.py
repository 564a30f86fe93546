"""`offload work`: one worker slot in a process of its own."""

import fcntl
import json
import logging
import os
import resource
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import sqlalchemy as sa
import typer
from dbos import DBOS, DBOSConfig

from offload.depot.database import DatabaseUnusable, prepare_database, read_database_url
from offload.depot.folder import DataFolder, FolderUnusable
from offload.depot.ledger import Ledger
from offload.depot.needs import Abilities
from offload.depot.roster import SILENT_S, NameTaken, Roster
from offload.depot.storage import StorageRefused
from offload.depot.storage_setting import StorageProblem, open_storage
from offload.depot.workflow_names import APPLICATION, APPLICATION_VERSION
from offload.durable import replace_file
from offload.fetch.addresses import AddressesProblem, read_address_policy
from offload.logs.journal import start_logging
from offload.worker.abilities import abilities_here
from offload.worker.blob_cache import BlobCache
from offload.worker.images import Images
from offload.worker.pipeline import Pipeline, register
from offload.worker.slot import Slot

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
ENGINE = f"{shlex.quote(sys.executable)} -m offload reconstruct-bundle"
SLOT_DEADLINE_S = 5.0
log = logging.getLogger(__name__)


class SlotTaken(RuntimeError):
    """Another worker lives in this slot."""


@app.command()
def work(
    data: Annotated[Path, typer.Option(help="The service's data folder.")],
    slot: Annotated[int, typer.Option(min=1, help="Number of this worker; a restart under it resumes its job.")] = 1,
    engine_command: Annotated[str, typer.Option(help="Program that turns FOLDER --out DIR into results.")] = ENGINE,
    engine_timeout_s: Annotated[float, typer.Option(min=1, help="Longest run of the engine, seconds.")] = 7200.0,
    capability: Annotated[
        list[str] | None, typer.Option(help="What jobs may need, such as cuda; found by itself unless named.")
    ] = None,
    memory_gb: Annotated[float | None, typer.Option(min=0, help="For jobs; the machine's unless given.")] = None,
    take_over_after_s: Annotated[
        float, typer.Option(min=SILENT_S, help="Hand out again what a worker has that was silent for so long.")
    ] = 900.0,
    cache_mb: Annotated[
        int, typer.Option(min=0, help="Most space for files fetched from a storage elsewhere, megabytes.")
    ] = 8000,
) -> None:
    """Run jobs from the queue, one at a time."""
    start_logging("offload-worker", line="%(levelname)s %(name)s: %(message)s")
    folder = DataFolder(data.resolve())
    try:
        folder.create()
        storage = open_storage(os.environ, folder)
        policy = read_address_policy(os.environ)
        lock = take_slot(folder, slot)
        engine = prepare_database(folder, read_database_url(os.environ))
        abilities = abilities_here(capability or (), memory_gb)
        Roster(engine).enlist(slot_name(slot), socket.gethostname(), abilities)
    except (
        FolderUnusable,
        SlotTaken,
        NameTaken,
        StorageProblem,
        StorageRefused,
        DatabaseUnusable,
        AddressesProblem,
    ) as problem:
        print(f"offload work: {problem}", file=sys.stderr)
        raise typer.Exit(1) from problem
    with lock:
        cache = BlobCache(folder.cache, storage, cache_mb * 1_000_000)
        ledger = Ledger(engine, slot_name(slot))
        pipeline = Pipeline(
            folder,
            ledger,
            cache,
            storage,
            Images(folder, ledger, storage, policy),
            shlex.split(engine_command),
            engine_timeout_s,
            Vitals(folder, slot).write,
        )
        run(pipeline, engine, slot, abilities, take_over_after_s)


def slot_name(slot: int) -> str:
    """Return the worker's name: DBOS and our rows know it by this, before and after a restart."""
    return f"slot-{slot}"


def take_slot(folder: DataFolder, slot: int) -> IO[str]:
    """Return the held lock of a slot; waits a little for a predecessor that is just ending. Raises SlotTaken."""
    folder.worker(slot).mkdir(exist_ok=True)
    lock = (folder.worker(slot) / "lock").open("w")
    deadline_s = time.monotonic() + SLOT_DEADLINE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError as problem:
            if time.monotonic() > deadline_s:
                lock.close()
                raise SlotTaken(
                    f"another worker runs in slot {slot} of {folder.root}; choose another --slot, or stop that one"
                ) from problem
            time.sleep(0.05)


def run(pipeline: Pipeline, engine: sa.Engine, slot: int, abilities: Abilities, take_over_after_s: float) -> None:
    """Work until SIGTERM or SIGINT, then end this process: a clean stop is a kill whose engine is already gone."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    DBOS(
        config=DBOSConfig(
            name=APPLICATION,
            system_database_engine=engine,
            application_version=APPLICATION_VERSION,
            executor_id=slot_name(slot),
            log_level="WARNING",
        )
    )
    workflow = register(pipeline)
    DBOS.launch()
    worker = Slot(engine, slot_name(slot), abilities, workflow, pipeline.give_up, take_over_after_s)
    for task in (worker.run, worker.beat):
        threading.Thread(target=_or_end, args=(task, stop), name=task.__name__, daemon=True).start()
    print(f"working in slot {slot}", flush=True)
    stop.wait()
    pipeline.shut_down()
    logging.shutdown()
    os._exit(0)


def _or_end(task: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """A worker that has lost one of its threads must not look alive: its supervisor starts it anew."""
    try:
        task(stop)
    except Exception:
        log.exception("the worker cannot go on")
        logging.shutdown()
        os._exit(1)


class Vitals:
    """`worker.json`: who works in this slot, and the most memory that it and its engines have used."""

    def __init__(self, folder: DataFolder, slot: int) -> None:
        self._path, self._slot = folder.worker(slot) / "worker.json", slot
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")

    def write(self, job_id: str | None) -> None:
        """Write the file anew; `job_id` is the job whose engine has just ended."""
        content = {
            "slot": self._slot,
            "pid": os.getpid(),
            "started_at": self._started_at,
            "last_job_id": job_id,
            "peak_rss_mb": _peak_rss_mb(),
            "engine_peak_rss_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
        }
        replace_file(self._path, json.dumps(content).encode(), durable=False)


def _peak_rss_mb() -> float:
    """Of this program alone: getrusage would count what its parent used before it became this program."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


if __name__ == "__main__":
    app()
