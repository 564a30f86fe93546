"""Stands in for an engine: speaks its JSON lines, leaves a trace of every run, and fails as it is told."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

REPORT = {
    "engine": "stand-in",
    "engine_version": "1",
    "photos_given": 4,
    "photos_used": 4,
    "scale_source": "given poses",
    "size": [1, 1, 1],
    "vertices": 3,
    "triangles": 1,
    "watertight": False,
    "stages": [],
    "peak_rss_mb": 1,
    "files": ["model.glb", "report.json"],
}


def say(**message: object) -> None:
    print(json.dumps(message), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trace", type=Path, required=True)
    parser.add_argument("--mode", default="ok")
    parser.add_argument("--release", type=Path, help="go on once this file is there")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    trace = os.open(options.trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(trace, f"start {os.getpid()}\n".encode())
    manifest = json.loads((options.bundle / "manifest.json").read_text())
    assert all((options.bundle / frame["file"]["name"]).is_file() for frame in manifest["frames"])
    assert not {"OFFLOAD_API_KEY", "OFFLOAD_DATABASE_URL", "AWS_SECRET_ACCESS_KEY"} & set(os.environ)
    if options.mode == "grandchild":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
        os.write(trace, f"grandchild {child.pid}\n".encode())
    say(stage="sweep", fraction=0.25, percent=47.0)
    print("a library prints what it likes")
    print("looking at photos", file=sys.stderr)
    if options.mode == "bad-input":
        say(error="frames/0002.jpg: the mat is covered; take the scan again", bad_input=True)
        sys.exit(1)
    if options.mode == "crash":
        sys.exit("the engine's last words")
    deadline_s = time.monotonic() + 120
    while options.release and not options.release.exists() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    options.out.mkdir(parents=True)
    (options.out / "model.glb").write_bytes(b"glTF" + manifest["scan_id"].encode())
    if options.mode != "no-report":
        (options.out / "report.json").write_text(json.dumps(REPORT))
    say(stage="export", fraction=1.0, percent=100.0)
    os.write(trace, f"end {os.getpid()}\n".encode())
    say(done=True)


if __name__ == "__main__":
    main()
