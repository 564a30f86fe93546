"""One setting names the storage; its key is never in it, and what is wrong is said with what to do."""

import pytest

from offload.depot.folder import DataFolder
from offload.depot.storage_folder import FolderStorage
from offload.depot.storage_s3 import S3Storage
from offload.depot.storage_setting import StorageProblem, read_storage

KEY = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret"}
S3 = "s3://scans/shop?endpoint=http://127.0.0.1:8333"


@pytest.fixture
def read(tmp_path):
    return lambda url=None, **more: read_storage(
        ({"OFFLOAD_STORAGE_URL": url} if url else {}) | more, DataFolder(tmp_path)
    )


def test_without_a_setting_it_is_the_data_folder(read, tmp_path):
    assert isinstance(read(), FolderStorage)
    assert read().local("blobs/ab/abc") == tmp_path / "blobs/ab/abc"


def test_another_folder_may_be_named_and_is_never_made(read, tmp_path):
    assert read(f"file://{tmp_path}").local("a/b") == tmp_path / "a/b"
    with pytest.raises(StorageProblem, match="mount its disk, or make it"):
        read(f"file://{tmp_path}/not-mounted")


def test_a_bucket_is_named_with_its_address_and_without_its_key(read):
    storage = read(S3, **KEY)
    assert isinstance(storage, S3Storage)
    assert storage.title == "the S3 bucket scans at http://127.0.0.1:8333"
    assert storage.link("a/b", 60).startswith("http://127.0.0.1:8333/scans/shop/a/b?")
    assert "a-secret" not in repr(vars(storage))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://AKIA:secret@scans/", "holds a key before the @"),
        ("s3:///shop", "names no bucket"),
        ("s3://scans/a/../b?region=x", "the prefix 'a/../b' is no storage key"),
        ("s3://scans", "names neither region nor endpoint"),
        ("s3://scans?endpont=http://x", "has endpont; known are endpoint, region"),
        ("s3://scans?endpoint=ftp://x", "endpoint must be http"),
        ("s3://scans?endpoint=http://key:secret@x", "endpoint must be http"),
        ("s3://scans?region=x&links=maybe", "links is maybe; use yes or no"),
        ("gs://scans", "begins with gs:; expected s3://"),
        ("file://host/folder", "expected s3://"),
    ],
)
def test_what_is_wrong_is_said(read, url, words):
    with pytest.raises(StorageProblem) as problem:
        read(url, **KEY)
    assert words in str(problem.value)
    assert "secret" not in str(problem.value).replace("SECRET", "")


def test_a_key_is_asked_for(read):
    with pytest.raises(StorageProblem, match="AWS_SECRET_ACCESS_KEY is not in the environment"):
        read(S3, AWS_ACCESS_KEY_ID="AKIAEXAMPLE")


def test_a_key_may_lie_in_a_private_file(read, tmp_path):
    path = tmp_path / "key"
    path.write_text("[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = a%secret\n")
    path.chmod(0o600)
    assert "AKIAEXAMPLE" in read(S3, OFFLOAD_STORAGE_CREDENTIALS_FILE=str(path)).link("a/b", 60)
    path.chmod(0o640)
    with pytest.raises(StorageProblem, match=f"chmod 600 {path}"):
        read(S3, OFFLOAD_STORAGE_CREDENTIALS_FILE=str(path))
    path.chmod(0o600)
    path.write_text("the secret alone")
    with pytest.raises(StorageProblem, match=r"expected a line \[default\]"):
        read(S3, OFFLOAD_STORAGE_CREDENTIALS_FILE=str(path))
    with pytest.raises(StorageProblem, match="must name the key's file"):
        read(S3, OFFLOAD_STORAGE_CREDENTIALS_FILE=str(tmp_path / "none"))
