"""A bundle laid out as the engine wants it: `manifest.json`, and the files under their names as hard links."""

import os
import shutil
from pathlib import Path

from offload.depot.folder import DataFolder
from offload.durable import publish
from offload.wire.bundle import Manifest


def lay_out(folder: DataFolder, manifest: Manifest, target: Path) -> None:
    """Make `target` hold the bundle; it appears by rename, so what is there is complete. Safe to repeat."""
    if target.is_dir():
        return
    aside = target.with_name(f"{target.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for file in manifest.files():
        place = aside / file.name
        place.parent.mkdir(exist_ok=True)
        os.link(folder.blob(file.sha256), place)
    (aside / "manifest.json").write_bytes(manifest.canonical_bytes())
    publish(aside, target)
