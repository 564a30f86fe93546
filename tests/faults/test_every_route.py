"""Every route of the service, found in the application itself: who may not, gets nothing, and learns nothing."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from offload.depot.claims import JobClaims
from offload.depot.database import prepare_database
from offload.depot.folder import DataFolder
from offload.depot.instant import now
from offload.depot.keys import Keys
from offload.depot.ledger import Ledger
from offload.depot.needs import Abilities
from offload.depot.new_job import NewJob, add_job
from offload.depot.results import ResultShelf
from offload.depot.storage_folder import FolderStorage
from offload.people.keys import make_key, revoke_key
from offload.people.principal import Scope
from offload.people.tenants import make_tenant
from offload.service.app import create_app
from offload.service.auth import Admitted, Doorkeeper
from offload.wire.bundle import StoredFile

OPEN = {"/", "/health", "/healthz", "/readyz", "/api/v1/login"}
"""What anybody may ask, and tells nothing of anybody."""
LACKING = {
    Scope.JOBS_READ: (Scope.JOBS_WRITE,),
    Scope.JOBS_WRITE: (Scope.JOBS_READ,),
    Scope.METRICS: (Scope.ADMIN,),
    Scope.ADMIN: (Scope.JOBS_READ, Scope.JOBS_WRITE),
    Scope.OPERATOR: (Scope.ADMIN,),
}
MODEL = b"the model that only alpha may see"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Things:
    """What a tenant has, or might have: to be asked for by its names."""

    job_id: str
    photo: bytes
    manifest: str

    def parameters(self):
        return {"job_id": self.job_id, "sha256": sha256(self.photo), "name": "model.glb"}

    def body_and_headers(self, route):
        if route.path.endswith("/blobs/{sha256}"):
            return self.photo, {"Upload-Offset": "0", "Upload-Length": str(len(self.photo))}
        bodies = {
            "/bundles": self.manifest,
            "/priority": '{"priority": "urgent"}',
            "/requeue": json.dumps({"job_ids": [self.job_id]}),
        }
        body = next((one for end, one in bodies.items() if route.path.endswith(end)), "{}")
        return body, {"Content-Type": "application/json"}

    def anonymous(self, text):
        """Return the text without the names that whoever asked knew already."""
        manifest = json.loads(self.manifest)
        names = [self.job_id, sha256(self.photo), manifest["scan_id"]]
        names += [frame["file"]["sha256"] for frame in manifest["frames"]]
        for name in sorted(set(names), key=len, reverse=True):
            text = text.replace(name, "…")
        return text


@dataclass(frozen=True)
class Route:
    path: str
    method: str
    guards: tuple[Admitted, ...]

    @property
    def scope(self):
        return self.guards[0].scope


def routes_of(app):
    found = []
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context.original_route, "dependant", None)
        guards = tuple(call for call in calls(dependant) if isinstance(call, Admitted)) if dependant else ()
        found += [Route(context.path, method, guards) for method in sorted(context.methods or ("GET",))]
    assert len(found) >= 8, "the application's routes are not found any more"
    return found


def calls(dependant):
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from calls(dependency)


@pytest.fixture(scope="module")
def world(tmp_path_factory, kit_of_module):
    """A service with two tenants: alpha has everything, beta asks for it."""
    kit, folder = kit_of_module, DataFolder(tmp_path_factory.mktemp("routes") / "data")
    engine, storage = prepare_database(folder), FolderStorage(folder.root)
    photos = [kit.jpeg(seed) for seed in range(4)]
    theirs = kit.manifest_of(photos, "alphas-scan")
    job = NewJob.of_bundle(theirs, "alpha")
    out = folder.root / "out"
    out.mkdir()
    (out / "model.glb").write_bytes(MODEL)
    result = StoredFile(name="model.glb", sha256=sha256(MODEL), size_bytes=len(MODEL))
    keys = {}
    with engine.begin() as connection:
        for tenant_id in ("alpha", "beta"):
            make_tenant(connection, tenant_id, tenant_id)
            keys[tenant_id] = make_key(connection, tenant_id, "all", (Scope.ADMIN,))[1]
        add_job(connection, job)
        gone, keys["revoked"] = make_key(connection, "alpha", "x", (Scope.ADMIN,))
        revoke_key(connection, gone)
        keys["expired"] = make_key(connection, "alpha", "x", (Scope.ADMIN,), expires_at=now() - timedelta(seconds=1))[
            1
        ]
        for scope, lacking in LACKING.items():
            keys[scope] = make_key(connection, "alpha", "x", lacking)[1]
    list(ResultShelf(storage, Keys.of_tenant("alpha")).put(job.job_id, out, (result,)))
    assert JobClaims(engine, "slot-1").take_next(Abilities()) is not None
    Ledger(engine, "slot-1").complete(job.job_id, (result,))
    service = kit.service(folder.root, key="the-operators-own-key").up()
    with service.client() as client:
        client.headers = {"X-API-Key": keys["alpha"]}
        for photo in photos[1:]:
            assert kit.put(client, photo).status_code == 201
        assert client.get(f"/jobs/{job.job_id}/results/model.glb").content == MODEL
    app = create_app(folder, storage, engine, Doorkeeper(engine, None, is_loopback=True))
    fresh = [kit.jpeg(seed) for seed in range(10, 14)]
    never = kit.manifest_of(fresh, "never-was-it")
    yield (
        service,
        app,
        keys,
        Things(job.job_id, photos[1], theirs.model_dump_json()),
        Things("0" * 32, fresh[1], never.model_dump_json()),
    )
    service.end()
    engine.dispose()


def ask(service, route, key, things):
    path = re.sub(r"{(\w+)(:path)?}", lambda match: things.parameters().get(match[1], "1"), route.path)
    body, headers = things.body_and_headers(route)
    if key is not None:
        headers |= {"X-API-Key": key}
    content = b""
    with (
        httpx.Client(base_url=service.url, timeout=60) as client,
        client.stream(route.method, path, content=None if route.method == "GET" else body, headers=headers) as answer,
    ):
        is_endless = answer.headers.get("content-type", "").startswith("text/event-stream")
        for chunk in answer.iter_bytes():
            content += chunk
            if is_endless:
                break
        shown = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
        return answer.status_code, shown, content.decode(errors="replace")


def every(app):
    return [route for route in routes_of(app) if route.path not in OPEN]


def test_no_route_is_open_that_is_not_listed(world):
    _service, app, _keys, _theirs, _never = world
    for route in every(app):
        assert len(route.guards) == 1, f"{route} declares no one of Reader, Writer, Admin, Watcher, Operator"


@pytest.mark.parametrize("which", [None, "revoked", "expired", "nonsense"])
def test_without_a_good_key_every_route_is_closed(world, which):
    service, app, keys, theirs, _never = world
    for route in every(app):
        status, headers, text = ask(service, route, keys.get(which, which), theirs)
        assert (status, headers.get("www-authenticate")) == (401, "Bearer"), f"{route.method} {route.path}: {text}"


def test_a_key_without_the_scope_is_told_which(world):
    service, app, keys, theirs, _never = world
    for route in every(app):
        scope = route.scope
        status, _headers, text = ask(service, route, keys[scope], theirs)
        assert status == 403, f"{route.method} {route.path}: {text}"
        assert route.method == "HEAD" or f"this takes the scope {scope}" in text


def test_another_tenants_things_are_as_if_they_never_were(world):
    service, app, keys, theirs, never = world
    for route in every(app):
        if route.scope in (Scope.OPERATOR, Scope.METRICS):
            continue
        seen, unseen = (ask(service, route, keys["beta"], things) for things in (theirs, never))
        where = f"{route.method} {route.path}"
        assert seen[0] == unseen[0], where
        assert theirs.anonymous(seen[2]) == never.anonymous(unseen[2]), where
        told = [
            {name: value for name, value in headers.items() if name != "content-length"}
            for headers in (seen[1], unseen[1])
        ]
        assert told[0] == told[1], where
        assert MODEL.decode() not in seen[2], where
        if "{" not in route.path and not route.path.endswith("/bundles"):
            assert "alphas-scan" not in seen[2], where


def test_and_nothing_of_it_has_changed(world):
    service, _app, keys, theirs, _never = world
    with service.client() as client:
        client.headers = {"X-API-Key": keys["alpha"]}
        jobs = client.get("/jobs").json()
        assert [(job["job_id"], job["state"]) for job in jobs] == [(theirs.job_id, "completed")]
        assert client.get(f"/jobs/{theirs.job_id}/results/model.glb").content == MODEL
        assert client.head(f"/blobs/{sha256(theirs.photo)}").headers["Upload-Complete"] == "?1"


def test_the_operators_key_is_the_tenant_of_this_machine(world):
    service, _app, _keys, theirs, _never = world
    with service.client() as client:
        assert client.get("/jobs").json() == []
        assert client.get(f"/jobs/{theirs.job_id}").status_code == 404
