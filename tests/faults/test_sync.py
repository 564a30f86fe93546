"""Scans on their way through every kind of trouble: up as they are taken, and the model back, verified."""

import os
import random
import signal
import time
import uuid
from datetime import datetime, timedelta

import pytest
from answer_thief import AnswerThief

from offload.sync.choice import choose_first
from offload.sync.link_file import read_link

SOCKETS_BYTES = 256 << 10
"""What client, link and service may hold of their connections when one of them is killed."""


@pytest.fixture
def state_is(kit, scan):
    def wait(condition, what, limit_s=30.0):
        kit.wait_for(lambda: (state := scan.state) is not None and condition(state), what, limit_s)
        return scan.state

    return wait


@pytest.fixture
def taken(kit, scan):
    for index in range(4):
        scan.take(index, kit.jpeg(index))
    return scan


def size_or_nothing(path):
    """Of a part that may be gone by now: it has become a whole file."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def in_place(state):
    return state.results_in_place


def test_photos_go_up_while_the_scan_runs_and_the_model_comes_back(
    service, kit, make_worker, make_sync, scan, state_is
):
    make_worker(service)
    syncing = make_sync(service.url)
    for index in range(4):
        scan.take(index, kit.jpeg(index))
        state_is(lambda state, wanted=index + 1: state.files_confirmed == wanted, f"photo {index} on the service")
    assert scan.state.job is None
    scan.seal()
    state = state_is(in_place, "results in place")
    payload = sum(map(len, scan.photos.values()))
    assert (state.bytes_known, state.bytes_confirmed, state.bytes_sent) == (payload, payload, payload)
    assert (state.job.state, state.last_error) == ("completed", None)
    results = scan.folder / "results"
    assert sorted(path.name for path in results.iterdir()) == ["model.glb", "report.json"]
    assert (results / "model.glb").read_bytes() == b"glTF" + scan.folder.name.encode()
    assert syncing.end(signal.SIGTERM) == 0


def test_a_background_and_a_retake_go_up_too(service, kit, make_worker, make_sync, taken, state_is):
    make_worker(service)
    make_sync(service.url)
    state_is(lambda state: state.files_confirmed == 4, "the photos on the service")
    taken.write(2, kit.jpeg(22))
    taken.journal(2, kit.jpeg(22))
    background = kit.jpeg(99)
    (taken.folder / "background.jpg").write_bytes(background)
    stored = {"name": "background.jpg", "sha256": kit.sha256(background), "size_bytes": len(background)}
    taken.seal(background=stored)
    assert state_is(in_place, "results in place").files_confirmed == 5


def test_it_waits_for_a_service_that_is_not_there_yet(kit, make_sync, make_worker, taken, state_is, tmp_path):
    service = kit.service(tmp_path / "data").up()
    service.end()
    make_sync(service.url)
    taken.seal()
    state_is(lambda state: "is not reachable" in (state.last_error or ""), "the trouble to be told")
    service.up()
    try:
        make_worker(service)
        assert state_is(in_place, "results in place").last_error is None
    finally:
        service.end()


def test_a_service_killed_again_and_again_costs_little(mortal_service, kit, make_worker, make_sync, scan, state_is):
    size = 1200
    for index in range(36):
        scan.take(index, kit.jpeg(index, size, size))
    payload = sum(map(len, scan.photos.values()))

    def amid_a_photo(whole):
        parts = mortal_service.data / "parts"
        return (
            any(map(size_or_nothing, parts.iterdir()))
            and len(list((mortal_service.data / "blobs").glob("*/*"))) >= whole
        )

    make_sync(mortal_service.url)
    for whole in (4, 12, 20, 28):
        kit.wait_for(lambda whole=whole: amid_a_photo(whole), f"{whole} photos there and one on its way")
        mortal_service.end()
        mortal_service.up()
    scan.seal(photo_width_px=size, photo_height_px=size)
    make_worker(mortal_service)
    state = state_is(in_place, "results in place", 60.0)
    print(f"wire / payload {state.bytes_sent / payload:.3f} of {payload / 1e6:.0f} MB")
    assert state.bytes_sent / payload <= 1.1


def test_a_network_that_breaks_every_two_megabytes_costs_little(service, kit, make_sync, scan, state_is):
    size = 1600
    for index in range(24):
        scan.take(index, kit.jpeg(index, size, size))
    payload = sum(map(len, scan.photos.values()))
    network = kit.network(service, mean_bytes=2e6, seed=5)
    try:
        make_sync(network.url)
        state = state_is(lambda state: state.files_confirmed == 24, "every photo on the service", 60.0)
    finally:
        counts = network.stop()
    ratio = counts["bytes_sent"] / payload
    print(f"{counts['cuts']} cuts; wire / payload {ratio:.3f}; queued {state.bytes_sent / payload:.3f}")
    assert counts["cuts"] > 5
    assert ratio <= 1.1


def test_a_killed_sync_goes_on(service, kit, make_worker, make_sync, taken, state_is):
    worker = make_worker(service, held=True)
    syncing = make_sync(service.url)
    state_is(lambda state: state.files_confirmed > 0, "a photo on the service")
    syncing.end(signal.SIGKILL)
    taken.seal()
    syncing.start()
    state_is(lambda state: state.job is not None and state.job.state == "running", "the job to run")
    syncing.end(signal.SIGKILL)
    worker.release()
    syncing.start()
    state_is(in_place, "results in place")
    assert [path.name for path in taken.folder.glob(".results*")] == []


def test_a_refused_key_is_told_as_such(kit, make_sync, taken, state_is, tmp_path):
    service = kit.service(tmp_path / "data", key="0123456789abcdef-right").up()
    try:
        taken.seal()
        syncing = make_sync(service.url, "--once", "--give-up-s", "2", key="0123456789abcdef-wrong")
        status, output = syncing.finish()
        assert status == 1
        assert "refuses the key" in output
        assert "refuses the key" in taken.state.last_error
        assert make_sync(service.url, key="0123456789abcdef-right").process.poll() is None
        state_is(lambda state: state.job is not None and state.last_error is None, "the job to be there")
    finally:
        service.end()


def test_a_failed_job_passes_its_words_on(service, make_worker, make_sync, taken):
    make_worker(service, mode="bad-input")
    taken.seal()
    syncing = make_sync(service.url, "--once")
    status, output = syncing.finish()
    assert status == 1
    assert f"scan {taken.folder.name}: frames/0002.jpg: the mat is covered; take the scan again" in output
    assert (
        taken.state.last_error == taken.state.job.error == "frames/0002.jpg: the mat is covered; take the scan again"
    )
    assert not (taken.folder / "results").exists()


def test_a_photo_damaged_on_the_device_is_named(service, kit, make_sync, taken):
    taken.take(1, kit.jpeg(7700))  # that no other test has brought to this service
    taken.seal()
    taken.write(1, kit.jpeg(77))
    syncing = make_sync(service.url, "--once")
    status, output = syncing.finish()
    assert status == 1
    assert "frames/0001.jpg is not the photo that was taken" in output


def test_a_photo_the_service_refuses_is_named(service, kit, make_sync, taken):
    taken.take(3, kit.jpeg(3)[:-50])
    taken.seal()
    syncing = make_sync(service.url, "--once")
    status, output = syncing.finish()
    assert status == 1
    assert "frames/0003.jpg is cut short" in output


def test_a_damaged_result_never_gets_in_place(service, make_worker, make_sync, taken, state_is):
    worker = make_worker(service, held=True)
    syncing = make_sync(service.url)
    taken.seal()
    job_id = state_is(lambda state: state.job is not None, "the job to be there").job.job_id
    syncing.end(signal.SIGKILL)
    worker.release()
    kit_content = b"glTF" + taken.folder.name.encode()
    with service.client() as client:
        while client.get(f"/jobs/{job_id}").json()["state"] != "completed":
            assert worker.process.poll() is None
    (model,) = (service.data / "jobs" / job_id / "results").glob("*/model.glb")
    model.write_bytes(kit_content[::-1])
    syncing.start()
    state_is(lambda state: "model.glb" in (state.last_error or ""), "the damage to be told")
    assert not (taken.folder / "results").exists()
    model.write_bytes(kit_content)
    assert state_is(in_place, "results in place").last_error is None


def test_one_folder_takes_one_sync(service, kit, make_sync, taken, state_is):
    make_sync(service.url)
    state_is(lambda state: state.files_confirmed == 4, "the photos on the service")
    second = make_sync(service.url)
    status, output = second.finish()
    assert status == 1
    assert "another sync carries" in output


def test_a_deleted_scan_is_put_down_and_a_restored_one_carried_on(
    service, kit, make_worker, make_sync, scan, state_is, tmp_path
):
    for index in range(4):
        scan.take(index, kit.jpeg(7000 + index))  # that no other test has brought to this service
    syncing = make_sync(service.url)
    state_is(lambda state: state.files_confirmed == 4, "the photos on the service")
    trash = tmp_path / "trash"
    scan.folder.rename(trash)
    kit.wait_for(lambda: "put down" in "".join(syncing.output), "sync to notice")
    assert not scan.folder.exists(), "sync does not make it again"
    trash.rename(scan.folder)
    make_worker(service)
    scan.seal()
    payload = sum(map(len, scan.photos.values()))
    assert state_is(in_place, "results in place").bytes_sent == payload, "what the service had was not sent again"


@pytest.mark.slow
def test_a_sync_killed_at_twenty_instants_sends_nothing_confirmed_again(
    service, kit, make_worker, make_sync, scan, state_is
):
    chance, size = random.Random(11), 900
    make_worker(service)
    network = kit.network(service, mean_bytes=1e12, seed=1)
    syncing = make_sync(network.url)
    for index in range(20):
        scan.take(index, kit.jpeg(8000 + index, size, size))
        time.sleep(chance.uniform(0, 0.8))  # the instant of the kill, anywhere from import to idle
        syncing.end(signal.SIGKILL)
        syncing.start()
    scan.seal(photo_width_px=size, photo_height_px=size)
    state = state_is(in_place, "results in place", 120.0)
    payload = sum(map(len, scan.photos.values()))
    wire = network.stop()["bytes_sent"]
    print(f"wire / payload {wire / payload:.3f} of {payload / 1e6:.0f} MB")
    assert (state.files_confirmed, state.bytes_confirmed) == (20, payload)
    assert wire <= payload + 20 * SOCKETS_BYTES, "only what was in the sockets of a kill may be sent twice"


def test_a_sync_that_remembers_nothing_asks_and_sends_no_photo_again(service, kit, make_sync, scan, state_is):
    for index in range(5):
        scan.take(index, kit.jpeg(8100 + index))
    syncing = make_sync(service.url)
    state_is(lambda state: state.files_confirmed == 5, "the photos on the service")
    for sealed in (False, True):
        syncing.end(signal.SIGKILL)
        (scan.folder / "sync.json").unlink()
        if sealed:
            scan.seal()
        syncing.start()
        state = state_is(lambda state: state.files_confirmed == 5, "to know what the service has")
        assert state.bytes_sent == 0


@pytest.mark.parametrize("seed", range(3))
def test_answers_that_are_lost_cost_questions_and_no_photos(
    service, kit, make_worker, make_sync, scan, state_is, seed
):
    make_worker(service)
    thief = AnswerThief(service.port, seed, share=0.3)
    try:
        make_sync(thief.url)
        for index in range(6):
            scan.take(index, kit.jpeg(8200 + 10 * seed + index))
        scan.seal()
        state = state_is(in_place, "results in place", 120.0)
    finally:
        thief.close()
    assert thief.stolen > 0
    payload = sum(map(len, scan.photos.values()))
    assert state.bytes_sent == payload, "where an answer was lost, the next question told what had come"
    with service.client() as client:
        assert [job["scan_id"] for job in client.get("/jobs").json()].count(scan.folder.name) == 1


def test_the_scan_that_a_person_chose_goes_first_then_the_newest(service, kit, make_sync, tmp_path):
    scans = tmp_path / "scans"
    names = [f"{uuid.uuid4().hex[:8]}-{number}" for number in range(5)]
    for age, name in enumerate(names):
        waiting = kit.scan(scans, name)
        for index in range(4):
            waiting.take(index, kit.jpeg(random.randrange(1 << 32), 480, 360))
        waiting.seal(photo_width_px=480, photo_height_px=360)
        taken_s = time.time() - 1000 * age
        os.utime(waiting.folder / "journal.jsonl", (taken_s, taken_s))
    choose_first(scans, names[4])
    make_sync(service.url, "--connections", "1", "--rate-kb-s", "1000")

    def handed_over():
        with service.client() as client:
            jobs = [job for job in client.get("/jobs").json() if job["scan_id"] in names]
        return [job["scan_id"] for job in sorted(jobs, key=lambda job: job["created_at"])] if len(jobs) == 5 else None

    assert kit.wait_for(handed_over, "five jobs", 60) == [names[4], *names[:4]]


def test_quiet_hours_are_kept_and_told(service, kit, make_sync, taken, tmp_path):
    begin, end = (datetime.now() + timedelta(hours=hours) for hours in (-2, 2))
    syncing = make_sync(service.url, "--quiet", f"{begin:%H:%M}-{end:%H:%M}")
    link = kit.wait_for(lambda: read_link(tmp_path / "scans"), "sync to tell how it is")
    assert link.waits.says == f"quiet hours until {end:%H:%M}"
    assert (link.waits.hitch, link.bytes_sent, link.carried) == ("quiet_hours", 0, 1)
    assert syncing.end(signal.SIGTERM) == 0
    assert read_link(tmp_path / "scans") is None
    status, output = make_sync(
        service.url, "--once", "--give-up-s", "1", "--quiet", f"{begin:%H:%M}-{end:%H:%M}"
    ).finish()
    assert status == 1
    assert f"quiet hours until {end:%H:%M}" in output
