"""The photo of the empty turntable: kept once, given to every scan that was taken the same way."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from offload.wire.base import Wire
from offload.wire.bundle import CameraModel, StoredFile
from scannerd.scan.plan import ScanPlan
from scannerd.store.developed import file_of
from scannerd.store.durable import StoreFault, fsync_folder, part_of, write_durably
from scannerd.store.hashing import sha256_of_file
from scannerd.store.layout import ScanFolder, StoreLayout

EXPOSURE_TOLERANCE = 0.05
"""Sensors round the exposure to whole lines; a twentieth more light is still the same picture."""


class BackgroundFacts(Wire):
    """How the plate was taken: `background.json`."""

    file: StoredFile
    camera: CameraModel
    photo_width_px: int = Field(ge=16)
    photo_height_px: int = Field(ge=16)
    exposure_us: float = Field(gt=0)
    analogue_gain: float = Field(gt=0)
    colour_gains: tuple[float, float] | None = None
    """Red and blue that were locked; None: a plate from before this was kept."""
    focus_dioptres: float | None = None
    """None: the lens has no motor, or a plate from before this was kept."""
    taken_at: datetime


@dataclass(frozen=True)
class BackgroundPlate:
    """The store's own plate of one camera."""

    layout: StoreLayout
    number: int = 0
    name: str = ""
    """Of the camera; the first needs none."""

    @property
    def path(self) -> Path:
        """The photo."""
        return self.layout.background_of(self.number, self.name)

    @property
    def _facts(self) -> Path:
        return self.path.with_suffix(".json")

    def keep(self, jpeg: bytes, facts: BackgroundFacts) -> None:
        """Replace the plate. Raises StoreFault."""
        write_durably(self.path, jpeg)
        write_durably(self._facts, facts.model_dump_json(indent=2).encode())

    def facts(self) -> BackgroundFacts | None:
        """Return how the plate was taken; None without one, or when picture and facts do not belong together."""
        try:
            facts = BackgroundFacts.model_validate_json(self._facts.read_bytes())
            same = sha256_of_file(self.path) == facts.file.sha256
        except (OSError, ValidationError):
            return None
        return facts if same else None

    def give_to(self, folder: ScanFolder, plan: ScanPlan) -> str | None:
        """Put the plate into a scan's folder when it fits the plan; return why not when it does not.

        `plan` as the camera has it.
        """
        facts = self.facts()
        if facts is None:
            return None
        difference = mismatch(facts, plan)
        if difference is not None:
            return (
                f"the background photo{plan.named(self.number)} is not used: {difference}; "
                "take it again with `scannerd calibrate background`"
            )
        given = folder.background_of(self.number, self.name)
        temporary = part_of(given)
        try:
            try:
                os.link(self.path, temporary)
            except OSError:  # a disk without hard links
                shutil.copyfile(self.path, temporary)
                with temporary.open("rb") as copy:
                    os.fsync(copy.fileno())
            temporary.replace(given)
            fsync_folder(folder.path)
        except OSError as error:
            raise StoreFault(f"{given}: not written: {error.strerror}") from error
        return None


def mismatch(facts: BackgroundFacts, plan: ScanPlan) -> str | None:
    """Return in words what differs between plate and plan; None when a photo of one can stand for the other."""
    if (facts.photo_width_px, facts.photo_height_px) != (plan.photo_width_px, plan.photo_height_px):
        return (
            f"it has {facts.photo_width_px}x{facts.photo_height_px} px, "
            f"photos have {plan.photo_width_px}x{plan.photo_height_px}"
        )
    light, planned = facts.exposure_us * facts.analogue_gain, plan.exposure_us * plan.analogue_gain
    if abs(light / planned - 1) > EXPOSURE_TOLERANCE:
        return (
            f"it was exposed {facts.exposure_us:.0f} µs at gain {facts.analogue_gain:g}, "
            f"photos are exposed {plan.exposure_us:.0f} µs at gain {plan.analogue_gain:g}"
        )
    if facts.camera != plan.camera:
        return f"it was taken by {facts.camera.model}, photos are taken by {plan.camera.model} (or another lens)"
    return None


def give_backgrounds(layout: StoreLayout, folder: ScanFolder, plan: ScanPlan) -> str | None:
    """Put every camera's plate into a scan's folder; return why some are not used. Raises StoreFault."""
    names = enumerate(plan.camera_names)
    remarks = (BackgroundPlate(layout, *camera).give_to(folder, plan.of_camera(camera[0])) for camera in names)
    return "; ".join(remark for remark in remarks if remark is not None) or None


def stored_background(folder: ScanFolder, number: int = 0, name: str = "") -> StoredFile | None:
    """Return the plate of one camera that a scan was given, as the manifest names it."""
    path = folder.background_of(number, name)
    return stored_file(path) if path.exists() else None


def stored_file(path: Path) -> StoredFile:
    """Return a file at the top of a scan's folder as the manifest names it."""
    return file_of(path.name, path.read_bytes())
