"""A cancellation that a library lost is found again."""

import asyncio


def heed_cancellation() -> None:
    """Raise CancelledError when this task was cancelled and went on regardless.

    `asyncio.wait_for` before Python 3.12 returns the result, and forgets the cancellation, when both come in the same
    turn of the loop (https://github.com/python/cpython/issues/86296); aiomqtt waits with it. Not for a task that has
    outlived a failed TaskGroup of its own: before Python 3.13 that one looks cancelled ever after.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
