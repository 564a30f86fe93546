"""What the scanning process hands over to be measured."""

from dataclasses import dataclass
from pathlib import Path

from scannerd.demo.leftover import ScanRecord
from scannerd.demo.progress import ScanProgress

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Finished:
    """What the demo leaves to be measured."""

    scan_dir: Path
    scene_file: Path
    progress: ScanProgress
    record: ScanRecord
    daemon_peak_mb: float
    worker_json: Path
    demo_seconds: float


def peak_rss_mb() -> float:
    """Return the most memory that this process has had, in megabytes (10⁶ bytes)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / MEGABYTE
    raise RuntimeError("/proc/self/status has no VmHWM; the demo needs Linux")
