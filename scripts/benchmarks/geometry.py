"""`scripts/bench geometry`: camera poses and coverage as the device finds them, beside the truth of the renderer.

The photos are rendered, the mat's corners detected in them; the fit knows nothing but these, or besides them the true
lens. Masks are the true outlines, so that coverage is judged and not the gate.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from geometry_truth import CoverageRow, PoseRow, TruthSet, coverage_row, pose_row
from photo_sets import PhotoSet, RenderFailed, render
from rich.console import Console
from rich.table import Table

GOAL_PX = 0.5
"""How far a true point of the object may appear from where it truly does."""


def main(arguments: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    poses: list[PoseRow] = []
    coverage: list[CoverageRow] = []
    try:
        for name in options.object or ["default"]:
            heights = "-".join(f"{elevation_deg:g}" for elevation_deg in options.elevations)
            folder = options.keep / f"{Path(name).stem}-{options.views}-{heights}-{options.size}"
            render(PhotoSet(name, options.views, options.elevations, options.size), folder)
            truth = TruthSet.read(folder)
            poses += [pose_row(Path(name).stem, truth, stored_lens=stored) for stored in (False, True)]
            coverage.append(coverage_row(Path(name).stem, truth))
    except RenderFailed as error:
        print(f"scripts/bench geometry: {error}", file=sys.stderr)
        return 1
    if options.json:
        rows = {"poses": [asdict(row) for row in poses], "coverage": [asdict(row) for row in coverage]}
        print(json.dumps({"goal_px": GOAL_PX, **rows}, indent=2))
    else:
        console = Console(width=max(110, Console().width))
        console.print(_pose_table(poses))
        console.print(_coverage_table(coverage))
    return 0 if all(row.most_px <= GOAL_PX for row in poses) else 1


def _pose_table(rows: list[PoseRow]) -> Table:
    table = Table(title="poses against the truth")
    table.add_column("object")
    table.add_column("lens")
    for column in ("corners rms px", "rotation °", "centre mm", "points px mean / p95 / most", "scale %", "CPU s"):
        table.add_column(column, justify="right")
    for row in rows:
        points = f"{row.mean_px:.3f} / {row.p95_px:.3f} / {row.most_px:.3f}"
        found = (f"{row.rms_px:.3f}", f"{row.rotation_deg:.3f}", f"{row.centre_mm:.2f}", points)
        table.add_row(row.object, row.lens, *found, f"{row.scale_percent:+.3f}", f"{row.cpu_s:.2f}")
    return table


def _coverage_table(rows: list[CoverageRow]) -> Table:
    table = Table(title="coverage against rays through the true mesh: told (true), %")
    table.add_column("object")
    for column in ("photos", "seen by 3", "by 1 or 2", "by none", "underneath", "CPU ms a photo, most", "end, ms"):
        table.add_column(column, justify="right")
    for row in rows:
        shares = [f"{100 * told:.1f} ({100 * true:.1f})" for told, true in row.shares.values()]
        cost = (f"{row.cpu_ms:.0f}, {row.most_ms:.0f}", f"{row.report_ms:.0f}")
        table.add_row(row.object, str(row.photos), *shares, *cost)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench geometry", description=__doc__.splitlines()[0])
    parser.add_argument("--object", action="append", help="default, or a mesh file; may be given again")
    parser.add_argument("--views", type=int, default=36, help="in each turn")
    parser.add_argument(
        "--elevations", type=float, nargs="+", default=[30.0], help="of the camera, one for each turn"
    )
    parser.add_argument("--size", default="1600x1200", help="of a photo")
    parser.add_argument("--keep", type=Path, default=Path("out/sets"), help="rendered sets are kept and used again")
    parser.add_argument("--json", action="store_true")
    return parser
