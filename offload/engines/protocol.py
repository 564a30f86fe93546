"""What the worker asks of an engine, and how an engine tells where it is."""

from collections.abc import Callable
from typing import Protocol

from offload.wire.jobs import Stage

OnProgress = Callable[[Stage, float], None]
"""Called with the stage and the fraction of that stage that is done, 0 to 1."""


class EngineError(RuntimeError):
    """The photos cannot become a model. The message says which photo, what was seen, expected, and what to do."""


class BadInput(EngineError):
    """A person must change the input; trying again will not help."""


class EngineCancelled(EngineError):
    """The job was cancelled; nothing was published."""


class Cancellation(Protocol):
    """Asked between stages, and inside long ones."""

    def raise_if_cancelled(self) -> None:
        """Raise EngineCancelled once somebody wants the engine to stop."""
