"""`scannerd bench` as a person runs it: a process, a hand that reaches in, a signal that ends it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.bench.reach import reach
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.summary import ScanState, summary_of

DEADLINE_S = 90.0
NOBODY_IS_ASKED = "[quality]\nask_a_person = false\n"
SMALL = ["--views", "3", "--width-px", "320", "--height-px", "240", "--speed", "20"]


@contextmanager
def running(store: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A bench that is ready; SIGTERM must end it with 0."""
    command = [sys.executable, "-m", "scannerd", "bench", "--store", str(store), *SMALL, *more]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any(line.startswith("bench: ready") for line in process.stderr)
            yield process
            process.send_signal(signal.SIGTERM)
            _, rest = process.communicate(timeout=DEADLINE_S)
            assert process.returncode == 0, rest
            assert "Traceback" not in rest
        finally:
            process.kill()


def wait_for(store: Path, state: ScanState, count: int) -> None:
    scans = ScanStore(StoreLayout(store))
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        ids = scans.scan_ids()
        if len(ids) == count and all(summary_of(scans, scan_id).state is state for scan_id in ids):
            return
        time.sleep(0.05)
    raise AssertionError(f"not {count} {state} scans, but {[str(summary_of(scans, i)) for i in scans.scan_ids()]}")


@pytest.mark.slow
def test_a_press_takes_a_scan_and_the_store_is_taken_up_again(tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(NOBODY_IS_ASKED)
    with running(tmp_path, "--config", str(settings)) as process:
        assert process.poll() is None
        hand = tmp_path / "hand.sock"
        assert reach(hand, "truth")["object_present"] is True
        reach(hand, "press", duration_s=0.1)
        wait_for(tmp_path, ScanState.SEALED, 1)
        truth = reach(hand, "truth")
        assert truth["settled_angle_deg"] == pytest.approx(240, abs=0.04)
        assert truth["pulses"] == pytest.approx(6400, abs=1)
    assert not hand.exists()
    taken_at = (tmp_path / "background.jpg").stat().st_mtime_ns
    with running(tmp_path, "--config", str(settings)):
        assert (tmp_path / "background.jpg").stat().st_mtime_ns == taken_at
        command = [sys.executable, "-m", "scannerd", "bench-hand", "--hand", str(hand), "press"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["button_down"] is False
        wait_for(tmp_path, ScanState.SEALED, 2)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["bench", "--views", "2"], 2, "the command line, 1 problem\n  views = 2: use a whole number, 3 to 720"),
        (["bench", "--config", "absent.toml"], 2, "absent.toml, 1 problem\n  cannot be read: No such file"),
        (["bench", "--object", "absent.obj"], 1, "scannerd bench: "),
        (["bench-hand", "--hand", "absent.sock", "truth"], 1, "absent.sock: no hand there: No such file"),
    ],
)
def test_what_cannot_be_started_is_said_in_one_message(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    command = [sys.executable, "-m", "scannerd", *arguments]
    if arguments[0] == "bench":
        command += ["--store", str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
