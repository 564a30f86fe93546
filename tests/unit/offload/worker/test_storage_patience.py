"""What is waited for, and what waiting cannot help."""

import logging

import pytest

from offload.depot.storage import NotStored, StorageFull, StorageRefused, StorageUnreachable
from offload.worker.patience import Unwanted, until_stored


class Storage:
    """Raises what it is given, one after the other, then answers."""

    def __init__(self, *troubles):
        self.troubles = list(troubles)

    def __call__(self):
        if self.troubles:
            raise self.troubles.pop(0)
        return "stored"


async def wanted():
    return False


async def unwanted():
    return True


async def test_it_waits_out_whatever_ends_by_itself_or_by_a_person(caplog):
    caplog.set_level(logging.INFO)
    away = (
        StorageUnreachable("no answer"),
        StorageUnreachable("no answer"),
        StorageRefused("wrong key"),
        StorageFull("full"),
    )
    assert await until_stored(Storage(*away), wanted, {}) == "stored"
    assert [record.getMessage() for record in caplog.records] == [
        "waiting for storage: no answer",
        "waiting for storage: wrong key",
        "waiting for storage: full",
        "storage is back",
    ]


async def test_a_file_that_is_not_there_is_not_waited_for():
    with pytest.raises(NotStored):
        await until_stored(Storage(NotStored("blobs/ab/abc is not in the folder")), wanted, {})


async def test_a_cancelled_job_waits_no_longer():
    with pytest.raises(Unwanted):
        await until_stored(Storage(*[StorageUnreachable("no answer")] * 1000), unwanted, {})
