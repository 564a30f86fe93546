"""A scan's journal as a person reads it."""

from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from scannerd.board.state import Shown
from scannerd.store.journal import JournalLine, stream

LAST_LINES = 2000


class LogLine(Shown):
    """One thing that happened."""

    at: datetime
    text: str
    level: Literal["info", "warning", "error"]


def story_of(journal: Path) -> list[LogLine]:
    """Return the last lines. Raises StoreFault."""
    return [_told(line) for line in deque(stream(journal), LAST_LINES)]


def _told(line: JournalLine) -> LogLine:
    level: Literal["info", "warning", "error"] = "info"
    body: Any = line.body
    match line.type:
        case "begun":
            text = f"begun: {body.get('views')} photos"
        case "frame":
            frame = body.get("frame", {})
            text = f"photo {frame.get('index')} at {frame.get('angle_deg', 0.0):.1f}°{_cost(body.get('times'))}"
        case "raw":
            text = f"raw file of photo {body.get('index')}"
        case "judged":
            text, level = f"photo {body.get('index')}, {body.get('verdict')}: {body.get('reason')}", "warning"
        case "lost":
            text, level = f"photo {body.get('index')} counts no more: {body.get('reason')}", "warning"
        case "retake":
            why = f": {body['reason']}" if "reason" in body else ""
            text = f"photo {body.get('index')} is wanted again{why}"
        case "extended":
            text = f"{len(body.get('viewpoints', ()))} viewpoints added"
        case "resumed":
            text = f"resumed with {body.get('frames')} photos"
        case "failed":
            text, level = f"failed: {body.get('error')}", "error"
        case "sealed":
            text = "complete and sealed"
        case other:
            text = ", ".join([other, *(f"{name} {value}" for name, value in body.items())])
    return LogLine(at=datetime.fromisoformat(line.at), text=text, level=level)


def _cost(times: Any) -> str:
    return (
        f", {sum(times.get(f'{step}_s', 0.0) for step in ('move', 'settle', 'capture', 'judge', 'store')):.2f} s"
        if times
        else ""
    )
