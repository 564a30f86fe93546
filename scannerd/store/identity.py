"""Names for new scans."""

from collections.abc import Container
from datetime import datetime


def new_scan_id(now: datetime, taken: Container[str]) -> str:
    """Return a name made of the local time, so that names sort by age; a number is added where it is taken."""
    name = now.astimezone().strftime("%Y-%m-%d-%H%M%S")
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
