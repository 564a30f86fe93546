"""Where an upload is stopped before it does harm: no space, too big, two writers, a stale partial."""

import hashlib
import os

import pytest

from offload.depot.folder import DataFolder
from offload.depot.keys import Keys
from offload.depot.storage_folder import FolderStorage
from offload.service.blobs import BlobBusy, BlobStore, BlobTooLarge, DiskFull, PartWriter, WrongOffset

CONTENT = b"a photo" * 100
NAME = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(tmp_path):
    made = DataFolder(tmp_path)
    made.create()
    return made


@pytest.fixture
def store_with(folder):
    return lambda **limits: BlobStore(folder, FolderStorage(folder.root), **limits)


@pytest.fixture
def store(store_with):
    return store_with()


def test_a_disk_that_is_nearly_full_takes_nothing_more(folder, store_with):
    with pytest.raises(DiskFull, match="do not fit: free some space"):
        store_with(spare_bytes=1 << 62).append(NAME, 0, len(CONTENT))
    assert list(folder.parts.iterdir()) == []


def test_a_disk_that_fills_up_on_the_way_says_so(store):
    full = os.open("/dev/full", os.O_WRONLY)
    with PartWriter(store, NAME, full, 0, len(CONTENT)) as writer, pytest.raises(DiskFull, match="incomplete"):
        writer.write(CONTENT)


def test_too_big_is_refused_before_a_byte_is_written(store_with):
    with pytest.raises(BlobTooLarge, match="at most 10"):
        store_with(largest_bytes=10).append(NAME, 0, len(CONTENT))


def test_a_file_has_one_writer_and_goes_on_where_it_was(folder, store):
    with store.append(NAME, 0, len(CONTENT)) as writer:
        writer.write(CONTENT[:300])
        with pytest.raises(BlobBusy):
            store.append(NAME, 300, len(CONTENT))
    with pytest.raises(WrongOffset) as refusal:
        store.append(NAME, 0, len(CONTENT))
    assert refusal.value.offset_bytes == 300
    with store.append(NAME, 300, len(CONTENT)) as writer:
        writer.write(CONTENT[300:])
        writer.finish()
    assert store.storage.local(Keys().blob(NAME)).read_bytes() == CONTENT
    assert store.append(NAME, 0, len(CONTENT)) is None
    assert list(folder.parts.iterdir()) == []


def test_a_partial_longer_than_the_file_begins_anew(folder, store):
    folder.part(NAME).write_bytes(b"x" * 5000)
    with pytest.raises(WrongOffset) as refusal:
        store.append(NAME, 5000, len(CONTENT))
    assert refusal.value.offset_bytes == 0


def test_a_whole_partial_whose_publishing_was_cut_off_needs_no_byte_more(folder, store):
    folder.part(NAME).write_bytes(CONTENT)
    with store.append(NAME, len(CONTENT), len(CONTENT)) as writer:
        assert writer.arrived
        writer.finish()
    assert store.status(NAME).complete
