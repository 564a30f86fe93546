"""What a person can choose about the demo."""

from dataclasses import dataclass
from pathlib import Path

from scannerd.demo.turntables import Turntable


@dataclass(frozen=True)
class DemoOptions:
    """The choices, with the defaults of the command line."""

    out: Path
    mesh: Path | None = None
    """None: the project's own object."""
    keep_size: bool = False
    up_axis: str | None = None
    views: int = 36
    speed: float = 1.0
    """How much faster than real time the bench's clock runs."""
    width_px: int = 1600
    height_px: int = 1200
    voxel_mm: float = 1.0
    texture_px: int = 2048
    object_kg: float = 0.0
    """Weight of what stands on the platter, for motor and belt; 0: as good as none."""
    faults: tuple[str, ...] = ()
    """By name, of `scannerd.demo.faults`."""
    seed: int = 0
    """Decides when each fault strikes, and where the turntable is off."""
    turntable: Turntable = "gpio"
    """What turns the platter; a serial controller has its port in `out`."""
    cameras: int = 1
    """That look at the table, each from a height of its own."""

    def fingerprint(self) -> dict[str, object]:
        """Return what must agree before a scan that an earlier run left may be gone on with."""
        mesh = str(self.mesh.resolve()) if self.mesh else "default"
        others = {"cameras": self.cameras} if self.cameras > 1 else {}
        if self.faults:
            others["seed"] = self.seed
        return others | {
            "mesh": mesh,
            "keep_size": self.keep_size,
            "up_axis": self.up_axis,
            "views": self.views,
            "size_px": [self.width_px, self.height_px],
            "voxel_mm": self.voxel_mm,
            "texture_px": self.texture_px,
            "object_kg": self.object_kg,
            "faults": list(self.faults),
            "turntable": self.turntable,
        }
