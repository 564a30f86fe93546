"""Runs one of our functions in a process of its own: the libraries it needs never enter the daemon's memory."""

import asyncio
import importlib
import pickle
import sys
from contextlib import suppress
from typing import Any


class AsideFailed(RuntimeError):
    """The process ended without an answer; the message is the end of what it wrote."""


async def run_aside(function: str, argument: object) -> Any:
    """Return `module:name`(argument), or raise what it raised. Cancelling ends the process. Raises AsideFailed."""
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "scannerd.demo.aside", function]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    try:
        answer, said = await process.communicate(pickle.dumps(argument))
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode:
        raise AsideFailed(f"{function} ended with {process.returncode}: {said.decode(errors='replace')[-2000:]}")
    result = pickle.loads(answer)
    if isinstance(result, Exception):
        raise result
    return result


def main() -> None:
    """Answer one request from standard input on standard output: the other end of `run_aside`."""
    module_name, name = sys.argv[1].split(":")
    answer_to, sys.stdout = sys.stdout.buffer, sys.stderr
    argument = pickle.load(sys.stdin.buffer)
    answer: object
    try:
        answer = getattr(importlib.import_module(module_name), name)(argument)
    except Exception as error:  # noqa: BLE001 - raised again by the parent
        answer = error
    answer_to.write(pickle.dumps(answer))
    answer_to.flush()


if __name__ == "__main__":
    main()
