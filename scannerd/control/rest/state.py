"""`GET /state` and `GET /forecast`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from drivers.protocols import DriverError
from scannerd.board.scan_shown import Forecast
from scannerd.board.state import DeviceState
from scannerd.commands import CommandRefused
from scannerd.control.messages import ScanWishes
from scannerd.control.rest.gate import API
from scannerd.control.rest.problems import Refused, documented
from scannerd.control.rest.reply import shown
from scannerd.control.scanner import Scanner


def state_routes(scanner: Scanner) -> APIRouter:
    """What the scanner does, and what a scan would take."""
    router = APIRouter(prefix=API, tags=["state"])

    @router.get("/state", operation_id="get_state", response_model=DeviceState, responses=documented())
    async def get_state() -> Response:
        """Everything at a glance. `seq` is the number of the latest event that is in it."""
        return shown(scanner.board.state())

    @router.get(
        "/forecast", operation_id="get_forecast", response_model=Forecast, responses=documented(409, 422, 503)
    )
    async def get_forecast(
        wishes: Annotated[ScanWishes, Query()],
    ) -> Response:
        """What a scan with these options would take, and whether it fits on the disk."""
        try:
            return shown(scanner.forecast(wishes.wishes()))
        except CommandRefused as refusal:
            raise Refused(409, str(refusal)) from refusal
        except DriverError as fault:
            raise Refused(503, str(fault)) from fault

    return router
