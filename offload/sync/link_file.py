"""Where sync tells of the way to the service, and how others read it; nothing of the network is loaded for that."""

from pathlib import Path

from pydantic import ValidationError

from offload.wire.link import LinkState

LINK = Path(".sync", "link.json")
"""In the folder of scans; there while a sync runs. In a folder of its own, since scans come and go beside it."""


def read_link(scans: Path) -> LinkState | None:
    """Return what sync told last; None if nothing readable is there."""
    try:
        return LinkState.model_validate_json((scans / LINK).read_bytes())
    except (OSError, ValidationError):
        return None
