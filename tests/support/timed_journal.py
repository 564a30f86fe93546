"""Journals of scans whose times are known to the millisecond."""

import json
from pathlib import Path
from typing import Any

MOVE_S, SETTLE_S, EXPOSE_S, READOUT_S = 0.36, 0.20, 0.02, 0.10
JUDGE_S, ENCODE_S, HASH_S, WRITE_S = 0.09, 0.20, 0.01, 0.03
FLOOR_S = MOVE_S + SETTLE_S + EXPOSE_S + READOUT_S
CYCLE_S = FLOOR_S + 0.02


def overlapped_photo(index: int, began_s: float, attempt: int = 1, waited_s: float = 0.0) -> dict[str, Any]:
    """A photo whose table sets out at `began_s` of its run; its readout takes 20 ms more than it must."""
    at_s, stages = began_s, {}
    for stage, seconds in (
        ("move", MOVE_S),
        ("settle", SETTLE_S),
        ("expose", EXPOSE_S),
        ("readout", READOUT_S + 0.02),
        ("judge", JUDGE_S),
        ("encode", ENCODE_S),
        ("hash", HASH_S),
        ("write", WRITE_S),
    ):
        stages[stage] = [round(at_s, 4), round(at_s + seconds, 4)]
        at_s += seconds
    times = {"move_s": MOVE_S, "wait_s": waited_s, "floor_s": FLOOR_S, "stages": stages}
    return {"type": "frame", "frame": frame(index, attempt), "times": times}


def photo_of_before(index: int) -> dict[str, Any]:
    """A photo as journals told of it when nothing overlapped."""
    times = {"move_s": MOVE_S, "settle_s": 0.3, "capture_s": 0.15, "judge_s": 0.1, "store_s": 0.25, "floor_s": 0.8}
    return {"type": "frame", "frame": frame(index), "times": times}


def frame(index: int, attempt: int = 1) -> dict[str, Any]:
    """What these tests need of a photo."""
    return {"index": index, "angle_deg": index * 10.0, "attempt": attempt}


def overlapped_scan(photos: int, began_s: float = 0.0) -> list[dict[str, Any]]:
    """A run without a hitch."""
    return [overlapped_photo(index, began_s + index * CYCLE_S) for index in range(photos)]


def write_journal(folder: Path, lines: list[dict[str, Any]]) -> Path:
    """Write them as the store does."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = {"type": "begun", "views": len(lines)}
    records = [
        json.dumps({"seq": seq, "at": "2026-11-22T10:00:00+00:00", **line})
        for seq, line in enumerate([begun, *lines])
    ]
    (folder / "journal.jsonl").write_text("".join(f"{record}\n" for record in records))
    return folder
