"""Photos by URL: what is refused at once, what fails with words, what is fetched once, and one job whatever dies."""

import json
import random
from concurrent.futures import ThreadPoolExecutor, wait

import httpx
import pytest
from loopback_server import Reply, answering
from mat_photos import mat_photo

LOOPBACK = {"OFFLOAD_ALLOW_ADDRESSES": "127.0.0.1/32"}
ANGLES_DEG = (0, 55, 118, 180, 237, 299)


@pytest.fixture(scope="module")
def photos():
    return {f"/{number}.jpg": Reply(body=mat_photo(angle)) for number, angle in enumerate(ANGLES_DEG)}


@pytest.fixture
def shop(photos):
    with answering(dict(photos)) as server:
        yield server


@pytest.fixture(params=["sqlite"])
def service(request, kit, tmp_path):
    environment = dict(LOOPBACK)
    if request.param == "postgresql":
        environment["OFFLOAD_DATABASE_URL"] = request.getfixturevalue("postgresql_server").make_database()
    running = kit.service(tmp_path / "data", environment=environment).up()
    yield running
    running.end()


@pytest.fixture
def ask(service):
    def send(body, **headers):
        with service.client() as client:
            return client.post("/reconstruct", content=json.dumps(body), headers=headers)

    return send


@pytest.fixture
def end_of(service, kit):
    def wait_until(job_id):
        def job():
            with service.client() as client:
                found = client.get(f"/jobs/{job_id}").json()
            return found if found["state"] in ("completed", "failed", "cancelled") else None

        return kit.wait_for(job, "the job's end", 120)

    return wait_until


def urls(server):
    return [f"{server.url}/{number}.jpg" for number in range(len(ANGLES_DEG))]


LISTED = [f"http://127.0.0.1/{number}" for number in range(3)]


@pytest.mark.parametrize("service", ["sqlite", "postgresql"], indirect=True)
def test_photos_by_url_become_a_job_and_results(service, shop, ask, end_of, make_worker):
    answer = ask({"image_urls": urls(shop), "metadata": {"order": 7}, "unknown": "to us"})
    assert answer.status_code == 200
    told = answer.json()
    assert (set(told), told["status"]) == ({"job_id", "status", "message"}, "queued")
    make_worker(service)
    job = end_of(told["job_id"])
    assert (job["state"], job["error"]) == ("completed", None)
    assert sorted(call.path for call in shop.calls) == sorted(f"/{number}.jpg" for number in range(6))
    folder = service.data / "jobs" / told["job_id"]
    assert not (folder / "photos").exists() or not list((folder / "photos").iterdir())


def test_a_hundred_retries_at_once_make_one_job(service, shop, ask):
    body = {"image_urls": urls(shop)}
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: ask(body, **{"Idempotency-Key": "order-7"}), range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    with service.client() as client:
        assert len(client.get("/jobs").json()) == 1
    other = ask({"image_urls": urls(shop)[:5]}, **{"Idempotency-Key": "order-7"})
    assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)


@pytest.mark.parametrize("seed", range(3))
def test_a_service_that_is_killed_at_any_moment_makes_one_job(service, shop, end_of, make_worker, seed):
    chance = random.Random(seed)
    body = json.dumps({"image_urls": urls(shop)})
    headers = {"Idempotency-Key": "once"}
    for _round in range(4):
        with ThreadPoolExecutor(1) as pool, service.client() as client:
            reply = pool.submit(client.post, "/reconstruct", content=body, headers=headers)
            wait([reply], timeout=chance.uniform(0, 0.03))
            service.end()
            reply.exception(timeout=60)
        service.up()
    with service.client() as client:
        job_id = client.post("/reconstruct", content=body, headers=headers).json()["job_id"]
        assert [job["job_id"] for job in client.get("/jobs").json()] == [job_id]
    if seed == 0:
        make_worker(service)
        assert end_of(job_id)["state"] == "completed"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image_urls": []}, "image_urls: 0 are named, expected 4 to 500"),
        ({"image_urls": [f"http://127.0.0.1/{n}" for n in range(501)]}, "501 are named"),
        ({"image_urls": ["http://127.0.0.1/1"] * 4}, "is named 4 times"),
        ({"image_urls": [*LISTED, "ftp://x/4"]}, "image_urls[3]"),
        ({"image_urls": [*LISTED, "http://10.0.0.1/"]}, "image_urls[3]: http://10.0.0.1 leads to 10.0.0.1, which"),
        ({"image_urls": "http://127.0.0.1/1"}, "image_urls: "),
        ({}, "image_urls: Field required"),
        ({"callback_url": "http://169.254.169.254/latest"}, "callback_url: http://169.254.169.254 leads to"),
        ({"callback_url": "http://[::ffff:10.0.0.1]/"}, "callback_url: "),
        ({"callback_url": "javascript:alert(1)"}, "callback_url: "),
        ({"metadata": {"x": "y" * 20_000}}, "metadata: "),
        ({"mat": {"columns": 1, "rows": 1, "square_mm": 1, "marker_mm": 1}}, "mat.columns: "),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_once_with_words(ask, change, words):
    body = {"image_urls": [f"http://127.0.0.1/{number}" for number in range(4)]} | change
    answer = ask({} if change == {} else body)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_no_json_is_refused_and_so_is_too_much(service):
    with service.client() as client:
        assert client.post("/reconstruct", content=b"{").status_code == 422
        assert client.post("/reconstruct", content=b" " * (3 << 20)).status_code == 413


def test_photos_that_cannot_be_had_fail_the_job_with_words(service, photos, ask, end_of, make_worker):
    make_worker(service)
    bare = mat_photo(0, covered=True)
    wrong = {
        "404": (Reply(404), "image_urls[1]: {url}/1.jpg answered 404, expected 200"),
        "text": (Reply(body=b"<html>no photo</html>"), "is neither a JPEG nor a PNG"),
        "cut": (Reply(body=photos["/1.jpg"].body[:2000]), "cannot be decoded to the end"),
        "inside": (Reply(302, headers={"Location": "http://169.254.169.254/"}), "not a public address"),
        "large": (Reply(announced_bytes=1 << 40), "bytes, at most"),
        "small": (Reply(body=mat_photo(0)[:0]), "is neither a JPEG nor a PNG"),
    }
    for reply, words in wrong.values():
        with answering(photos | {"/1.jpg": reply}) as server:
            job = end_of(ask({"image_urls": urls(server)}).json()["job_id"])
            assert job["state"] == "failed"
            assert words.format(url=server.url) in job["error"]
    with answering(lambda _call: Reply(body=bare)) as server:
        job = end_of(ask({"image_urls": urls(server)}).json()["job_id"])
        assert "the mat shows in 0 of 6 photos, at least 4 are needed" in job["error"]


def test_a_server_that_stumbles_is_asked_again_but_not_for_what_is_here(service, photos, ask, end_of, make_worker):
    left = {"/2.jpg": 2}

    def answer(call):
        if left.get(call.path, 0):
            left[call.path] -= 1
            return Reply(503)
        return photos[call.path]

    with answering(answer) as server:
        make_worker(service)
        assert end_of(ask({"image_urls": urls(server)}).json()["job_id"])["state"] == "completed"
        assert sorted(call.path for call in server.calls).count("/2.jpg") == 3
        assert len(server.calls) == 8


def test_anybody_is_greeted(service):
    for path in ("/", "/health", "/healthz"):
        assert httpx.get(f"{service.url}{path}").status_code == 200
    assert httpx.get(f"{service.url}/").json()["api"] == "/api/v1"
