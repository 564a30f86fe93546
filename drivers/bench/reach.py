"""The near end of the bench's hand: ask it for one thing, over its Unix socket. Loads nothing of the bench."""

import json
import socket
from pathlib import Path

ANSWER_S = 10.0
"""What the hand may take longer than the press that it was asked for."""
LINE_BYTES = 65_536


class HandOutOfReach(RuntimeError):
    """Nobody answers on the socket, or the hand refused. The message says which and why."""


def reach(path: Path, action: str, **details: object) -> dict[str, object]:
    """Let the hand on this socket do something, and return what it says once it is done. Raises HandOutOfReach."""
    duration_s = details.get("duration_s")
    patience_s = ANSWER_S + (duration_s if isinstance(duration_s, int | float) else 0.0)
    request = json.dumps({"do": action, **details}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as near_end:
            near_end.settimeout(patience_s)
            near_end.connect(str(path))
            near_end.sendall(request)
            with near_end.makefile("rb") as answers:
                line = answers.readline(LINE_BYTES)
    except OSError as error:
        why = error.strerror or str(error)
        raise HandOutOfReach(f"{path}: no hand there: {why}; is `scannerd bench` running with it?") from error
    if not line:
        raise HandOutOfReach(f"{path}: the bench went away before the hand had answered")
    answer: dict[str, object] = json.loads(line)
    if not answer.pop("ok", False):
        raise HandOutOfReach(f"{action}: {answer.get('error')}")
    return answer
