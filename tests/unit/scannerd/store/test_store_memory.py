import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.mark.slow
def test_a_thousand_photos_are_remembered_and_sealed_in_a_few_megabytes(tmp_path: Path) -> None:
    """In a process of its own, which also shows the growing scan to people, as the page does."""
    support = REPOSITORY / "tests" / "support"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(support)]),
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, str(support / "weigh_the_store.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=True)
    masses = json.loads(done.stdout)
    assert masses["after_1000_mb"] - masses["after_100_mb"] < 4, "900 entries as objects would be 6 MB and more"
    assert masses["sealed_mb"] - masses["after_1000_mb"] < 9, "the contact sheet alone is 6 MB while it is drawn"
