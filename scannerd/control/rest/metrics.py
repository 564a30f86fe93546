"""`/metrics` for Prometheus. Every label has few values, however long the daemon runs and whatever callers send."""

import math
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from scannerd.board.state import Mood
from scannerd.control.scanner import Scanner
from scannerd.event_bus import Numbered
from scannerd.events import (
    CommandAnswered,
    FrameJudged,
    FrameStored,
    ScanDeleted,
    ScanEnded,
    ScanPaused,
    StepTimes,
    SyncProgressed,
    Warned,
)
from scannerd.fault_kind import FaultKind
from scannerd.scan.phases import Phase

MEDIA_TYPE = CONTENT_TYPE_LATEST
STEPS = ("wait", "move", "settle", "capture", "judge", "store")
SOURCES = ("button", "mqtt", "rest", "terminal")
STEP_BUCKETS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)


# Prometheus itself knows when a series began; a second line for each would only be noise.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """Counts what happens from the start of the daemon on."""

    def __init__(self, scanner: Scanner, listeners: Callable[[], int]) -> None:
        """`listeners` says how many follow the events over HTTP."""
        self._scanner = scanner
        self._listeners = listeners
        registry = self._registry = CollectorRegistry()
        self._scans = Counter("scannerd_scans", "Scans by how they ended.", ["outcome"], registry=registry)
        self._frames = Counter("scannerd_frames", "Photos that count.", registry=registry)
        self._verdicts = Counter(
            "scannerd_retakes", "Photos not accepted, by verdict.", ["verdict"], registry=registry
        )
        self._faults = Counter(
            "scannerd_faults", "That ended or paused a scan, or were mended, by kind.", ["kind"], registry=registry
        )
        self._steps = Histogram(
            "scannerd_step_seconds", "Of one photo.", ["step"], buckets=STEP_BUCKETS_S, registry=registry
        )
        self._phase = Enum(
            "scannerd_phase", "What the daemon does.", states=[phase.value for phase in Phase], registry=registry
        )
        self._mood = Enum(
            "scannerd_mood", "What a person should know.", states=[mood.value for mood in Mood], registry=registry
        )
        self._uploaded = Counter("scannerd_upload_bytes", "Confirmed by the service.", registry=registry)
        self._commands = Counter(
            "scannerd_commands", "By front door and answer.", ["source", "status"], registry=registry
        )
        self._sse = Gauge("scannerd_sse_clients", "Who follow the events over HTTP.", registry=registry)
        self._requests = Counter(
            "scannerd_http_requests", "By route and status.", ["route", "status"], registry=registry
        )
        self._free = Gauge("scannerd_disk_free_bytes", "Of the disk that keeps the scans.", registry=registry)
        self._temperature = Gauge("scannerd_temperature_celsius", "Of the processor.", registry=registry)
        self._confirmed: dict[str, int] = {}
        ProcessCollector(registry=registry)
        scanner.events.follow(self._take)

    def count_request(self, route: str, status: int) -> None:
        """Count one answer."""
        self._requests.labels(route, str(status)).inc()

    def text(self) -> bytes:
        """Return the figures of this moment."""
        state = self._scanner.board.state()
        self._phase.state(state.phase.value)
        self._mood.state(state.mood.value)
        self._sse.set(self._listeners())
        if state.disk is not None:
            self._free.set(state.disk.free_mb * 1e6)
        temperature_c = self._scanner.health.temperature_c
        self._temperature.set(math.nan if temperature_c is None else temperature_c)
        return generate_latest(self._registry)

    def _take(self, numbered: Numbered) -> None:
        match numbered.event:
            case FrameStored(times=times):
                self._frames.inc()
                self._observe(times)
            case FrameJudged(verdict=verdict) if verdict != "accept":
                self._verdicts.labels(verdict).inc()
            case ScanEnded(outcome=outcome, fault_kind=kind):
                self._scans.labels(outcome.value).inc()
                self._fault(kind)
            case ScanPaused(fault_kind=kind) | Warned(fault_kind=kind):
                self._fault(kind)
            case CommandAnswered(source=source, answer=answer):
                self._commands.labels(source if source in SOURCES else "other", answer.status.value).inc()
            case SyncProgressed(scan_id, sync):
                self._upload(scan_id, sync.bytes_confirmed, sync.results_in_place)
            case ScanDeleted(scan_id):
                self._confirmed.pop(scan_id, None)
            case _:
                pass

    def _fault(self, kind: FaultKind | None) -> None:
        if kind is not None:
            self._faults.labels(kind.value).inc()

    def _observe(self, times: StepTimes) -> None:
        for step in STEPS:
            self._steps.labels(step).observe(getattr(times, f"{step}_s"))

    def _upload(self, scan_id: str, confirmed_bytes: int, finished: bool) -> None:
        """What was confirmed before the first look at a scan was confirmed before this start, and does not count."""
        before = self._confirmed.get(scan_id, confirmed_bytes)
        self._uploaded.inc(max(0, confirmed_bytes - before))
        if finished:
            self._confirmed.pop(scan_id, None)
        else:
            self._confirmed[scan_id] = confirmed_bytes
