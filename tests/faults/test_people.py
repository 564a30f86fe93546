"""Tenants at a running service: refusals with a time, and a job that is deleted and wanted again."""

import openid_issuer
import pytest

from offload.depot.database import open_database
from offload.depot.folder import DataFolder
from offload.people.keys import make_key
from offload.people.principal import Scope
from offload.people.tenants import add_user, limit_tenant, make_tenant


@pytest.fixture
def shop(kit, tmp_path):
    """A service with a tenant; `shop(**limits)` is a client of its."""
    service = kit.service(tmp_path / "data").up()
    engine = open_database(DataFolder(service.data))
    clients = []

    def client(**limits):
        with engine.begin() as connection:
            if not clients:
                make_tenant(connection, "shop", "A shop")
            limit_tenant(connection, "shop", **limits)
            key = make_key(connection, "shop", "x", (Scope.JOBS_READ, Scope.JOBS_WRITE))[1]
        clients.append(service.client())
        clients[-1].headers = {"X-API-Key": key}
        return clients[-1]

    client.service = service
    yield client
    for made in clients:
        made.close()
    engine.dispose()
    service.end()


def test_the_open_door_closes_with_the_first_key(shop):
    with shop.service.client() as nobody:
        assert nobody.get("/jobs").status_code == 200
        assert shop().get("/jobs").status_code == 200
        assert nobody.get("/jobs").status_code == 401


def test_people_log_in_at_a_service_as_it_is_started(kit, tmp_path):
    with openid_issuer.serving() as issuer:
        setting = {
            "OFFLOAD_OIDC_ISSUER": issuer.url,
            "OFFLOAD_OIDC_CLIENT_ID": openid_issuer.CLIENT_ID,
            "OFFLOAD_OIDC_REDIRECT_URIS": "http://127.0.0.1:1/back",
        }
        service = kit.service(tmp_path / "data", environment=setting).up()
        engine = open_database(DataFolder(service.data))
        with engine.begin() as connection:
            make_tenant(connection, "shop", "A shop")
            add_user(connection, "shop", "ann@shop.example", [Scope.JOBS_READ])
        engine.dispose()
        with service.client() as client:
            assert client.get("/jobs").status_code == 401
            begun = client.get("/login").json()
            brought = issuer.log_in(begun["authorization_url"])
            token = client.post("/login", json={"login": begun["login"], **brought}).json()["access_token"]
            assert client.get("/jobs", headers={"Authorization": f"Bearer {token}"}).json() == []
        service.end()
        assert (service.data / "token.key").stat().st_mode & 0o777 == 0o600


def test_every_refusal_says_what_how_much_and_when(shop, kit):
    photos = [kit.jpeg(seed) for seed in range(4)]
    client = shop(most_bytes=sum(map(len, photos)) + 10, most_jobs_a_day=1)
    for photo in photos:
        assert kit.put(client, photo).status_code == 201
    full = kit.put(client, b"one photo more")
    assert full.status_code == 429
    assert full.json()["observed"] == full.json()["allowed"] - 10 + len(b"one photo more")
    assert int(full.headers["Retry-After"]) == full.json()["retry_after_s"] > 0
    assert kit.post(client, kit.manifest_of(photos, "cup")).status_code == 201
    late = kit.post(client, kit.manifest_of(photos, "pot"))
    assert (late.status_code, late.json()["what"]) == (429, "jobs of shop within 24 h")
    assert 80_000 < int(late.headers["Retry-After"]) <= 86_400
    assert [job["scan_id"] for job in client.get("/jobs").json()] == ["cup"]
    slow = shop(most_requests_a_minute=1)
    answers = [slow.get("/jobs") for _request in range(3)]
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_a_deleted_job_can_be_run_again(shop, kit, make_worker):
    photos, client = [kit.jpeg(seed) for seed in range(4)], shop()
    make_worker(shop.service)
    manifest = kit.manifest_of(photos, "cup")
    for photo in photos:
        kit.put(client, photo)

    def run():
        job_id = kit.post(client, manifest).json()["job_id"]
        kit.wait_for(lambda: client.get(f"/jobs/{job_id}").json()["state"] == "completed", "the job", 120)
        return job_id

    job_id = run()

    def deleted():
        answer = client.delete(f"/jobs/{job_id}")
        assert answer.status_code in (204, 409), answer.text
        return answer.status_code == 204

    kit.wait_for(deleted, "the worker to have tidied up", 60)
    assert client.get(f"/jobs/{job_id}").status_code == 404
    assert client.delete(f"/jobs/{job_id}").status_code == 404
    assert run() == job_id
    assert client.get(f"/jobs/{job_id}/results/model.glb").status_code == 200
