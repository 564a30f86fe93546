"""A program in front of the engine: the kernel kills this process when the worker dies, then it becomes the engine.

Run by path with the worker's pid and the engine's command. A program of its own, since code between fork and exec is
not safe in a process with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie, check that the worker was not faster to die, and become the engine."""
    worker_pid, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}; not starting an engine that could outlive its worker")
    if os.getppid() != worker_pid:
        sys.exit("the worker died before the engine began")
    try:
        os.execvp(command[0], command)
    except OSError as problem:
        sys.exit(f"cannot run the engine {command[0]}: {problem.strerror}")


if __name__ == "__main__":
    main()
