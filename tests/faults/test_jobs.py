"""Jobs whose worker or engine dies: one engine at a time, one visible result, nobody left behind."""

import json
import signal

import pytest

on_both_databases = pytest.mark.parametrize("service", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def photos(kit):
    return [kit.jpeg(seed) for seed in range(4)]


@pytest.fixture
def submit(service, kit, photos, scan_id):
    def send(suffix=""):
        with service.client() as client:
            for photo in photos:
                assert kit.put(client, photo).status_code in (200, 201)
            return kit.post(client, kit.manifest_of(photos, scan_id + suffix)).json()["job_id"]

    return send


@pytest.fixture
def job_of(service):
    def ask(job_id):
        with service.client() as client:
            return client.get(f"/jobs/{job_id}").json()

    return ask


@pytest.fixture
def reach(kit, job_of):
    def wait(job_id, *states):
        kit.wait_for(lambda: job_of(job_id)["state"] in states, f"job to be {states}")
        return job_of(job_id)

    return wait


@on_both_databases
def test_a_job_runs_and_its_results_are_what_the_engine_wrote(service, kit, make_worker, submit, reach):
    make_worker(service)
    job = reach(submit(), "completed", "failed")
    assert (job["state"], job["percent"], job["error"]) == ("completed", 100.0, None)
    assert [file["name"] for file in job["results"]] == ["model.glb", "report.json"]
    with service.client() as client:
        for file in job["results"]:
            content = client.get(f"/jobs/{job['job_id']}/results/{file['name']}").content
            assert (kit.sha256(content), len(content)) == (file["sha256"], file["size_bytes"])
        assert content.startswith(b"{")
        assert client.get(f"/jobs/{job['job_id']}/results/..%2fengine.lock").status_code == 404


def test_progress_is_told_while_the_engine_runs(service, kit, make_worker, submit, job_of, reach):
    worker = make_worker(service, held=True)
    job_id = submit()
    kit.wait_for(lambda: job_of(job_id)["stage"] == "sweep", "the stage sweep")
    assert (job_of(job_id)["state"], job_of(job_id)["percent"]) == ("running", 47.0)
    worker.release()
    assert reach(job_id, "completed")["percent"] == 100.0


def test_a_jobs_way_is_told_as_it_goes_and_afterwards(service, kit, make_worker, submit):
    worker = make_worker(service, held=True)
    job_id = submit()
    with service.client() as client:
        assert client.get("/jobs/never/events").status_code == client.get("/jobs/never/stages").status_code == 404
        told = []
        with client.stream("GET", f"/jobs/{job_id}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                told += [json.loads(line.removeprefix("data: "))] if line.startswith("data: ") else []
                if told and told[-1]["stage"] == "sweep":
                    worker.release()
        assert told[-1]["state"] == "completed", "and then it ends by itself"
        assert client.get(f"/jobs/{job_id}/log").text == "looking at photos"
        assert client.get("/jobs/never/log").status_code == 404
        assert [event["percent"] for event in told] == sorted(event["percent"] for event in told)
        stages = client.get(f"/jobs/{job_id}/stages").json()
    assert stages[0]["stage"] == "fetch"
    assert "sweep" in {stage["stage"] for stage in stages}
    assert {stage["outcome"] for stage in stages} == {"done"}
    assert all(stage["started_at"] <= stage["ended_at"] for stage in stages)


@on_both_databases
def test_a_killed_worker_takes_its_engine_along_and_goes_on(service, kit, make_worker, submit, reach):
    worker = make_worker(service, held=True)
    job_id = submit()
    kit.wait_for(lambda: worker.pids("start"), "the engine to start")
    worker.end(signal.SIGKILL)
    kit.wait_for(lambda: not kit.is_alive(worker.pids("start")[0]), "the engine to die with its worker", 5.0)
    worker.up()
    kit.wait_for(lambda: len(worker.pids("start")) == 2, "the engine to be started again")
    worker.release()
    reach(job_id, "completed")
    assert [word for word, _ in worker.trace] == ["start", "start", "end"]
    kept = worker.data / "jobs" / job_id
    kit.wait_for(lambda: not (kept / "bundle").exists(), "the bundle's links to be dropped")
    assert sorted(path.name for path in (kept / "results").glob("*/*")) == ["model.glb", "report.json"]


def test_what_a_killed_engine_has_started_is_found_after_the_restart(service, kit, make_worker, submit, reach):
    worker = make_worker(service, held=True, mode="grandchild")
    job_id = submit()
    kit.wait_for(lambda: worker.pids("grandchild"), "the engine's own child")
    worker.end(signal.SIGKILL)
    worker.up()
    kit.wait_for(lambda: not kit.is_alive(worker.pids("grandchild")[0]), "the engine's child to be found", 10.0)
    worker.release()
    reach(job_id, "completed")
    kit.wait_for(lambda: not any(map(kit.is_alive, worker.pids("grandchild"))), "no child to be left", 5.0)


def test_a_stopped_worker_leaves_no_engine_and_loses_no_attempt(service, kit, make_worker, submit, job_of, reach):
    worker = make_worker(service, held=True)
    job_id = submit()
    for start in range(1, 8):
        kit.wait_for(lambda start=start: len(worker.pids("start")) == start, f"start {start} of the engine")
        assert worker.end(signal.SIGTERM) == 0
        assert not kit.is_alive(worker.pids("start")[-1])
        assert job_of(job_id)["state"] == "running"
        if start == 7:
            worker.release()
        worker.up()
    reach(job_id, "completed")


@pytest.mark.slow
def test_a_job_that_kills_its_workers_is_given_up(service, kit, make_worker, submit, reach):
    worker = make_worker(service, held=True)
    job_id = submit()
    for start in range(1, 7):
        kit.wait_for(lambda start=start: len(worker.pids("start")) == start, f"start {start} of the engine")
        worker.end(signal.SIGKILL)
        worker.up()
    assert "the worker died in 6 runs" in reach(job_id, "failed")["error"]


def test_cancel_leaves_no_child_and_no_result(service, kit, make_worker, submit, reach):
    worker = make_worker(service, held=True, mode="grandchild")
    job_id = submit()
    kit.wait_for(lambda: worker.pids("grandchild"), "the engine's own child")
    with service.client() as client:
        assert client.post(f"/jobs/{job_id}/cancel").status_code == 200
    job = reach(job_id, "cancelled")
    assert job["results"] == []
    pids = worker.pids("start") + worker.pids("grandchild")
    kit.wait_for(lambda: not any(map(kit.is_alive, pids)), "engine and child to be gone", 5.0)
    worker.release()
    other = submit("-other")
    assert reach(other, "completed")["scan_id"].endswith("-other")


@on_both_databases
def test_a_queued_job_is_cancelled_before_it_begins(service, make_worker, submit, job_of, reach):
    cancelled = submit()
    with service.client() as client:
        assert client.post(f"/jobs/{cancelled}/cancel").json()["state"] == "cancelled"
    worker = make_worker(service)
    reach(submit("-other"), "completed")
    assert job_of(cancelled)["state"] == "cancelled"
    assert len(worker.pids("start")) == 1


def test_bad_input_fails_at_once_with_the_engines_words(service, make_worker, submit, reach):
    worker = make_worker(service, mode="bad-input")
    job = reach(submit(), "failed")
    assert job["error"] == "frames/0002.jpg: the mat is covered; take the scan again"
    assert len(worker.pids("start")) == 1


@pytest.mark.parametrize(("mode", "words"), [("crash", "the engine's last words"), ("no-report", "report.json")])
def test_an_engine_that_breaks_is_tried_three_times(service, make_worker, submit, reach, mode, words):
    worker = make_worker(service, mode=mode)
    job = reach(submit(), "failed")
    assert words in job["error"]
    assert "tried 3 times" in job["error"]
    assert len(worker.pids("start")) == 3


def test_one_slot_takes_one_worker(service, kit, make_worker):
    make_worker(service)
    second = kit.program(["-m", "offload.worker", "--slot", "1", "--data", str(service.data)])
    second.start()
    status, output = second.finish()
    assert status == 1
    assert "another worker runs in slot 1" in output
