"""config.toml for a scanner on the bench: small photos, the whole disk, and no question that a test did not want."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SMALL_MAT = {"columns": 7, "rows": 7}
"""As `OverheadCamera` sees it."""
_ALWAYS: Mapping[str, Mapping[str, Any]] = {
    "store": {"reserve_mb": 0},
    "camera": {"metering": "configured", "width_px": 640, "height_px": 480},
    "scan": {"propose": False},
}


def bench_settings(folder: Path, /, **sections: Mapping[str, Any]) -> str:
    """Return its text with the store in `folder`; the keys of `sections` are added, or stand instead."""
    text = ""
    for name in dict.fromkeys([*_ALWAYS, *sections]):
        keys = {**_ALWAYS.get(name, {}), **sections.get(name, {})}
        if name == "store":
            keys = {"folder": str(folder), **keys}
        # TOML writes these values as JSON does.
        text += f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    return text
