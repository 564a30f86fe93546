"""`scannerd reload --or-signal PID`, as systemd calls it, beside a daemon whose web door is closed."""

import subprocess
import sys
from pathlib import Path

WAITER = """
import signal, sys
signal.signal(signal.SIGHUP, lambda *_: sys.exit(7))
print("ready", flush=True)
signal.pause()
"""


def reload(tmp_path: Path, settings: str) -> tuple[subprocess.CompletedProcess[str], int | None]:
    """Return how the command ended, and with what the process that it may signal."""
    config = tmp_path / "config.toml"
    config.write_text(settings)
    with subprocess.Popen([sys.executable, "-c", WAITER], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "ready\n"
        told = subprocess.run(
            [sys.executable, "-m", "scannerd", "reload", "--config", str(config), "--or-signal", str(daemon.pid)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        try:
            return told, daemon.wait(5 if told.returncode == 0 else 0.5)
        except subprocess.TimeoutExpired:
            daemon.kill()
            return told, None


def test_a_sound_file_is_announced_by_signal(tmp_path: Path) -> None:
    told, signalled = reload(tmp_path, f'[web]\nenabled = false\nsocket = "{tmp_path}/none.sock"\n')
    assert (told.returncode, signalled) == (0, 7), told.stderr
    assert "its log has the answer" in told.stdout


def test_a_faulty_file_is_refused_with_its_faults_and_nobody_is_signalled(tmp_path: Path) -> None:
    told, signalled = reload(tmp_path, f'[web]\nsocket = "{tmp_path}/none.sock"\n[scan]\nviews = 1\n')
    assert (told.returncode, signalled) == (1, None)
    assert "[scan] views = 1: use a whole number, 3 to 720" in told.stderr
