"""A bundle laid out as the engine wants it: `manifest.json`, and the files under their names as hard links."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from offload.depot.keys import Keys
from offload.durable import publish
from offload.wire.bundle import Manifest, StoredFile
from offload.worker.blob_cache import BlobCache

FETCHED_AT_ONCE = 6


def lay_out(cache: BlobCache, keys: Keys, manifest: Manifest, target: Path) -> None:
    """Make `target` hold the bundle; it appears by rename, so what is there is complete. Safe to repeat.

    Raises StorageTrouble, and then goes on next time with what the cache has.
    """
    if target.is_dir():
        return
    aside = target.with_name(f"{target.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)

    def fetch(file: StoredFile) -> None:
        place = aside / file.name
        place.parent.mkdir(exist_ok=True)
        cache.put_at(keys, file, place)

    with ThreadPoolExecutor(FETCHED_AT_ONCE, thread_name_prefix="fetch") as pool:
        fetches = [pool.submit(fetch, file) for file in manifest.files()]
        try:
            for fetched in fetches:
                fetched.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    (aside / "manifest.json").write_bytes(manifest.canonical_bytes())
    publish(aside, target)
    cache.make_room()
