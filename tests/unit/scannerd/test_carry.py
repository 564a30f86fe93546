"""`scannerd sync`: from settings to a running `offload sync`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from scannerd.config import Config
from scannerd.settings.text import documented_toml

DEADLINE_S = 60.0


def settings(folder: Path, **offload: object) -> Path:
    config = Config.model_validate({"store": {"folder": folder}, "offload": offload})
    file = folder / "config.toml"
    file.write_text(documented_toml(config))
    return file


def sync(config: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "scannerd", "sync", "--config", str(config)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OFFLOAD_")}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def test_without_a_service_it_says_so_and_is_content(tmp_path: Path) -> None:
    ended = sync(settings(tmp_path))
    _, said = ended.communicate(timeout=DEADLINE_S)
    assert ended.returncode == 0
    assert said == "[offload] url is empty: scans stay on this device, and there is nothing to carry\n"


def test_with_a_service_the_process_becomes_the_upload(tmp_path: Path) -> None:
    running = sync(settings(tmp_path, url="http://127.0.0.1:9"))
    lock, deadline = tmp_path / "scans" / ".sync.lock", time.monotonic() + DEADLINE_S
    while not lock.exists() and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    arguments = Path(f"/proc/{running.pid}/cmdline").read_bytes().split(b"\0")
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=DEADLINE_S)
    assert lock.exists(), said
    assert b"offload" in arguments
    assert running.returncode == 0, said


def test_a_key_that_others_may_read_is_refused_by_name(tmp_path: Path) -> None:
    key = tmp_path / "offload.key"
    key.write_text("x" * 32)
    key.chmod(0o644)
    ended = sync(settings(tmp_path, url="http://127.0.0.1:9", key_file=key))
    _, said = ended.communicate(timeout=DEADLINE_S)
    assert ended.returncode == 1
    assert f"{key} may be read by others" in said
