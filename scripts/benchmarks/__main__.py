"""Prints the project's figures: `scripts/bench NAME [options]`. Every name takes --json and --help."""

import importlib
import sys

BENCHES = {
    "api": "how soon GET /state is answered while a scan runs",
    "geometry": "camera poses and coverage as the device finds them, against the truth",
    "kills": "a scanning daemon killed and its power cut anywhere, and how often nothing was lost",
    "slips": "lost steps found on the mat, and how true the angle is after their correction",
    "capture": "seconds a viewpoint over what motor and sensor need, CPU and memory of the capture core",
    "quality": "faulty photos found and good ones refused on rendered scans, and what judging costs",
    "motion": "how evenly STEP pulses come, how long moves take, and whether a step is lost",
    "ready": "how soon the daemon says READY=1",
    "offload": "uploads over bad lines, jobs, service and worker: one figure at a time",
    "reconstruct": "accuracy, completeness, time and memory of the embedded engine on any mesh",
}

MODULES = {"offload": "offload_figures"}
"""Where it is not the bench's own name: that one would hide the package."""


def main() -> int:
    """Run the named bench."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in BENCHES:
        lines = "\n".join(f"  {known:<12} {says}" for known, says in BENCHES.items())
        asked = name in ("", "-h", "--help")
        problem = "" if asked else f"scripts/bench: there is no bench called {name!r}\n"
        print(f"{problem}usage: scripts/bench NAME [--json] [...]\n{lines}", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    return int(importlib.import_module(MODULES.get(name, name)).main(sys.argv[2:]))


if __name__ == "__main__":
    sys.exit(main())
