"""The calibrated lens: is there one, how old is it, is it this camera's size?"""

import time
from collections.abc import Iterator
from datetime import datetime

from pydantic import ValidationError

from offload.wire.bundle import Intrinsics
from scannerd.doctor.finding import Finding, act, well
from scannerd.doctor.patient import Patient

ROWS = ("intrinsics",)

OLD_DAYS = 365
"""A lens that was refocused, or screwed off and on, is another one by then."""


def look(patient: Patient) -> Iterator[Finding]:
    """One row."""
    file, camera = patient.config.intrinsics.file, patient.config.camera
    expected = f"none, or one for {camera.width_px}x{camera.height_px} px, younger than {OLD_DAYS} days"
    todo = 'calibrate the lens again, or set [intrinsics] file = ""'
    if file is None:
        yield well("intrinsics", "no file: the lens is found anew from the mat in each scan", expected)
        return
    try:
        written_s = file.stat().st_mtime
        lens = Intrinsics.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        yield act("intrinsics", f"{file}: {_first_line(error)}", expected, todo)
        return
    days = (time.time() - written_s) / 86_400
    seen = f"{file}: {lens.width_px}x{lens.height_px} px, of {datetime.fromtimestamp(written_s):%Y-%m-%d}"
    if (lens.width_px, lens.height_px) != (camera.width_px, camera.height_px) or days > OLD_DAYS:
        yield act("intrinsics", seen, expected, todo)
    else:
        yield well("intrinsics", seen, expected)


def _first_line(error: OSError | ValidationError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "not a calibrated lens"
