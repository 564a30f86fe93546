"""What a person wants to know while the demo runs, gathered from the daemon's events and sync's state file."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from offload.wire.jobs import Job, SyncState
from scannerd.events import (
    Event,
    FrameJudged,
    FramesLost,
    FrameStored,
    PhaseChanged,
    PressFailed,
    ScanEnded,
    ScanStarted,
    Warned,
)


@dataclass
class ScanProgress:
    """The state of one scan, from the first move to the model in its folder."""

    scan_id: str | None = None
    phase: str = "starting"
    angle_deg: float = 0.0
    frames_done: int = 0
    frames_planned: int = 0
    retakes: int = 0
    last_verdict: str = ""
    warnings: list[str] = field(default_factory=list)
    ended: ScanEnded | None = None
    press_failed: str | None = None
    """Why the button did not start a scan."""
    sync: SyncState | None = None

    def take(self, event: Event) -> None:
        """Bring the state up to date with one event."""
        match event:
            case ScanStarted():
                self.scan_id, self.phase = event.scan_id, "scanning"
                self.frames_done, self.frames_planned = event.frames_done, event.frames_planned
            case FramesLost():
                self.frames_done = event.frames_done
            case PhaseChanged():
                self.phase = str(event.phase)
                self.angle_deg = self.angle_deg if event.angle_deg is None else event.angle_deg
            case FrameJudged():
                self.retakes += event.verdict == "retake"
                self.last_verdict = f"photo {event.index} at {event.angle_deg:.1f}°: {event.verdict}, {event.reason}"
            case FrameStored():
                self.frames_done, self.angle_deg = event.frames_done, event.angle_deg
            case ScanEnded():
                self.ended = event
            case PressFailed():
                self.press_failed = event.reason
            case Warned():
                self.warnings.append(event.message)
            case _:
                pass

    def read_sync(self, scan_dir: Path) -> None:
        """Take in `sync.json` if it is there; sync replaces it by rename, so it is never half written."""
        try:
            self.sync = SyncState.model_validate_json((scan_dir / "sync.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return

    def sign_of_life(self) -> tuple[object, ...]:
        """Return what changes when a file is through or the job gets on; bytes of tries that fail do not count."""
        sync, job = self.sync, self.job
        carried = (sync.bytes_confirmed, sync.results_in_place) if sync else ()
        return (*carried, job.state, job.stage, job.percent) if job else carried

    @property
    def job(self) -> Job | None:
        """The job at the service, once there is one."""
        return self.sync.job if self.sync else None
