"""Schemathesis against the API's own OpenAPI document: what is documented is what happens, whatever is sent."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

WITHOUT_END = {"get_events", "get_preview_stream"}
"""Answers that have no end; their own tests are in test_rest_events.py."""
EXAMPLES = 20
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SAID_WITH_A_REASON = ["2xx", "3xx", "4xx", "503", "507"]
"""503 and 507 are answers about the hardware and the disk, documented and with a reason."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Api:
    url: str
    token: str
    store: Path

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A daemon in a process of its own."""
    program = Path(__file__).resolve().parents[4] / "support" / "serve_for_fuzzing.py"
    folder = tmp_path_factory.mktemp("f")
    with (folder / "daemon.log").open("wb") as log:
        pipe = subprocess.PIPE
        process = subprocess.Popen([sys.executable, str(program), str(folder)], stdin=pipe, stdout=pipe, stderr=log)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (folder / "daemon.log").read_text()[-3000:]
        yield Api(**json.loads(line), store=folder / "store")
        process.stdin.close()
        assert process.wait(30) == 0, (folder / "daemon.log").read_text()[-3000:]
        assert "Traceback" not in (folder / "daemon.log").read_text()
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def operations(api: Api) -> list[schemathesis.APIOperation]:  # type: ignore[type-arg]
    config = schemathesis.Config()
    for project in config.projects.get_all() if hasattr(config.projects, "get_all") else [config.projects.default]:
        project.checks.not_a_server_error.expected_statuses = SAID_WITH_A_REASON
    schema = schemathesis.openapi.from_url(
        f"{api.url}/api/v1/openapi.json", headers=api.headers, config=config, wait_for_schema=10
    )
    found = [result.ok() for result in schema.get_all_operations()]
    return [found_one for found_one in found if found_one.definition.raw["operationId"] not in WITHOUT_END]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_documented(api: Api, mode: GenerationMode) -> None:
    every = operations(api)
    assert len(every) > 25
    for operation in every:
        # What takes nothing cannot be given anything wrong.
        if mode is GenerationMode.POSITIVE or operation.body or list(operation.iter_parameters()):
            fuzz(api, operation, mode)


def test_about_a_scan_that_is_there(api: Api) -> None:
    with httpx.Client(base_url=f"{api.url}/api/v1", headers=api.headers, timeout=60) as client:
        client.post("/commands", json={"command": "stop"})
        assert client.post("/scans", json={"scan_id": "mug", "views": 3}).status_code == 202
        _wait_until_sealed(client)
        results = api.store / "scans" / "mug" / "results"
        results.mkdir()
        (results / "model.glb").write_bytes(b"glTF" * 1000)
        every = [operation for operation in operations(api) if "{scan_id}" in operation.path]
        for operation in sorted(every, key=lambda one: (one.method.upper() != "GET", one.method.upper() == "DELETE")):
            here = {"scan_id": "mug", "index": 0, "name": "model.glb"}
            named = {name: value for name, value in here.items() if f"{{{name}}}" in operation.path}
            fuzz(api, operation, GenerationMode.POSITIVE, named)
        found = client.get(f"{api.url}/metrics").text
        for operation in ("", "/log", "/results", "/frames/{index}.jpg", "/photos.zip", "/results/{name:path}"):
            assert f'route="/scans/{{scan_id}}{operation}",status="200"' in found
        assert 'route="/scans/{scan_id}/retake",status="409"' in found, "a sealed scan is not changed"
        assert 'route="/scans/{scan_id}",status="202"' in found, "it was deleted"


def _wait_until_sealed(client: httpx.Client) -> None:
    until_s = time.monotonic() + 60
    while client.get("/scans/mug").json()["state"] != "sealed":
        assert time.monotonic() < until_s
        time.sleep(0.05)


def fuzz(
    api: Api,
    operation: schemathesis.APIOperation,  # type: ignore[type-arg]
    mode: GenerationMode,
    path_parameters: dict[str, object] | None = None,
) -> None:
    """Send what the strategy makes of the operation's own description, the same in every run."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=path_parameters))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=dict(api.headers), checks=CHECKS)

    ask()


def test_it_still_works(api: Api) -> None:
    with httpx.Client(base_url=api.url, headers=api.headers, timeout=60) as client:
        assert client.get("/healthz").status_code == 200
        state = client.get("/api/v1/state").json()
        assert state["fault"] is None
        text = client.get("/metrics").text
        assert 'status="500"' not in text
