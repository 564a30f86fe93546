"""Python, the packages, and whether those that apt and pip built fit each other."""

import importlib.metadata
import json
import platform
import subprocess
import sys
from collections.abc import Iterator

from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import Patient

VERSIONS, FIT = ROWS = ("versions", "packages fit")

LISTED = ("scannerd", "numpy", "opencv-python-headless", "gpiozero", "lgpio", "picamera2", "simplejpeg", "pydantic")
NEEDED = ("numpy", "cv2", "simplejpeg")
OF_A_PI = ("lgpio", "libcamera", "picamera2")
"""From apt: a package built for another numpy fails only when it is loaded."""
LOADED_WITHIN_S = 40.0

_LOAD = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}".splitlines()[0]
print(json.dumps(found))
"""


def look(patient: Patient) -> Iterator[Finding]:
    """Two rows; the second loads packages in a process of its own, which a wrong one may even crash."""
    yield _versions()
    yield _fit(patient)


def _versions() -> Finding:
    seen = [f"Python {platform.python_version()}"]
    for name in LISTED:
        try:
            seen.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return well(VERSIONS, ", ".join(seen), "Python 3.11 or newer")


def _fit(patient: Patient) -> Finding:
    on_pi = patient.machine.kind is not None and patient.config.camera.driver == "picamera2"
    names = (*NEEDED, *OF_A_PI) if on_pi else NEEDED
    expected = f"{', '.join(names)} can be loaded together"
    command = [sys.executable, "-c", _LOAD, *names]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LOADED_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        return not_checked(FIT, f"loading them took more than {LOADED_WITHIN_S:.0f} s")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return act(FIT, f"loading them ended with {done.returncode}: {last}", expected, "sudo scripts/install")
    failed: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    if failed:
        seen = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        return act(FIT, seen, expected, "sudo scripts/install; sudo apt install python3-picamera2 python3-lgpio")
    without = "" if on_pi else f"; not checked: {', '.join(OF_A_PI)}, {patient.in_words}"
    return well(FIT, f"they do{without}", expected)
