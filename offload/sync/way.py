"""What all scans share on their way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from offload.sync.client import ServiceClient
from offload.sync.lanes import Lanes
from offload.sync.patience import Patience, nothing
from offload.sync.report import LinkReport
from offload.sync.trouble import TryAgain

Result = TypeVar("Result")


@dataclass(frozen=True)
class Way:
    """To the service: its client, few connections, patience, and a report of how it goes."""

    client: ServiceClient
    lanes: Lanes
    patience: Patience
    report: LinkReport

    async def call(
        self,
        attempt: Callable[[], Awaitable[Result]],
        note: Callable[[TryAgain | None], None],
        reached: Callable[[], object] = nothing,
    ) -> Result:
        """Try until it works, as `Patience.call`, and have it in the report."""

        def both(trouble: TryAgain | None) -> None:
            self.report.note(trouble)
            note(trouble)

        return await self.patience.call(attempt, both, reached)
