"""The notice board: folds what happened into the state that everybody is shown."""

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex

from offload.wire.link import LinkState
from scannerd import __version__
from scannerd.board.scan_clock import ScanClock
from scannerd.board.state import (
    CoverageShown,
    DeviceState,
    DiskSpace,
    EndedScan,
    HomingShown,
    Leg,
    Mood,
    Remark,
    RunningScan,
    UploadProgress,
)
from scannerd.event_bus import EventBus, Numbered
from scannerd.events import (
    AxisHomed,
    CommandAnswered,
    CoverageChanged,
    EmergencyStopChanged,
    FrameJudged,
    FramesLost,
    FrameStored,
    LightChanged,
    LinkChanged,
    Outcome,
    PhaseChanged,
    PressFailed,
    ScanDeleted,
    ScanEnded,
    ScanExtended,
    ScanGivenUp,
    ScanPaused,
    ScanStarted,
    SyncProgressed,
    UnfinishedScanFound,
    Warned,
)
from scannerd.fault_kind import FaultKind
from scannerd.requests import AnswerStatus
from scannerd.scan.phases import Phase

REMARKS = 10
UPLOADS = 20
"""So many are shown: thousands may wait for a service."""
PUSHED = "the emergency stop is pushed, or its wire is broken: nothing moves; release it, then go on"
DONE_SHOWN_S = 600.0
"""So long a new model is news, unless somebody does something before."""


class Board:
    """Hears of every event before anybody else, so that whoever asks after an event sees its effect."""

    def __init__(
        self,
        events: EventBus,
        device: str,
        disk: Callable[[], DiskSpace | None] = lambda: None,
        monotonic_s: Callable[[], float] = time.monotonic,
        has_raw: Callable[[], bool] = lambda: False,
    ) -> None:
        self.boot = token_hex(4)
        self.device = device
        self._events = events
        self._disk = disk
        self._monotonic_s = monotonic_s
        self._has_raw = has_raw
        self._phase = Phase.IDLE
        self._scan: ScanClock | None = None
        self._interrupted: str | None = None
        self._unfinished: list[str] = []
        self._fault: str | None = None
        self._fault_kind: FaultKind | None = None
        self._remarks: deque[Remark] = deque(maxlen=REMARKS)
        self._last: EndedScan | None = None
        self._uploads: dict[str, UploadProgress] = {}
        self._link: LinkState | None = None
        self._done_until_s = 0.0
        self._light_level: float | None = None
        self._light_colour: str | None = None
        self._emergency_stop: bool | None = None
        self._homing: HomingShown | None = None
        events.follow(self._take)

    @property
    def mood(self) -> Mood:
        """What a person across the room should know."""
        if self._scan is not None and self._phase is Phase.PAUSED:
            return Mood.ASKING if self._scan.question else Mood.PAUSED
        if self._phase is not Phase.IDLE:
            return Mood.SCANNING
        if self._fault is not None or self._emergency_stop:
            return Mood.FAULT
        if any(upload.leg not in (Leg.DONE, Leg.FAILED) for upload in self._uploads.values()):
            return Mood.UPLOADING
        return Mood.DONE if self._monotonic_s() < self._done_until_s else Mood.IDLE

    def state(self) -> DeviceState:
        """Return the state of this moment."""
        fault, kind = self._fault, self._fault_kind
        if fault is None and self._emergency_stop and self._scan is None:
            fault, kind = PUSHED, FaultKind.EMERGENCY_STOP
        return DeviceState(
            device=self.device,
            version=__version__,
            boot=self.boot,
            seq=self._events.seq,
            at=datetime.now(UTC),
            phase=self._phase,
            mood=self.mood,
            scan=self._running(),
            interrupted=self._interrupted,
            unfinished=tuple(self._unfinished),
            fault=fault,
            fault_kind=kind,
            warnings=tuple(self._remarks),
            last_scan=self._last,
            uploads=tuple(self._uploads.values())[-UPLOADS:],
            link=self._link,
            disk=self._disk(),
            light_level=self._light_level,
            light_colour=self._light_colour,
            has_raw=self._has_raw(),
            homing=self._homing,
            emergency_stop=self._emergency_stop,
        )

    def _running(self) -> RunningScan | None:
        return self._scan.shown(self._monotonic_s()) if self._scan is not None else None

    def _take(self, numbered: Numbered) -> None:
        now_s = self._monotonic_s()
        match numbered.event:
            case PhaseChanged(phase, _, index, angle_deg):
                self._change_phase(phase, index, angle_deg, now_s)
            case ScanStarted(scan_id, done, planned):
                self._scan = ScanClock(scan_id, done, planned, now_s)
                self._fault = self._fault_kind = self._interrupted = None
                self._forget_unfinished(scan_id)
            case FrameJudged(verdict=verdict) if self._scan is not None and verdict != "accept":
                self._scan.retakes += 1
            case FrameStored() as stored if self._scan is not None:
                self._scan.stored(stored.frames_done, now_s)
            case FramesLost(frames_done=done) if self._scan is not None:
                self._scan.frames_done = done
            case CoverageChanged(_, report) if self._scan is not None:
                self._scan.coverage = CoverageShown.of(report)
            case ScanPaused(_, question, kind) if self._scan is not None:
                self._scan.question, self._scan.fault_kind = question, kind
            case ScanExtended(scan_id, _, planned) if self._scan is not None and self._scan.scan_id == scan_id:
                self._scan.frames_planned = planned
            case ScanEnded() as ended:
                self._end(ended)
            case ScanGivenUp(scan_id):
                self._give_up(scan_id)
            case UnfinishedScanFound(scan_id):
                self._unfinished.append(scan_id)
            case ScanDeleted(scan_id):
                self._uploads.pop(scan_id, None)
                self._give_up(scan_id)
            case SyncProgressed(scan_id, sync):
                self._follow_upload(UploadProgress.of(sync), now_s)
            case LinkChanged(link):
                self._link = link
            case Warned(message, scan_id, kind):
                self._remarks.append(Remark(at=numbered.at, message=message, scan_id=scan_id, fault_kind=kind))
            case PressFailed(command, reason):
                self._remarks.append(Remark(at=numbered.at, message=f"button: {command}: {reason}"))
            case CommandAnswered(answer=answer) if answer.status is AnswerStatus.ACCEPTED:
                self._done_until_s = 0.0
            case LightChanged(level, colour):
                self._light_level, self._light_colour = level, colour
            case EmergencyStopChanged(pushed):
                self._emergency_stop = pushed
            case AxisHomed(found_by, off_deg, step_deg):
                self._homing = HomingShown(at=numbered.at, found_by=found_by, off_deg=off_deg, step_deg=step_deg)
            case _:
                pass

    def _change_phase(self, phase: Phase, index: int | None, angle_deg: float | None, now_s: float) -> None:
        if self._scan is not None:
            self._scan.enter(phase, index, angle_deg, now_s)
        self._phase = phase

    def _end(self, ended: ScanEnded) -> None:
        self._scan = None
        self._interrupted = ended.scan_id if ended.resumable else None
        failed = ended.outcome is Outcome.FAILED
        self._fault = ended.error if failed else None
        self._fault_kind = ended.fault_kind if failed else None
        self._forget_unfinished(ended.scan_id)
        self._last = EndedScan(
            scan_id=ended.scan_id,
            outcome=ended.outcome,
            frames_done=ended.frames_done,
            frames_planned=ended.frames_planned,
            error=ended.error,
            fault_kind=ended.fault_kind,
        )

    def _give_up(self, scan_id: str) -> None:
        self._forget_unfinished(scan_id)
        if scan_id == self._interrupted:
            self._interrupted = self._fault = self._fault_kind = None

    def _forget_unfinished(self, scan_id: str) -> None:
        if scan_id in self._unfinished:
            self._unfinished.remove(scan_id)

    def _follow_upload(self, upload: UploadProgress, now_s: float) -> None:
        before = self._uploads.get(upload.scan_id)
        if upload.leg is Leg.DONE:
            if before is not None and before.leg is not Leg.DONE:
                self._done_until_s = now_s + DONE_SHOWN_S
            self._uploads.pop(upload.scan_id, None)
        else:
            self._uploads.pop(upload.scan_id, None)  # The latest last.
            self._uploads[upload.scan_id] = upload
