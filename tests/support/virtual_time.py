"""An event loop whose clock jumps to the next thing that is due: minutes of blinking in milliseconds, on any machine.

For tests whose time is all in the event loop: whoever waits for a thread or a socket is not waited for.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Never sleeps."""

    def __init__(self) -> None:
        super().__init__(selectors.DefaultSelector())
        self._now_s = 1000.0

    def time(self) -> float:
        """Return virtual seconds."""
        return self._now_s

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self._now_s = max(self._now_s, self._scheduled[0]._when)
        super()._run_once()


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in such a loop."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
