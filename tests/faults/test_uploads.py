"""Uploads that are cut, wrong, crowded or too big: nothing acknowledged is lost, nothing wrong is kept."""

import random
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx

SIZE_BYTES = 5_000_000


def begin_patch(url: str, name: str, content: bytes, offset: int, end: int) -> socket.socket:
    """Send a PATCH's head and its body from `offset` to `end`, then leave the connection open."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port), timeout=60)
    head = (
        f"PATCH /api/v1/blobs/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content) - offset}\r\n"
        f"Upload-Offset: {offset}\r\nUpload-Length: {len(content)}\r\n\r\n"
    )
    connection.sendall(head.encode() + content[offset:end])
    return connection


def offset_of(client: httpx.Client, name: str) -> int:
    return int(client.head(f"/blobs/{name}").headers["Upload-Offset"])


def test_a_killed_server_goes_on_at_the_offset(mortal_service, kit):
    content = random.Random(1).randbytes(SIZE_BYTES)
    name, half = kit.sha256(content), SIZE_BYTES // 2
    with begin_patch(mortal_service.url, name, content, 0, half), mortal_service.client() as client:
        kit.wait_for(lambda: offset_of(client, name) == half, "half of the file on disk")
        mortal_service.end()
    mortal_service.up()
    with mortal_service.client() as client:
        assert offset_of(client, name) == half
        answer = client.patch(
            f"/blobs/{name}",
            content=content[half:],
            headers={"Upload-Offset": str(half), "Upload-Length": str(SIZE_BYTES)},
        )
        assert answer.status_code == 201
        assert client.head(f"/blobs/{name}").headers["Upload-Complete"] == "?1"
    assert (mortal_service.data / "blobs" / name[:2] / name).read_bytes() == content
    assert list((mortal_service.data / "parts").iterdir()) == []


def test_a_cut_connection_keeps_what_arrived_and_frees_the_file(service, kit):
    content = random.Random(2).randbytes(300_000)
    name = kit.sha256(content)
    with service.client() as client:
        with begin_patch(service.url, name, content, 0, 100_000):
            kit.wait_for(lambda: offset_of(client, name) == 100_000, "the first part on disk")
            second = kit.put(client, content)
            assert second.status_code == 423
        rest = {"Upload-Offset": "100000", "Upload-Length": "300000"}

        def finished():
            return client.patch(f"/blobs/{name}", content=content[100_000:], headers=rest).status_code == 201

        kit.wait_for(finished, "the lock of the cut connection to be free")


def test_a_wrong_hash_is_refused_and_discarded(service, kit):
    name = kit.sha256(b"what was meant")
    with service.client() as client:
        answer = kit.put(client, b"what was sent!", name)
        assert answer.status_code == 422
        assert kit.sha256(b"what was sent!") in answer.json()["detail"]
        assert offset_of(client, name) == 0
        assert kit.put(client, b"what was meant").status_code == 201


def test_a_wrong_offset_is_told_the_right_one(service, kit):
    content = b"x" * 1000
    headers = {"Upload-Offset": "500", "Upload-Length": "1000"}
    with service.client() as client:
        answer = client.patch(f"/blobs/{kit.sha256(content)}", content=content[500:], headers=headers)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "0")


def test_more_than_announced_and_more_than_allowed_are_refused(service, kit):
    name = kit.sha256(b"x")
    with service.client() as client:
        too_long = client.patch(
            f"/blobs/{name}", content=b"xyz", headers={"Upload-Offset": "0", "Upload-Length": "2"}
        )
        huge = client.patch(
            f"/blobs/{name}", content=b"x", headers={"Upload-Offset": "0", "Upload-Length": str(1 << 40)}
        )
    assert (too_long.status_code, huge.status_code) == (413, 413)


def test_many_at_once_leave_one_whole_file(service, kit):
    content = random.Random(3).randbytes(400_000)

    def send(_number: int) -> int:
        with service.client() as client:
            return kit.put(client, content).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    assert answers.count(201) == 1
    assert set(answers) <= {200, 201, 409, 423}
    name = kit.sha256(content)
    assert (service.data / "blobs" / name[:2] / name).read_bytes() == content


def test_names_that_are_no_hash_are_refused(service):
    with service.client() as client:
        assert client.head("/blobs/..%2f..%2fetc%2fpasswd").status_code in (404, 422)
        assert client.head(f"/blobs/{'A' * 64}").status_code == 422
