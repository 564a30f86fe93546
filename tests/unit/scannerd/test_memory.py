import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def test_a_scan_stays_small_however_many_photos_it_takes(tmp_path: Path) -> None:
    """In a process of its own, with numpy, OpenCV, picamera2 and its four buffers, and the bench's own picture."""
    program = REPOSITORY / "tests" / "support" / "scan_and_weigh.py"
    command = [sys.executable, str(program), str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=True)
    masses = json.loads(done.stdout)
    assert masses["after_36_mb"] - masses["after_12_mb"] < 30, "24 kept frames would be 138 MB"
    assert masses["peak_mb"] < 190, "150 MB for the daemon; the bench's picture, and planes made of it, 40 MB"
