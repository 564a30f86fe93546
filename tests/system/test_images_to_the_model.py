"""Photos of a mat on a turntable, named by URL, through service, worker and the embedded engine to a model."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from loopback_server import Reply, answering

from drivers.bench.render_set import main as render

pytestmark = pytest.mark.slow

DEADLINE_S = 400.0


@pytest.fixture
def programs(tmp_path: Path):
    """Service and worker, as a person starts them; ended together."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OFFLOAD_")}
    environment["OFFLOAD_ALLOW_ADDRESSES"] = "127.0.0.1/32"
    data, port_file = tmp_path / "data", tmp_path / "port"
    with (tmp_path / "log").open("w") as log:
        commands = (["serve", "--port", "0", "--port-file", str(port_file)], ["work"])
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "offload", *command, "--data", str(data)],
                env=environment,
                stdout=log,
                stderr=log,
            )
            for command in commands
        ]
        yield port_file, running, tmp_path / "log"
        for program in running:
            program.terminate()
        for program in running:
            program.wait(timeout=60)


def test_photos_by_url_become_a_model(programs, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    assert (
        render(
            [
                "--object",
                "default",
                "--size",
                "640x480",
                "--views",
                "8",
                "--elevation",
                "25",
                "50",
                "--out",
                str(folder),
            ]
        )
        == 0
    )
    photos = sorted((folder / "frames").glob("*.jpg"))
    assert len(photos) == 16
    port_file, running, log = programs
    deadline_s = time.monotonic() + DEADLINE_S
    while not port_file.exists():
        assert all(program.poll() is None for program in running), log.read_text()
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    with (
        answering({f"/{photo.name}": Reply(body=photo.read_bytes()) for photo in photos}) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port_file.read_text().strip()}/api/v1", timeout=60) as client,
    ):
        options = {"texture_px": 512, "triangles": 5000, "voxel_mm": 2.0}
        body = {"image_urls": [f"{server.url}/{photo.name}" for photo in photos], "options": options}
        job_id = client.post("/reconstruct", json=body).raise_for_status().json()["job_id"]
        while (job := client.get(f"/jobs/{job_id}").json())["state"] in ("queued", "running"):
            assert time.monotonic() < deadline_s, log.read_text()
            time.sleep(0.1)
        assert (job["state"], job["error"]) == ("completed", None)
        report = client.get(f"/jobs/{job_id}/results/report.json").json()
        assert client.get(f"/jobs/{job_id}/results/model.glb").content[:4] == b"glTF"
    assert report["photos_used"] == 16
    assert max(report["size"]) == pytest.approx(150, rel=0.12), "the object is 150 mm high, seen from two heights"
