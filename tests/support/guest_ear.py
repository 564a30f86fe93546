"""Inside the virtual machine: hears commands on a port and answers with what they said. Standard library only."""

import json
import subprocess
from typing import Any

PORT = "/dev/virtio-ports/ear"


def main() -> None:
    """Answer one command after the other, each a line of JSON, for as long as the machine runs."""
    with open(PORT, "r+b", buffering=0) as port:  # noqa: PTH123 - a Path has no unbuffered mode for a port
        _tell(port, {"hears": True})
        heard = b""
        while True:
            heard += port.read(65536)
            *lines, heard = heard.split(b"\n")
            for line in lines:
                _tell(port, _obeyed(json.loads(line)))


def _obeyed(order: dict[str, Any]) -> dict[str, Any]:
    try:
        done = subprocess.run(
            order["command"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=order["limit_s"],
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as late:
        return {"code": 124, "out": str(late.stdout), "err": f"{late}: {late.stderr!r}"}
    except OSError as error:
        return {"code": 127, "out": "", "err": str(error)}
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


def _tell(port: Any, answer: dict[str, Any]) -> None:
    left = memoryview(json.dumps(answer).encode() + b"\n")
    while left:
        # The kernel takes 32 KiB at once.
        left = left[port.write(left) :]


main()
