"""Bad command lines of the three processes: one message, exit 1 or 2, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KEY = "k" * 43


def offload(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "offload", *map(str, arguments)]
    environment = {**os.environ, "OFFLOAD_API_KEY": KEY}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def assert_told(done: subprocess.CompletedProcess[str], code: int, said: str) -> None:
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("serve", "--port", 0, "--data"), ("work", "--data")])
def test_a_file_where_the_data_belongs(tmp_path: Path, arguments: tuple[object, ...]) -> None:
    (tmp_path / "file").write_text("mine")
    assert_told(offload(*arguments, tmp_path / "file"), 1, f"{tmp_path / 'file'}: cannot be made a folder")


def test_an_address_that_this_machine_lacks(tmp_path: Path) -> None:
    done = offload("serve", "--data", tmp_path, "--host", "192.0.2.1", "--port", 0)
    assert_told(done, 1, "cannot listen on 192.0.2.1")


def test_a_port_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = offload("serve", "--data", tmp_path / "data", "--port", 0, "--port-file", tmp_path / "file" / "port")
    assert_told(done, 1, "cannot be made a folder")


def test_sync_where_the_scans_are_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = offload("sync", "--scans", tmp_path / "file", "--url", "http://127.0.0.1:9")
    assert_told(done, 1, "name the daemon's scans")


@pytest.mark.parametrize("url", ["foo", "ftp://there", "http://"])
def test_sync_with_no_address(tmp_path: Path, url: str) -> None:
    assert_told(offload("sync", "--scans", tmp_path / "scans", "--url", url), 2, "http://127.0.0.1:8750")
