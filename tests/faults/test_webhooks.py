"""Receivers that hang, stumble, lead astray or want nothing more, and a service that dies while it tells them."""

import json
import random

import pytest
from loopback_server import Reply, answering
from standardwebhooks import Webhook

from offload.depot.database import open_database
from offload.depot.folder import DataFolder
from offload.depot.ledger import Ledger
from offload.depot.tables import JOBS
from offload.wire.bundle import StoredFile

LOOPBACK = {"OFFLOAD_ALLOW_ADDRESSES": "127.0.0.1/32", "OFFLOAD_WEBHOOK_TIMEOUT_S": "3"}
URLS = [f"http://127.0.0.1:9/{number}.jpg" for number in range(4)]
LIMIT_S = 120.0


@pytest.fixture(params=["sqlite"])
def service(request, kit, tmp_path):
    environment = dict(LOOPBACK)
    if request.param == "postgresql":
        environment["OFFLOAD_DATABASE_URL"] = request.getfixturevalue("postgresql_server").make_database()
    running = kit.service(tmp_path / "data", environment=environment).up()
    yield running
    running.end()


@pytest.fixture
def api(service):
    def call(method, path, **body):
        with service.client() as client:
            return client.request(method, path, json=body or None).raise_for_status().json()

    return call


@pytest.fixture
def end_a_job(api):
    """Make a job and cancel it: its end, which its callback is told of."""

    def one(callback_url, **metadata):
        asked = {"image_urls": URLS, "callback_url": callback_url, "metadata": metadata}
        job_id = api("POST", "/reconstruct", **asked)["job_id"]
        assert api("POST", f"/jobs/{job_id}/cancel")["state"] == "cancelled"
        return job_id

    return one


@pytest.fixture
def log_of(api):
    def one(job_id):
        (delivery,) = api("GET", f"/webhooks/deliveries?job_id={job_id}")
        return delivery

    return one


@pytest.fixture
def reach(kit, log_of):
    def until(job_id, state):
        return kit.wait_for(lambda: found if (found := log_of(job_id))["state"] == state else None, state, LIMIT_S)

    return until


@pytest.mark.parametrize("service", ["sqlite", "postgresql"], indirect=True)
def test_a_job_that_ends_is_told_once_and_unsigned(service, kit, end_a_job, reach):
    with answering(lambda _call: Reply()) as receiver:
        job_id = end_a_job(f"{receiver.url}/done", order=7)
        delivery = reach(job_id, "delivered")
        (call,) = receiver.calls
        failed = {"job_id": job_id, "status": "failed", "error": "the job was cancelled", "metadata": {"order": 7}}
        assert (call.method, call.path, json.loads(call.body)) == ("POST", "/done", failed)
        assert call.headers["webhook-id"] == delivery["delivery_id"]
        assert "webhook-signature" not in call.headers
        assert [one["status"] for one in delivery["tries"]] == [200]


def test_a_model_is_told_with_where_it_is(service, kit, api, reach):
    with answering(lambda _call: Reply()) as receiver:
        job_id = api("POST", "/reconstruct", image_urls=URLS, callback_url=receiver.url)["job_id"]
        engine = open_database(DataFolder(service.data))
        out = service.data / "jobs" / job_id / "results"
        out.mkdir(parents=True)
        (out / "model.glb").write_bytes(b"glTF")
        result = StoredFile(name="model.glb", sha256=kit.sha256(b"glTF"), size_bytes=4)
        with engine.begin() as connection:
            connection.execute(JOBS.update().values(worker="slot-1", state="running"))
        Ledger(engine, "slot-1").complete(job_id, (result,))
        engine.dispose()
        reach(job_id, "delivered")
        told = json.loads(receiver.calls[0].body)
        assert (told["status"], set(told)) == ("completed", {"job_id", "status", "result_url", "metadata"})
        assert told["result_url"].startswith(f"{service.url}/api/v1/jobs/{job_id}/results/")
        with service.client() as client:
            assert client.get(told["result_url"]).content == b"glTF"


def test_old_and_new_secret_sign_side_by_side(api, end_a_job, reach):
    with answering(lambda _call: Reply()) as receiver:
        first = api("POST", "/webhooks/secret", previous_valid_s=0)["secret"]
        second = api("POST", "/webhooks/secret", previous_valid_s=3600)["secret"]
        reach(end_a_job(receiver.url), "delivered")
        for secret in (first, second):
            Webhook(secret).verify(receiver.calls[0].body, receiver.calls[0].headers)
        third = api("POST", "/webhooks/secret", previous_valid_s=0)["secret"]
        reach(end_a_job(receiver.url), "delivered")
        Webhook(third).verify(receiver.calls[1].body, receiver.calls[1].headers)
        assert len(receiver.calls[1].headers["webhook-signature"].split()) == 1
        api("DELETE", "/webhooks/secret")
        reach(end_a_job(receiver.url), "delivered")
        assert "webhook-signature" not in receiver.calls[2].headers


def test_a_receiver_that_stumbles_is_told_again_under_the_same_id(end_a_job, reach):
    answers = [500, 503, 200]
    with answering(lambda _call: Reply(answers.pop(0))) as receiver:
        delivery = reach(end_a_job(receiver.url), "delivered")
        assert {call.headers["webhook-id"] for call in receiver.calls} == {delivery["delivery_id"]}
        assert len({call.body for call in receiver.calls}) == 1
    assert [one["status"] for one in delivery["tries"]] == [500, 503, 200]


def test_who_hangs_keeps_nobody_else_waiting_and_is_told_again(kit, end_a_job, log_of, reach):
    with answering(lambda _call: Reply(hang=True)) as deaf, answering(lambda _call: Reply()) as receiver:
        hanging = end_a_job(deaf.url)
        kit.wait_for(lambda: deaf.calls, "the deaf one to be told", LIMIT_S)
        reach(end_a_job(receiver.url), "delivered")
        kit.wait_for(lambda: log_of(hanging)["tries"], "the deaf one to be given up this time", LIMIT_S)
        assert "not done within 3 s" in log_of(hanging)["tries"][0]["error"]
        assert log_of(hanging)["state"] == "waiting"


def test_a_redirect_inside_is_not_followed(kit, end_a_job, log_of):
    with answering(lambda _call: Reply()) as secret:
        inside = {"Location": f"http://127.0.0.1:{secret.port}/"}
        with answering(lambda _call: Reply(307, headers=inside)) as receiver:
            job_id = end_a_job(receiver.url)
            kit.wait_for(lambda: log_of(job_id)["tries"], "the first try", LIMIT_S)
            assert log_of(job_id)["tries"][0]["status"] == 307
        assert secret.calls == []


def test_a_receiver_that_is_gone_is_switched_off_until_a_replay(service, end_a_job, api, reach):
    answers = [410, 200, 200]
    with answering(lambda _call: Reply(answers.pop(0))) as receiver:
        first = reach(end_a_job(receiver.url), "switched off")
        second = reach(end_a_job(receiver.url), "switched off")
        assert (len(receiver.calls), second["tries"]) == (1, [])
        api("POST", f"/webhooks/deliveries/{first['delivery_id']}/replay")
        reach(first["job_id"], "delivered")
        assert {call.headers["webhook-id"] for call in receiver.calls} == {first["delivery_id"]}
        reach(end_a_job(receiver.url), "delivered")
    assert any("answered 410 and is switched off" in line for line in service.output)


@pytest.mark.parametrize("seed", range(3))
def test_killed_after_it_was_sent_it_is_sent_again_under_the_same_id(service, kit, end_a_job, reach, seed):
    chance = random.Random(seed)
    hang = [True] * chance.choice((1, 2))
    with answering(lambda _call: Reply(hang=bool(hang and hang.pop()))) as receiver:
        kills = len(hang)
        job_id = end_a_job(receiver.url)
        for kill in range(1, kills + 1):
            kit.wait_for(lambda kill=kill: len(receiver.calls) >= kill, "the message to arrive", LIMIT_S)
            service.end()
            service.up()
        delivery = reach(job_id, "delivered")
        assert len(receiver.calls) >= kills + 1
        assert {call.headers["webhook-id"] for call in receiver.calls} == {delivery["delivery_id"]}
