"""Each side of the distribution loads with its own extras and nothing of the other side's."""

import subprocess
import sys

import pytest

BLOCKER = """
import importlib.abc, sys
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(name + " belongs to the other side")
sys.meta_path.insert(0, Refuse())
import {module}
"""

CLOUD_ONLY = ("dbos", "numba", "obstore", "skimage", "xatlas", "fast_simplification", "sqlalchemy")
EDGE_ONLY = ("aiomqtt", "gpiozero", "picamera2", "piexif", "reportlab")
BENCH_ONLY = ("embreex", "trimesh")
OPEN_DOORS_ONLY = ("aiomqtt", "fastapi", "prometheus_client", "uvicorn")
"""A scanner whose doors to the network are closed does not load what they stand on."""


@pytest.mark.parametrize(
    ("module", "blocked"),
    [
        ("scannerd.__main__", CLOUD_ONLY + BENCH_ONLY + OPEN_DOORS_ONLY),
        ("scannerd.run_command", (*CLOUD_ONLY, *BENCH_ONLY, *OPEN_DOORS_ONLY, "httpx", "reportlab")),
        ("scannerd.app", CLOUD_ONLY + BENCH_ONLY + OPEN_DOORS_ONLY),
        ("scannerd.control.rest.door", CLOUD_ONLY + BENCH_ONLY),
        ("offload.sync.__main__", (*CLOUD_ONLY, *BENCH_ONLY, *EDGE_ONLY, "fastapi", "prometheus_client", "uvicorn")),
        ("offload.service.__main__", (*EDGE_ONLY, "embreex", "numba", "skimage", "xatlas")),
        ("offload.worker.__main__", (*EDGE_ONLY, "embreex", "prometheus_client")),
        ("offload.engines.turntable.engine", (*EDGE_ONLY, "embreex", "dbos", "fastapi")),
    ],
)
def test_a_side_does_not_load_the_other_sides_libraries(module: str, blocked: tuple[str, ...]) -> None:
    code = BLOCKER.format(blocked=set(blocked), module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-1500:]
