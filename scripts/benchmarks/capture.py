"""`scripts/bench capture`: how near the capture core comes to what motor and sensor need, in real time.

The production drivers and the daemon run on the bench, whose clock never waits here: photos of 12 megapixels come
from an album that was rendered once, as the platter that the pulses turned shows them. Beside it, in the same run, a
loop that does one thing after the other with the same drivers and functions. `--memory` weighs the daemon over a
thousand viewpoints instead.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

from bench_scanner import ScannerOptions, fill_album, write_scene
from capture_floor import SHARP_PX
from rich.console import Console
from rich.table import Table

from drivers.bench.album.spec import Kind
from drivers.bench.scene import MeshFileError
from drivers.bench.sd_card import CARDS

GOAL_RATIO = 1.05
VIEWS = 60
GOAL_GROWTH_MB = 10.0
WEIGHED_FROM = 20
"""Photos after which the daemon has everything that it will ever need."""
WEIGHED_AT = (WEIGHED_FROM, 100, 200, 500, 1000, 2000, 4000)
WEIGHED_OVER = 10
"""Photos up to there of which the median counts: a moment earlier or later, there is one more in hand."""
MEMORY_ANGLES, MEMORY_SPEED = 12, 4.0
"""Few pictures do, round and round: every photo is judged, encoded, hashed and written as if it were new."""
RUN_LIMIT_S = 3600.0
ALBUMS = Path("out/albums")


class BenchFailed(RuntimeError):
    """A run did not come to its end. The message ends with what it wrote last."""


def main(arguments: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="scannerd-capture-", dir=options.scratch) as scratch:
            figures = measure(options, Path(scratch))
    except (BenchFailed, MeshFileError, OSError) as error:
        print(f"scripts/bench capture: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        Console().print(_memory_table(figures) if options.memory else _table(figures))
        for line in _remarks(figures):
            print(line)
    return 0


def measure(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Return all figures, as one object."""
    views = options.views or (MEMORY_ANGLES if options.memory else VIEWS)
    speed = options.speed or (MEMORY_SPEED if options.memory else 1.0)
    scanner = ScannerOptions(
        scene=str(scratch / "scene.pickle"),
        albums=str(options.albums.resolve()),
        store=str(scratch / "store"),
        views=views,
        width_px=options.width,
        pictures_px=options.pictures_px,
        speed=speed,
        seed=options.seed,
        views_in_all=options.memory_views,
        stiff=options.memory,
        card=options.card,
    )
    write_scene(options.object, Path(scanner.scene))
    folder = fill_album(scanner, _tell_progress)
    about = {
        "object": options.object,
        "photo_px": list(scanner.size_px),
        "rendered_px": list(scanner.spec.rendered_px(Kind.STILL)),
        "album": str(folder),
        "views": views,
        "seed": options.seed,
        "clock_speed": speed,
        "card": options.card,
        "load_before": round(os.getloadavg()[0], 1),
    }
    if options.memory:
        return about | _memory(_run("memory", scanner))
    runs = {how: _run(how, replace(scanner, store=str(scratch / how))) for how in ("overlapped", "sequential")}
    costs = _run("cost", scanner)
    rows = {how: _summary(run, scanner) for how, run in runs.items()}
    return about | {"goal_ratio": GOAL_RATIO, "runs": rows, "cpu": costs, "load_after": round(os.getloadavg()[0], 1)}


def _summary(run: dict[str, Any], scanner: ScannerOptions) -> dict[str, Any]:
    floors = run["floors"]
    parts = {part: mean(floor[part] for floor in floors) for part in floors[0]}
    floor_s, seconds = sum(parts.values()), run["seconds"] / run["viewpoints"]
    dwell_s = scanner.config.scan.settle_s
    return {
        "viewpoints": run["viewpoints"],
        "seconds_per_viewpoint": round(seconds, 4),
        "floor_s": round(floor_s, 4),
        "floor_parts_s": {part: round(value, 4) for part, value in parts.items()},
        "ratio": round(seconds / floor_s, 3),
        "settle_mean_s": round(mean(run["settles_s"]), 4),
        "settle_needed_mean_s": round(mean(floor["settle_s"] for floor in floors[1:]), 4),
        "settle_needed_max_s": round(max(floor["settle_s"] for floor in floors), 4),
        "fixed_dwell_s": dwell_s,
        "blur_median_px": round(median(run["blurs_px"]), 2),
        "blur_max_px": round(max(run["blurs_px"]), 2),
        "photos_blurred": sum(blur > SHARP_PX for blur in run["blurs_px"]),
        "retaken": run["retaken"],
        "cpu_s_per_viewpoint": round(run["cpu_s"] / run["viewpoints"], 3),
        "card_busy_s_per_viewpoint": round(run["card_s"] / run["viewpoints"], 3),
        "card_longest_s": round(run["card_longest_s"], 3),
        "peak_mb": round(run["peak_mb"], 1),
        "photo_mb": round(run["photo_mb"], 2),
        "pictures": run["pictures"],
        "rendered_while_the_clock_stood": run["rendered"],
    }


def _memory(run: dict[str, Any]) -> dict[str, Any]:
    photos = run["viewpoints"]
    weights = [_weight(run["weights_mb"], at) for at in sorted({*WEIGHED_AT, photos}) if at <= photos]
    return {
        "goal_growth_mb": GOAL_GROWTH_MB,
        "viewpoints": photos,
        "growth_mb": round(weights[-1]["resident_mb"] - weights[0]["resident_mb"], 1),
        "largest_growth_mb": round(max(each["resident_mb"] for each in weights) - weights[0]["resident_mb"], 1),
        "weights": weights,
        "every_50th_mb": [resident for resident, _ in run["weights_mb"][49::50]],
        "peak_mb": round(run["peak_mb"], 1),
        "photo_mb": round(run["photo_mb"], 2),
        "retaken": run["retaken"],
        "rendered_while_the_clock_stood": run["rendered"],
        "seconds_per_viewpoint": round(run["seconds"] / photos, 3),
        "load_after": round(os.getloadavg()[0], 1),
    }


def _weight(weights_mb: list[tuple[float, float]], at: int) -> dict[str, float]:
    latest = weights_mb[max(0, at - WEIGHED_OVER) : at]
    resident_mb, own_mb = (round(median(each), 1) for each in zip(*latest, strict=True))
    return {"photos": at, "resident_mb": resident_mb, "own_mb": own_mb}


def _run(how: str, scanner: ScannerOptions) -> dict[str, Any]:
    """Run one measurement in a process of its own. Raises BenchFailed."""
    print(f"{how}: runs", file=sys.stderr)
    program = Path(__file__).with_name("capture_run.py")
    done = subprocess.run(
        [sys.executable, str(program), how, json.dumps(asdict(scanner))],
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )
    if done.returncode != 0:
        raise BenchFailed(f"the {how} run ended with {done.returncode}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if result.get("error"):
        raise BenchFailed(f"the {how} run {result['ended']}: {result['error']}")
    return result


def _tell_progress(done: int, whole: int) -> None:
    if done % 20 == 0 or done == whole:
        print(f"album: {done} of {whole} pictures, at {time.strftime('%H:%M:%S')}", file=sys.stderr)


def _table(figures: dict[str, Any]) -> Table:
    table = Table(title=f"one scan of {figures['views']} viewpoints, goal over the floor ≤ {GOAL_RATIO}")
    table.add_column("")
    for how in figures["runs"]:
        table.add_column(how, justify="right")
    rows = {
        "seconds a viewpoint": "seconds_per_viewpoint",
        "floor, s": "floor_s",
        "over the floor": "ratio",
        "settling, mean s from last step to exposure": "settle_mean_s",
        "settling really needed, mean s": "settle_needed_mean_s",
        "settling really needed, longest s": "settle_needed_max_s",
        "true blur of the rim, median px": "blur_median_px",
        "true blur of the rim, most px": "blur_max_px",
        f"photos with more than {SHARP_PX} px of it": "photos_blurred",
        "photos taken again": "retaken",
        "CPU s a viewpoint, whole process": "cpu_s_per_viewpoint",
        "peak memory, MB": "peak_mb",
        "a photo, MB": "photo_mb",
    }
    if figures["card"]:
        rows |= {
            "the card is busy, s a viewpoint": "card_busy_s_per_viewpoint",
            "longest fsync, s": "card_longest_s",
        }
    for says, key in rows.items():
        table.add_row(says, *(str(run[key]) for run in figures["runs"].values()))
    return table


def _memory_table(figures: dict[str, Any]) -> Table:
    table = Table(title=f"resident memory, goal: grows ≤ {GOAL_GROWTH_MB:.0f} MB after {WEIGHED_FROM} photos")
    for heading in ("photos", "resident, MB", "more than at first", "its own, MB"):
        table.add_column(heading, justify="right")
    first_mb = figures["weights"][0]["resident_mb"]
    for each in figures["weights"]:
        more_mb = each["resident_mb"] - first_mb
        table.add_row(str(each["photos"]), f"{each['resident_mb']:.1f}", f"{more_mb:+.1f}", f"{each['own_mb']:.1f}")
    return table


def _remarks(figures: dict[str, Any]) -> list[str]:
    photo, rendered = (f"{width}x{height}" for width, height in (figures["photo_px"], figures["rendered_px"]))
    made = "rendered at that size" if photo == rendered else f"rendered {rendered}, enlarged, with noise added"
    lines = [f"photos {photo}, {made}; load {figures['load_before']} before, {figures['load_after']} after"]
    if "weights" in figures:
        lines.append(
            f"{figures['retaken']} taken again, {figures['rendered_while_the_clock_stood']} pictures rendered "
            f"meanwhile; peak {figures['peak_mb']} MB; a photo has {figures['photo_mb']} MB and took "
            f"{figures['seconds_per_viewpoint']} s of the bench's time, at speed {figures['clock_speed']:g}"
        )
    if "runs" in figures:
        ours, theirs = figures["runs"]["overlapped"], figures["runs"]["sequential"]
        parts = ", ".join(f"{name[:-2]} {value:.3f}" for name, value in ours["floor_parts_s"].items())
        saved_s = theirs["settle_mean_s"] - ours["settle_mean_s"]
        lines += [
            f"floor in s: {parts}",
            f"adaptive settle saves {saved_s:.3f} s a viewpoint, {saved_s * figures['views']:.1f} s a scan, "
            f"against the loop's fixed dwell of {ours['fixed_dwell_s']} s",
            f"pictures rendered while the clock stood still: {ours['rendered_while_the_clock_stood']} of "
            f"{ours['pictures']}, sequential {theirs['rendered_while_the_clock_stood']} of {theirs['pictures']}",
            "CPU ms a photo on one core: "
            + ", ".join(f"{stage} {milliseconds:.1f}" for stage, milliseconds in figures["cpu"]["stages_ms"].items()),
        ]
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench capture", description=__doc__)
    parser.add_argument("--views", type=int, help=f"viewpoints of one turn: {VIEWS}, with --memory {MEMORY_ANGLES}")
    parser.add_argument("--width", type=int, default=4056, help="of a photo, px; four to three")
    parser.add_argument("--pictures-px", type=int, default=2028, help="width at which photos are rendered")
    parser.add_argument("--object", default="default", help="default, or a mesh file: OBJ, PLY, GLB, STL")
    parser.add_argument("--seed", type=int, default=0, help="of the table's belt; 0 is the usual one")
    parser.add_argument("--speed", type=float, help="of the bench's clock: 1, with --memory 4; times count at 1 only")
    parser.add_argument(
        "--card", choices=["", *CARDS], default="", help="the store lies on this memory card; default: this disk"
    )
    parser.add_argument("--memory", action="store_true", help="weigh the daemon over very many viewpoints instead")
    parser.add_argument("--memory-views", type=int, default=1000, help="so many")
    parser.add_argument("--albums", type=Path, default=ALBUMS, help="rendered pictures are kept here: 64 MB a view")
    parser.add_argument("--scratch", type=Path, default=None, help="scans are written here, and removed")
    parser.add_argument("--json", action="store_true", help="the figures as one object")
    return parser
