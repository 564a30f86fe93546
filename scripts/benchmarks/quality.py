"""`scripts/bench quality`: how many faulty photos the gate finds, how many good ones it refuses, and what it costs.

Scans of some things are rendered with faults that the bench's world injected (`fault_scans` says what counts as one),
and shown to the daemon's gate in the order of the scan: what it accepts it learns from, as the daemon has it. Found
is what the gate does not accept, and what it names as faulty a few photos later, while the scan still runs: the
daemon takes such a photo again by itself. A good photo so named is a false alarm. The rendered photos are kept, so
that a second run is quick. The cost is that of one core, beside a naive colour Canny and Laplacian of the same frame
in the same run.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import cv2
from fault_scans import Fault, FaultKind, Photo, Studio, Take, scan_with_faults
from fault_sheet import FaultSheet
from judge_cost import judge_cost
from rich.console import Console
from rich.table import Table
from things import MissingThing, thing

from drivers.bench.scene import MeshFileError
from drivers.protocols import Frame
from offload.wire.bundle import MatSpec, Place
from scannerd.config import QualitySection
from scannerd.quality.gate import Gate
from scannerd.quality.look import Verdict

OBJECTS = "owl,mug,bunny,gear,spot,ball"
MAT = MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5)
GOALS = {"found": 0.99, "false_alarms": 0.01, "share_of_naive": 0.25}


@dataclass
class Row:
    """One thing's scan."""

    thing: str
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FaultKind, 0))
    faults: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FaultKind, 0))
    good: int = 0
    false_alarms: int = 0
    judge_ms: list[float] = field(default_factory=list)
    found_later: int = 0
    """Of those found: accepted at first, named later."""
    told: list[str] = field(default_factory=list)
    """What was missed, and what was refused without a fault."""

    def count(self, shown: "Shown", afterthought: str | None) -> None:
        """Take in one verdict, and what was said of the photo later."""
        fault, refused = shown.take.fault, shown.verdict is not Verdict.ACCEPT or afterthought is not None
        if fault is None:
            self.good += 1
            self.false_alarms += refused
        else:
            self.faults[fault.kind] += 1
            self.found[fault.kind] += refused
            self.found_later += afterthought is not None
        if refused == (fault is None):
            reason = f"{shown.verdict}, {shown.reason}" if afterthought is None else f"later: {afterthought}"
            self.told.append(f"{self.thing} {shown.take.viewpoint}: {_named(fault)}: {reason}")


@dataclass(frozen=True)
class Shown:
    """One photo that the gate has seen, and what it said."""

    take: Take
    verdict: Verdict
    reason: str


def main(arguments: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    cv2.setNumThreads(1)
    sheet = FaultSheet()
    try:
        rows = [scanned(name, options, sheet) for name in options.objects.split(",")]
    except (MeshFileError, MissingThing) as error:
        print(f"scripts/bench quality: {error}", file=sys.stderr)
        return 1
    if options.sheet is not None:
        sheet.write(options.sheet)
    cost = judge_cost(options.cost_px, MAT) if options.cost_px else None
    figures = {"summary": summary(rows), "cost": cost, "rows": [asdict(row) for row in rows]}
    if options.json:
        print(json.dumps(figures))
    else:
        _print(rows, figures)
    return 0


def scanned(name: str, options: argparse.Namespace, sheet: FaultSheet) -> Row:
    """Show one thing's scan to a gate of its own."""
    studio = Studio(Path(name).stem, thing(name, options.paint), options.photo_px, options.cache)
    gate, row = Gate(QualitySection(), MAT), Row(studio.name)
    shown: list[Shown] = []
    later: dict[int, str] = {}
    for photo in _announced(scan_with_faults(studio, options.views, options.faults, options.seed), name):
        frame = as_frame(photo)
        began_s = time.thread_time()
        # Every photo is a viewpoint of its own: the daemon that accepts one goes on to the next.
        look = gate.judge(frame, Place(index=len(shown)))
        row.judge_ms.append((time.thread_time() - began_s) * 1e3)
        if look.verdict is Verdict.ACCEPT:
            gate.learn(look)
        later |= {each.place.index: each.finding.says for each in look.afterthoughts}
        shown.append(Shown(photo.take, look.verdict, look.reason))
        sheet.take(photo, look)
    for number, each in enumerate(shown):
        row.count(each, later.get(number))
    return row


def as_frame(photo: Photo) -> Frame:
    """Return a photo as the camera delivers it: the companion is half as wide, a quarter above 2028 px."""
    exposure, planes = photo.take.exposure, photo.planes
    shrink = 2 if planes.width_px <= 2028 else 4
    small = planes.shrunk(planes.width_px // shrink // 2 * 2, planes.height_px // shrink // 2 * 2)
    return Frame(planes, small, exposure.exposure_us, exposure.analogue_gain, 0.0)


def summary(rows: list[Row]) -> dict[str, float]:
    """Return the figures over all things."""
    faults, found = sum(sum(row.faults.values()) for row in rows), sum(sum(row.found.values()) for row in rows)
    good, refused = sum(row.good for row in rows), sum(row.false_alarms for row in rows)
    return {
        "faults": faults,
        "found": found / max(faults, 1),
        "good": good,
        "false_alarms": refused / max(good, 1),
        "judge_ms": round(median(ms for row in rows for ms in row.judge_ms), 1),
    }


def _announced(photos: Iterator[Photo], name: str) -> Iterator[Photo]:
    for number, photo in enumerate(photos):
        if number % 20 == 0:
            print(f"{name}: photo {number}", file=sys.stderr)
        yield photo


def _named(fault: Fault | None) -> str:
    return "good" if fault is None else f"{fault.kind} {fault.strength:.2f} {fault.unit}"


def _print(rows: list[Row], figures: dict[str, object]) -> None:
    table = Table(title="Faults found of those injected, and good photos refused")
    for head in ("thing", *FaultKind, "of these later", "false alarms", "judge ms"):
        table.add_column(head)
    for row in rows:
        kinds = [f"{row.found[kind]} / {row.faults[kind]}" for kind in FaultKind]
        table.add_row(
            row.thing, *kinds, str(row.found_later), f"{row.false_alarms} / {row.good}", f"{median(row.judge_ms):.0f}"
        )
    console = Console(width=130)
    console.print(table)
    for row in rows:
        for line in row.told:
            console.print(line, highlight=False)
    console.print(figures["summary"])
    console.print(figures["cost"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench quality", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--objects", default=OBJECTS, help="separated by commas; also box, and any mesh file")
    parser.add_argument("--seed", type=int, default=7, help="of viewpoints and strengths")
    parser.add_argument("--paint", type=int, default=1, help="seed of the paint of bare meshes")
    parser.add_argument("--views", type=int, default=36)
    parser.add_argument("--faults", type=int, default=8, help="of each kind, in each scan")
    parser.add_argument("--photo-px", type=int, default=1600, help="width of the photos")
    parser.add_argument("--cost-px", type=int, default=4056, help="width of the photo whose cost is told; 0: none")
    parser.add_argument("--sheet", type=Path, help="write a picture of faults and verdicts there")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path.home() / ".cache" / "scannerd" / "fault-scans",
        help="where rendered photos are kept",
    )
    return parser
