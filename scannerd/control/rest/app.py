"""All routes behind one gate."""

from fastapi import FastAPI

from scannerd import __version__
from scannerd.control.rest.access import access_routes
from scannerd.control.rest.addresses import page_addresses
from scannerd.control.rest.caller import Caller
from scannerd.control.rest.device import device_routes
from scannerd.control.rest.docs import describe, docs_routes
from scannerd.control.rest.event_stream import Listeners, event_routes
from scannerd.control.rest.exports import export_routes
from scannerd.control.rest.files import FileHashes, FileWindow
from scannerd.control.rest.frames import frame_routes
from scannerd.control.rest.gate import App, Gate, Pace
from scannerd.control.rest.health import health_routes
from scannerd.control.rest.mat import mat_routes
from scannerd.control.rest.metrics import Metrics
from scannerd.control.rest.orders import order_routes
from scannerd.control.rest.page import BuiltPage, page_routes
from scannerd.control.rest.pairing import PairingCodes
from scannerd.control.rest.preview import Viewers, preview_routes
from scannerd.control.rest.problems import add_handlers
from scannerd.control.rest.results import result_routes
from scannerd.control.rest.scans import scan_routes
from scannerd.control.rest.settings import settings_routes
from scannerd.control.rest.state import state_routes
from scannerd.control.rest.tokens import TokenBook
from scannerd.control.scanner import Scanner


class RestApp:
    """The application of one scanner: what serves it only needs `asgi`."""

    def __init__(self, scanner: Scanner, page: BuiltPage | None = None, pace: Pace | None = None) -> None:
        self.port: int | None = None
        """On which it listens to the network; None while it does not."""
        self._scanner = scanner
        self.tokens = TokenBook(scanner.store.layout.tokens)
        self.codes = PairingCodes()
        self._listeners = Listeners(scanner)
        self._viewers = Viewers(scanner)
        self.metrics = Metrics(scanner, lambda: len(self._listeners))
        self.fastapi = self._fastapi(scanner, page or BuiltPage())
        self.asgi: App = Gate(self.fastapi, scanner, self.tokens, self.metrics.count_request, pace or Pace())

    def close(self) -> None:
        """End every stream now; safe to call twice."""
        self._listeners.close()
        self._viewers.close()

    def _is_welcome(self, caller: Caller) -> bool:
        may_look = caller.local or self._scanner.config.web.read_without_token
        return may_look or self.tokens.counts(caller.token_id)

    def _addresses(self) -> tuple[str, ...]:
        return page_addresses(self._scanner.config.web.address, self.port) if self.port is not None else ()

    def _fastapi(self, scanner: Scanner, page: BuiltPage) -> FastAPI:
        app = FastAPI(title="scannerd", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
        app.openapi = lambda: _described(app)  # type: ignore[method-assign]
        add_handlers(app)
        files = FileWindow(scanner.reading, FileHashes())
        for routes in (
            state_routes(scanner),
            event_routes(self._listeners, self._is_welcome),
            order_routes(scanner),
            scan_routes(scanner),
            frame_routes(scanner, files),
            export_routes(scanner),
            result_routes(scanner, files),
            settings_routes(scanner),
            device_routes(scanner, self._addresses),
            mat_routes(scanner),
            preview_routes(scanner, self._viewers, self._is_welcome),
            access_routes(scanner, self.tokens, self.codes),
            docs_routes(app),
            health_routes(scanner, self.metrics),
            page_routes(scanner.reading, page),
        ):
            # As they are: include_router would build every one of them again, and a start takes long enough.
            app.router.routes += routes.routes
        return app


def _described(app: FastAPI) -> dict[str, object]:
    if not app.openapi_schema:
        app.openapi_schema = describe(app)
    return app.openapi_schema
