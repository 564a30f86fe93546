"""Stores files until it is killed, in a process made by fork for each order, so that many kills cost little.

    python store_until_killed.py DATA_FOLDER

takes orders on standard input, one a line: `upload SEED SECONDS JOB` or `results …`. Each is carried out by a process
that is killed after so many seconds; the answer is `ended STATUS`. What that process has promised to somebody is in
DATA_FOLDER/promises.
"""

import hashlib
import os
import random
import signal
import sys
import time
from pathlib import Path

from offload.depot.database import open_database
from offload.depot.folder import DataFolder
from offload.depot.ledger import Ledger
from offload.depot.results import ResultShelf
from offload.depot.storage import Storage
from offload.depot.storage_setting import read_storage
from offload.service.blobs import BlobStore, WrongOffset
from offload.wire.bundle import StoredFile

FILES = 4
NEVER_S = 1e6


def contents(seed: int) -> list[bytes]:
    """What an order is about; the sizes cross the border between one request and several."""
    chance = random.Random(seed)
    return [
        chance.randbytes(chance.choice([1000, 200_000, 9_000_000 if seed % 5 == 0 else 50_000])) for _ in range(FILES)
    ]


def upload(folder: DataFolder, storage: Storage, seed: int, _job_id: str) -> None:
    """Take files as the service does, and promise each as soon as the sender would be told."""
    store = BlobStore(folder, storage)
    for content in contents(seed):
        sha256 = hashlib.sha256(content).hexdigest()
        try:
            writer = store.append(sha256, 0, len(content))
        except WrongOffset as there:
            writer = store.append(sha256, there.offset_bytes, len(content))
        if writer is not None:
            with writer:
                writer.write(content[writer.offset_bytes :])
                writer.finish()
        promise(folder, sha256)


WORKER = "slot-1"


def store_results(folder: DataFolder, storage: Storage, seed: int, job_id: str) -> None:
    """Store a set of results as a worker does, and make it the job's."""
    out = folder.job(job_id) / "attempts/1/out"
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for number, content in enumerate(contents(seed)):
        (out / f"{number}.bin").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        files.append(StoredFile(name=f"{number}.bin", sha256=sha256, size_bytes=len(content)))
    for _ in ResultShelf(storage).put(job_id, out, files):
        continue
    Ledger(open_database(folder), WORKER).complete(job_id, files)
    promise(folder, job_id)


def promise(folder: DataFolder, what: str) -> None:
    with (folder.root / "promises").open("a") as stream:
        stream.write(f"{what}\n")


def main() -> None:
    folder = DataFolder(Path(sys.argv[1]))
    for line in sys.stdin:
        word, seed, killed_after_s, job_id = line.split()
        pid = os.fork()
        if pid == 0:
            storage = read_storage(os.environ, folder)
            {"upload": upload, "results": store_results}[word](folder, storage, int(seed), job_id)
            os._exit(0)
        if float(killed_after_s) < NEVER_S:
            time.sleep(float(killed_after_s))
            os.kill(pid, signal.SIGKILL)
        print("ended", os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main()
