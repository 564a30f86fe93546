"""Bad command lines of the demo that are refused before anything starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from scannerd.demo.outside_faults import DemoFailed
from scannerd.demo.run import make_usable
from scannerd.store.lock import StoreLock


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scannerd", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--views", "2"], 2, "8"),
        (["--size", "foo"], 2, "1600x1200"),
        (["--size", "10x10"], 2, "160 to 9248"),
        (["--size", "801x600"], 2, "even"),
    ],
)
def test_a_bad_option_is_named_with_what_it_takes(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    done = demo("--out", str(tmp_path / "out"), *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_as_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    for out in (tmp_path / "notes", tmp_path / "notes" / "below"):
        with pytest.raises(DemoFailed, match="choose another"):
            make_usable(out)
    assert (tmp_path / "notes").read_text() == "mine"


def test_a_file_where_the_scans_belong_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scans").write_text("mine")
    with pytest.raises(DemoFailed, match="scans: is no folder that you may write to"):
        make_usable(tmp_path)


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    lock = StoreLock(tmp_path / "demo.lock")
    done = demo("--out", str(tmp_path))
    lock.close()
    assert done.returncode == 1
    assert "in use by process" in done.stderr
    assert "Traceback" not in done.stderr
