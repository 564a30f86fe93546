"""`offload prepare`: makes database and storage ready for service and workers, or says why they cannot be."""

import hashlib
import os
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from offload.depot.database import DatabaseUnusable, prepare_database, read_database_url
from offload.depot.folder import DataFolder, FolderUnusable
from offload.depot.storage import Storage, StorageTrouble
from offload.depot.storage_setting import StorageProblem, read_storage

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
RETRY_S = 1.0


@app.command()
def prepare(
    data: Annotated[Path, typer.Option(help="Folder for what this machine keeps; made if absent.")],
    wait_s: Annotated[float, typer.Option(min=0, help="For database and storage to answer, seconds.")] = 0.0,
) -> None:
    """Bring the database to this version's schema and see that the storage can be written to. Safe to repeat."""
    folder = DataFolder(data.resolve())
    deadline_s = time.monotonic() + wait_s
    try:
        while True:
            try:
                title = make_ready(folder, os.environ)
                break
            except (DatabaseUnusable, StorageTrouble) as problem:
                if time.monotonic() + RETRY_S > deadline_s:
                    raise
                print(f"offload prepare: waiting: {problem}", file=sys.stderr, flush=True)
            time.sleep(RETRY_S)
    except (FolderUnusable, DatabaseUnusable, StorageProblem, StorageTrouble) as problem:
        print(f"offload prepare: {problem}", file=sys.stderr)
        raise typer.Exit(1) from problem
    print(f"the database has this version's schema, and {title} can be written to")


def make_ready(folder: DataFolder, environment: Mapping[str, str]) -> str:
    """Migrate the database, try the storage, and return what storage that is.

    Raises DatabaseUnusable, FolderUnusable, StorageProblem, StorageTrouble.
    """
    prepare_database(folder, read_database_url(environment)).dispose()
    storage = read_storage(environment, folder)
    try_out(storage)
    return storage.title


def try_out(storage: Storage) -> None:
    """Write a small file, look at it, and delete it: some servers make the bucket with its first file.

    A kill leaves the file, a few bytes below `check/`. Raises StorageTrouble.
    """
    content = secrets.token_bytes(16)
    key = f"check/{content.hex()}"
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "check"
        path.write_bytes(content)
        storage.put(key, path, hashlib.sha256(content).hexdigest())
    storage.delete([key])
    storage.check()


if __name__ == "__main__":
    app()
