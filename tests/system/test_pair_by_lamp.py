"""Pairing without a screen: hold the idle button, read the code from its lamp, type it at the door."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import lamp_reader
import pytest

from drivers.bench.reach import reach

pytestmark = pytest.mark.slow

DEADLINE_S = 90.0


@contextmanager
def bench(store: Path) -> Iterator[str]:
    """A scanner on the bench; gives the address of its page."""
    small = ["--width-px", "320", "--height-px", "240", "--no-background", "--port", "0"]
    command = [sys.executable, "-m", "scannerd", "bench", "--store", str(store), *small]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if line.startswith("bench: ready"):
                    break
            yield next(line for line in said if "the page is at" in line).split()[-1]
        finally:
            process.terminate()
            process.communicate(timeout=DEADLINE_S)


def code_on(hand: Path) -> str:
    """Watch the lamp until it has blinked six digits."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        flashes: Any = reach(hand, "truth")["lamp_flashes"]
        code: str = lamp_reader.code_of([(at_s, lit) for at_s, lit in flashes])
        if len(code) == 6:
            return code
        time.sleep(0.2)
    raise AssertionError(f"the lamp told no code: {flashes}")


def test_a_code_that_the_lamp_blinks_pairs_once(tmp_path: Path) -> None:
    hand = tmp_path / "hand.sock"
    with bench(tmp_path) as page:
        refused = httpx.get(f"{page}api/v1/state")
        assert refused.status_code == 401
        reach(hand, "press", duration_s=2.5)
        code = code_on(hand)
        wish = {"code": code, "name": "shop tablet"}
        paired = httpx.post(f"{page}api/v1/pair", json=wish)
        assert paired.status_code == 200, paired.text
        key = {"Authorization": f"Bearer {paired.json()['token']}"}
        state = httpx.get(f"{page}api/v1/state", headers=key)
        assert state.json()["phase"] == "idle", "the long press started nothing"
        assert httpx.post(f"{page}api/v1/pair", json=wish).status_code == 409
