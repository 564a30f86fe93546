"""From a bundle to one job: what is missing, wrong, repeated, or cut off by a kill."""

import random
import signal
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture
def photos(kit):
    return [kit.jpeg(random.randrange(1 << 32)) for _ in range(4)]


@pytest.fixture
def manifest(kit, photos, scan_id):
    return kit.manifest_of(photos, scan_id)


def jobs_of(client, manifest):
    return [job for job in client.get("/jobs").json() if job["scan_id"] == manifest.scan_id]


def upload(client, kit, photos):
    for photo in photos:
        assert kit.put(client, photo).status_code in (200, 201)


@pytest.mark.parametrize("service", DATABASES, indirect=True)
def test_a_bundle_before_its_photos_is_told_which_are_missing(service, kit, photos, manifest):
    with service.client() as client:
        upload(client, kit, photos[:2])
        answer = kit.post(client, manifest)
        assert answer.status_code == 409
        assert answer.json() == {"missing": [kit.sha256(photo) for photo in photos[2:]]}
        assert jobs_of(client, manifest) == []


@pytest.mark.parametrize("service", DATABASES, indirect=True)
def test_twenty_posts_at_once_make_one_job(service, kit, photos, manifest):
    with service.client() as client:
        upload(client, kit, photos)

    def send(_number):
        with service.client() as client:
            answer = kit.post(client, manifest)
            return answer.status_code, answer.json()["job_id"]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    assert sorted(status for status, _ in answers) == [200] * 19 + [201]
    assert len({job_id for _, job_id in answers}) == 1
    with service.client() as client:
        jobs = jobs_of(client, manifest)
    assert [(job["state"], job["bundle_sha256"]) for job in jobs] == [("queued", manifest.digest())]


@pytest.mark.parametrize("mortal_service", DATABASES, indirect=True)
def test_an_accepted_job_survives_a_kill(mortal_service, kit, photos, manifest):
    with mortal_service.client() as client:
        upload(client, kit, photos)
        job = kit.post(client, manifest).json()
    mortal_service.end()
    mortal_service.up()
    with mortal_service.client() as client:
        assert client.get(f"/jobs/{job['job_id']}").json() == job
        assert kit.post(client, manifest).status_code == 200


@pytest.mark.parametrize("mortal_service", DATABASES, indirect=True)
def test_kills_at_any_moment_of_a_post_leave_one_job(mortal_service, kit, photos, manifest):
    chance = random.Random(4)
    with mortal_service.client() as client:
        upload(client, kit, photos)
    for _round in range(3):
        with ThreadPoolExecutor(1) as pool, mortal_service.client() as client:
            reply = pool.submit(kit.post, client, manifest)
            wait([reply], timeout=chance.uniform(0, 0.02))
            mortal_service.end()
            reply.exception(timeout=60)
        mortal_service.up()
    with mortal_service.client() as client:
        assert kit.post(client, manifest).status_code in (200, 201)
        assert len(jobs_of(client, manifest)) == 1


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (lambda kit: kit.jpeg(9)[:-40], "frames/0003.jpg is cut short"),
        (lambda kit: b"P6 4 4 255", "frames/0003.jpg is no JPEG"),
        (lambda kit: kit.jpeg(9, 32, 24), "frames/0003.jpg is 32x24 pixels, the bundle says 64x48"),
    ],
)
def test_a_photo_that_is_none_is_refused_by_name(service, kit, photos, scan_id, photo, words):
    photos[3] = photo(kit)
    with service.client() as client:
        upload(client, kit, photos)
        answer = kit.post(client, kit.manifest_of(photos, scan_id))
        assert answer.status_code == 422
        assert words in answer.json()["detail"]


def test_each_photo_is_held_to_its_own_cameras_size(service, kit, photos, scan_id):
    side = {"name": "side", "camera": {"make": "m", "model": "s", "focal_length_mm": 4, "pixel_pitch_um": 3}}
    side |= {"photo_width_px": 32, "photo_height_px": 24}
    photos[2], photos[3] = kit.jpeg(10), kit.jpeg(9, 32, 24)
    frames = [entry.model_dump(mode="json") for entry in kit.manifest_of(photos, scan_id).frames]
    frames[3]["camera"] = 1
    with service.client() as client:
        upload(client, kit, photos)
        good = kit.manifest_of(photos, scan_id, frames=frames, format=2, cameras=[side])
        assert kit.post(client, good).status_code == 201
        frames[2]["camera"] = 1
        answer = kit.post(client, kit.manifest_of(photos, scan_id, frames=frames, format=2, cameras=[side]))
        assert answer.status_code == 422
        assert "frames/0002.jpg is 64x48 pixels, the bundle says 32x24; all photos of camera side" in answer.text


def test_what_the_device_found_out_travels_beside_the_photos(service, kit, photos, scan_id):
    def stored(name, content):
        return {"name": name, "sha256": kit.sha256(content), "size_bytes": len(content)}

    frames = [entry.model_dump(mode="json") for entry in kit.manifest_of(photos, scan_id).frames]
    frames[1]["sidecars"] = [stored("frames/0001.json", b"{}"), stored("frames/0001.mask.png", b"mask")]
    manifest = kit.manifest_of(photos, scan_id, frames=frames, extras=[stored("poses.json", b"[]")])
    with service.client() as client:
        upload(client, kit, [*photos, b"{}", b"mask"])
        answer = kit.post(client, manifest)
        assert (answer.status_code, answer.json()) == (409, {"missing": [kit.sha256(b"[]")]})
        upload(client, kit, [b"[]"])
        assert kit.post(client, manifest).status_code == 201


def test_a_bundle_that_does_not_match_its_hash_or_sizes_is_refused(service, kit, photos, manifest):
    wrong = manifest.frames[0].model_copy(
        update={"file": manifest.frames[0].file.model_copy(update={"size_bytes": 7})}
    )
    with service.client() as client:
        upload(client, kit, photos)
        answer = client.post("/bundles", content=manifest.model_dump_json(), headers={"Bundle-Sha256": "0" * 64})
        assert answer.status_code == 422
        assert manifest.digest() in answer.json()["detail"]
        resized = manifest.model_copy(update={"frames": (wrong, *manifest.frames[1:])})
        answer = kit.post(client, resized)
        assert answer.status_code == 422
        assert "the manifest says 7" in answer.json()["detail"]
        assert client.post("/bundles", content=b"{}").status_code == 422
        assert jobs_of(client, manifest) == []


def test_the_key_is_asked_for(kit, tmp_path):
    locked = kit.service(tmp_path / "data", key="0123456789abcdef-right").up()
    try:
        with locked.client() as client:
            assert client.get("/jobs").status_code == 200
            for wrong in ({"Authorization": "Bearer 0123456789abcdef-wrong"}, {"Authorization": ""}):
                assert client.get("/jobs", headers=wrong).status_code == 401
                assert client.head(f"/blobs/{'0' * 64}", headers=wrong).status_code == 401
            assert client.get(f"{locked.url}/healthz", headers={"Authorization": ""}).json() == {"status": "ok"}
    finally:
        locked.end()


def test_a_port_taken_is_said_in_one_line(service, kit, tmp_path):
    second = kit.program(["-m", "offload.service", "--port", str(service.port), "--data", str(tmp_path / "other")])
    second.start()
    status, output = second.finish()
    assert status == 1
    assert output.strip().count("\n") == 0
    assert f"port {service.port} on 127.0.0.1 is taken" in output
    assert "--port 0" in output


def test_it_never_listens_to_others_without_a_key(kit, tmp_path):
    open_door = kit.program(["-m", "offload.service", "--host", "0.0.0.0", "--port", "0", "--data", str(tmp_path)])
    open_door.start()
    status, output = open_door.finish()
    assert status == 1
    assert "without a key" in output


def test_the_port_file_tells_the_port_and_a_stop_is_quick(kit, tmp_path):
    port_file = tmp_path / "port"
    program = kit.program(
        ["-m", "offload.service", "--port", "0", "--data", str(tmp_path / "data"), "--port-file", str(port_file)]
    )
    program.start()
    line = program.read_line("listening on ")
    assert line == f"listening on http://127.0.0.1:{port_file.read_text().strip()}"
    assert program.end(signal.SIGTERM) == -signal.SIGTERM


def test_how_urgent_it_is_and_what_it_needs_comes_with_a_bundle(service, kit, photos, manifest):
    with service.client() as client:
        upload(client, kit, photos)

        def send(**headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return client.post("/bundles", content=manifest.model_dump_json(), headers=named)

        for wrong in ({"Job_Priority": "soon"}, {"Job_Needs": "memory:lots"}, {"Job_Needs": "a," * 300}):
            assert send(**wrong).status_code == 422
        assert jobs_of(client, manifest) == []
        job = send(Job_Priority="urgent", Job_Needs="cuda, memory:16").json()
        assert (job["priority"], job["waits_for"]) == ("urgent", "no worker runs")
        assert send().json()["priority"] == "urgent", "a repeat is the same job"
