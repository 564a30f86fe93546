"""What a worker has fetched: never believed unread, kept within its cap, the oldest out first."""

import hashlib
import os
import random

import pytest

from offload.depot.keys import Keys
from offload.depot.storage_folder import FolderStorage
from offload.wire.bundle import StoredFile
from offload.worker.blob_cache import BlobCache

SIZE_BYTES = 1000


class FarStorage(FolderStorage):
    """A folder that is not reached by path, as if it were on another machine; counts what is fetched."""

    fetched = 0

    def local(self, _key):
        return None

    def fetch(self, key, target, sha256):
        self.fetched += 1
        super().fetch(key, target, sha256)


@pytest.fixture
def storage(tmp_path):
    return FarStorage(tmp_path / "storage")


@pytest.fixture
def files(storage, tmp_path):
    made = []
    for number in range(4):
        content = random.Random(number).randbytes(SIZE_BYTES)
        sha256 = hashlib.sha256(content).hexdigest()
        (tmp_path / "given").unlink(missing_ok=True)
        (tmp_path / "given").write_bytes(content)
        storage.put(Keys().blob(sha256), tmp_path / "given", sha256)
        made.append(StoredFile(name=f"frames/{number}.jpg", sha256=sha256, size_bytes=SIZE_BYTES))
    return made


@pytest.fixture
def cache_of(storage, tmp_path):
    return lambda files_kept: BlobCache(tmp_path / "cache", storage, files_kept * SIZE_BYTES)


@pytest.fixture
def place(tmp_path):
    return lambda name: tmp_path / f"bundle-{name}"


def kept(tmp_path):
    return {path.name for path in (tmp_path / "cache").glob("*/*")}


def test_what_was_fetched_once_is_there_for_the_next_job(storage, cache_of, files, place):
    cache = cache_of(4)
    for turn in range(2):
        for file in files:
            cache.put_at(Keys(), file, place(f"{turn}-{file.sha256}"))
            assert hashlib.sha256(place(f"{turn}-{file.sha256}").read_bytes()).hexdigest() == file.sha256
    assert storage.fetched == 4


def test_the_oldest_goes_first_and_what_is_laid_out_stays(cache_of, files, place, tmp_path):
    cache = cache_of(2)
    for age, file in enumerate(files):
        cache.put_at(Keys(), file, place(age))
        os.utime(tmp_path / "cache" / file.sha256[:2] / file.sha256, (age, age))
    cache.put_at(Keys(), files[0], place("again"))
    cache.make_room()
    assert kept(tmp_path) == {files[0].sha256, files[3].sha256}
    assert [hashlib.sha256(place(age).read_bytes()).hexdigest() for age in range(4)] == [f.sha256 for f in files]


def test_without_a_cap_worth_it_nothing_stays(cache_of, files, place, tmp_path):
    cache = cache_of(0)
    cache.put_at(Keys(), files[0], place(0))
    cache.make_room()
    assert kept(tmp_path) == set()


def test_a_damaged_file_is_fetched_anew(storage, cache_of, files, place, tmp_path):
    cache = cache_of(4)
    cache.put_at(Keys(), files[0], place(0))
    damaged = tmp_path / "cache" / files[0].sha256[:2] / files[0].sha256
    damaged.unlink()
    damaged.write_bytes(bytes(SIZE_BYTES))
    cache.put_at(Keys(), files[0], place(1))
    assert hashlib.sha256(place(1).read_bytes()).hexdigest() == files[0].sha256
    assert storage.fetched == 2


def test_a_storage_on_this_machine_is_used_as_it_is(files, place, tmp_path):
    near = FolderStorage(tmp_path / "storage")
    BlobCache(tmp_path / "cache", near, 0).put_at(Keys(), files[0], place(0))
    assert place(0).samefile(near.local(Keys().blob(files[0].sha256)))
    assert kept(tmp_path) == set()
