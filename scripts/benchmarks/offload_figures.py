"""`scripts/bench offload FIGURE [...]`: from the shop's WiFi to a model. Every figure takes --json and --help."""

import importlib
import sys
from collections.abc import Sequence

FIGURES = {
    "upload": (
        "offload_upload",
        "bytes and MB/s over a line that is cut, bytes sent twice, last photo to job started",
    ),
    "jobs": ("offload_jobs", "jobs accepted a second, and how soon the API answers beside uploads and a long queue"),
}
"""Name → module with a `main(arguments)`, and what it tells."""


def main(arguments: Sequence[str]) -> int:
    """Run the figure that the first argument names; returns the exit code."""
    name = arguments[0] if arguments else ""
    if name in FIGURES:
        module, _ = FIGURES[name]
        return int(importlib.import_module(module).main(arguments[1:]))
    lines = "\n".join(f"  {known:<10} {says}" for known, (_, says) in FIGURES.items())
    asked = name in ("", "-h", "--help")
    problem = "" if asked else f"scripts/bench offload: there is no figure called {name!r}\n"
    out = sys.stdout if asked else sys.stderr
    print(f"{problem}usage: scripts/bench offload FIGURE [--json] [...]\n{lines}", file=out)
    return 0 if asked else 2
