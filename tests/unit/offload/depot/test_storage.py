"""One suite for every storage: the local folder, a folder on another disk, and a real S3."""

import hashlib
import random
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from seaweed_server import SeaweedServer

from offload.depot.folder import DataFolder
from offload.depot.keys import Keys
from offload.depot.results import ResultShelf
from offload.depot.storage import ContentDamaged, NotStored, StorageRefused, StorageUnreachable, Stored
from offload.depot.storage_folder import FolderStorage
from offload.depot.storage_s3 import PART_BYTES
from offload.depot.storage_setting import read_storage
from offload.wire.bundle import StoredFile


@pytest.fixture(scope="module", autouse=True)
def seaweed(tmp_path_factory):
    server = SeaweedServer(tmp_path_factory.mktemp("seaweed")).up()
    yield server
    server.kill()


@pytest.fixture
def s3(seaweed, tmp_path):
    return read_storage(seaweed.environment(uuid.uuid4().hex), DataFolder(tmp_path))


@pytest.fixture
def other_disk():
    """On Linux a file system of its own, so that no hard link leads there."""
    folder = Path("/dev/shm") / f"offload-{uuid.uuid4().hex}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=["folder", "other disk", "s3"])
def storage(request, tmp_path):
    if request.param == "s3":
        return request.getfixturevalue("s3")
    return FolderStorage(tmp_path / "data" if request.param == "folder" else request.getfixturevalue("other_disk"))


@pytest.fixture
def write(tmp_path):
    def make(content, name="given"):
        path = tmp_path / name
        path.write_bytes(content)
        return path, hashlib.sha256(content).hexdigest()

    return make


@pytest.mark.parametrize("size_bytes", [1, 100_000, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 7])
def test_what_is_put_comes_back(storage, write, tmp_path, size_bytes):
    content = random.Random(size_bytes).randbytes(size_bytes)
    path, sha256 = write(content)
    storage.check()
    assert storage.stat("blobs/ab/abc") is None
    storage.put("blobs/ab/abc", path, sha256)
    stored = storage.stat("blobs/ab/abc")
    assert (stored.key, stored.size_bytes, stored.sha256 in (None, sha256)) == ("blobs/ab/abc", size_bytes, True)
    storage.fetch("blobs/ab/abc", tmp_path / "back", sha256)
    assert (tmp_path / "back").read_bytes() == content
    with storage.open("blobs/ab/abc") as stream:
        stream.seek(-1, 2)
        assert stream.read() == content[-1:]
        stream.seek(0)
        assert stream.read() == content
    assert path.read_bytes() == content
    assert [(other.key, other.size_bytes) for other in storage.below("blobs/ab/")] == [("blobs/ab/abc", size_bytes)]


@pytest.mark.parametrize("size_bytes", [1000, 2 * PART_BYTES])
def test_what_is_not_what_it_is_called_is_never_seen(storage, write, size_bytes):
    path, _ = write(random.Random(1).randbytes(size_bytes))
    with pytest.raises(ContentDamaged) as damage:
        storage.put("blobs/ab/abc", path, "0" * 64)
    assert damage.value.found == hashlib.sha256(path.read_bytes()).hexdigest()
    assert storage.stat("blobs/ab/abc") is None
    assert list(storage.below("blobs/")) == []


def test_putting_again_is_no_error_and_mends_what_is_damaged(storage, write, tmp_path):
    path, sha256 = write(b"a photo")
    storage.put("blobs/ab/abc", path, sha256)
    storage.put("blobs/ab/abc", path, sha256)
    wrong, wrong_sha256 = write(b"another", "wrong")
    storage.put("blobs/cd/cde", wrong, wrong_sha256)
    with pytest.raises(ContentDamaged, match=f"expected {sha256}"):
        storage.fetch("blobs/cd/cde", tmp_path / "back", sha256)
    assert not (tmp_path / "back").exists()
    storage.put("blobs/cd/cde", path, sha256)
    storage.fetch("blobs/cd/cde", tmp_path / "back", sha256)
    assert (tmp_path / "back").read_bytes() == b"a photo"
    assert wrong.read_bytes() == b"another", "the file that was put before was not written to"


def test_what_is_deleted_is_gone_and_nothing_else(storage, write):
    path, sha256 = write(b"a photo")
    for key in ("jobs/1/results/a/model.glb", "jobs/1/results/b/model.glb", "jobs/10/results/a/model.glb"):
        storage.put(key, path, sha256)
    storage.delete(["jobs/1/results/a/model.glb", "jobs/1/results/a/never-there"])
    assert [stored.key for stored in storage.below("jobs/1/")] == ["jobs/1/results/b/model.glb"]
    storage.delete(stored.key for stored in storage.below("jobs/1/"))
    storage.delete([])
    assert [stored.key for stored in storage.below("jobs/")] == ["jobs/10/results/a/model.glb"]
    assert list(storage.below("jobs/1/")) == []
    with pytest.raises(NotStored, match=r"jobs/1/results/b/model\.glb is not in"):
        storage.open("jobs/1/results/b/model.glb")
    with pytest.raises(NotStored):
        storage.fetch("jobs/1/results/b/model.glb", path, sha256)


@pytest.mark.parametrize("key", ["../x", "/x", "a/../b", "a//b", "a/", "", ".hidden", "a/.b", "a\\b", "a\n"])
def test_a_key_never_leads_elsewhere(storage, key):
    with pytest.raises(ValueError, match="is no storage key"):
        storage.stat(key)


def test_a_result_set_is_seen_by_who_knows_its_hashes(storage, write, tmp_path):
    shelf = ResultShelf(storage, Keys("shop-7"))
    sets = []
    for content in (b"first", b"second"):
        out = tmp_path / content.decode()
        out.mkdir()
        path, sha256 = write(content, f"{content.decode()}/model.glb")
        sets.append((StoredFile(name="model.glb", sha256=sha256, size_bytes=path.stat().st_size),))
        assert shelf.find("job1", sets[-1], "model.glb") is None
        assert list(shelf.put("job1", out, sets[-1])) == list(shelf.put("job1", out, sets[-1]))
    keys = [shelf.find("job1", files, "model.glb") for files in sets]
    assert len(set(keys)) == 2
    assert all(key.startswith("spaces/shop-7/jobs/job1/results/") for key in keys)
    assert ResultShelf(storage).find("job1", sets[0], "model.glb") is None, "another namespace"
    shelf.drop_others("job1", sets[0])
    assert [shelf.find("job1", files, "model.glb") for files in sets] == [keys[0], None]
    shelf.erase("job1")
    assert list(storage.below("spaces/shop-7/")) == []


def test_results_of_before_stay_where_they_are(storage, write):
    path, sha256 = write(b"glTF")
    files = (StoredFile(name="model.glb", sha256=sha256, size_bytes=4),)
    storage.put("jobs/job1/results/model.glb", path, sha256)
    shelf = ResultShelf(storage)
    shelf.drop_others("job1", files)
    assert shelf.find("job1", files, "model.glb") == "jobs/job1/results/model.glb"


def test_in_a_folder_a_file_is_stored_and_fetched_without_a_copy(tmp_path, write):
    storage = FolderStorage(tmp_path / "data")
    path, sha256 = write(b"a photo")
    storage.put("blobs/ab/abc", path, sha256)
    storage.fetch("blobs/ab/abc", tmp_path / "back", sha256)
    assert path.stat().st_nlink == 3
    assert storage.local("blobs/ab/abc").stat().st_mode & 0o777 == 0o444
    assert storage.link("blobs/ab/abc", 60) is None


def test_files_come_into_folders_that_others_empty(tmp_path, write):
    """Whoever deletes the last file of a folder takes it along, perhaps just as another is to be put there."""
    storage = FolderStorage(tmp_path / "data")
    path, sha256 = write(b"a photo")
    with ThreadPoolExecutor(2) as pool:

        def turn(name):
            for _ in range(300):
                storage.put(f"jobs/{name}", path, sha256)
                assert storage.stat(f"jobs/{name}").size_bytes == 7
                storage.delete([f"jobs/{name}"])

        list(pool.map(turn, ["a", "b"]))
    assert list(storage.below("jobs/")) == []


def test_a_link_needs_no_key_and_ends(s3, write):
    path, sha256 = write(b"glTF")
    s3.put("jobs/1/results/a/model.glb", path, sha256)
    assert s3.stat("jobs/1/results/a/model.glb") == Stored("jobs/1/results/a/model.glb", 4, sha256)
    link = s3.link("jobs/1/results/a/model.glb", 60)
    assert httpx.get(link).content == b"glTF"
    assert httpx.get(link.replace("model.glb", "other.glb")).status_code == 403
    assert httpx.get(link.split("?")[0]).status_code == 403
    assert "X-Amz-Expires=60&" in link


def test_links_name_the_address_that_others_see(seaweed, tmp_path):
    def link(**options):
        return read_storage(seaweed.environment("p", **options), DataFolder(tmp_path)).link("a/b", 60)

    assert link(public_endpoint="https://photos.example.com").startswith("https://photos.example.com/scans/p/a/b?")
    assert link(links="no") is None


def test_a_wrong_key_and_a_server_that_is_gone_are_told_apart(seaweed, tmp_path, write):
    path, sha256 = write(b"x")
    wrong = read_storage(
        seaweed.environment() | {"AWS_SECRET_ACCESS_KEY": "not-the-secret-one"}, DataFolder(tmp_path)
    )
    for call in (wrong.check, lambda: wrong.put("a/b", path, sha256), lambda: wrong.stat("a/b")):
        with pytest.raises(StorageRefused) as refusal:
            call()
        assert "refuses" in str(refusal.value)
        assert "not-the-secret-one" not in str(refusal.value)
    gone = read_storage(seaweed.environment(endpoint="http://127.0.0.1:9"), DataFolder(tmp_path))
    for call in (gone.check, lambda: gone.put("a/b", path, sha256), lambda: gone.stat("a/b")):
        with pytest.raises(StorageUnreachable, match="the S3 bucket scans at"):
            call()
