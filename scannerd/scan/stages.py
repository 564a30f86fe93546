"""When each stage of one frame began and ended, for the timing chart."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stages:
    """Of one frame. Times are the hardware's; as stored, they count from the beginning of the run."""

    def __init__(self, run_began_s: float) -> None:
        self._run_began_s = run_began_s
        self._spans: dict[str, tuple[float, float]] = {}
        self.waited_s = 0.0
        """What the table stood for nothing before this viewpoint: the backlog was full."""

    def add(self, name: str, began_s: float, ended_s: float) -> None:
        """Note a stage that is over."""
        self._spans[name] = (began_s, ended_s)

    @contextmanager
    def stage(self, name: str, now_s: Callable[[], float]) -> Iterator[None]:
        """Note how long the body takes."""
        began_s = now_s()
        try:
            yield
        finally:
            self.add(name, began_s, now_s())

    def seconds(self, name: str) -> float:
        """Return how long a stage took; 0 when there was none."""
        began_s, ended_s = self._spans.get(name, (0.0, 0.0))
        return ended_s - began_s

    def as_seconds(self) -> dict[str, tuple[float, float]]:
        """Return begin and end of each stage, in seconds since the run began, to tenths of a millisecond."""
        return {
            name: (round(began_s - self._run_began_s, 4), round(ended_s - self._run_began_s, 4))
            for name, (began_s, ended_s) in self._spans.items()
        }
