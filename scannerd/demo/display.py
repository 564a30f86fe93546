"""The live display: bars in a terminal, plain lines everywhere else. Both go to standard error."""

import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from scannerd.demo.progress import ScanProgress

MEGABYTE = 1_000_000


class Display(Protocol):
    """Shows where the demo is."""

    def __enter__(self) -> Self:
        """Begin to draw."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""

    def say(self, line: str) -> None:
        """Add a line that stays."""

    def show(self, progress: ScanProgress) -> None:
        """Draw the present state."""


def choose_display() -> Display:
    """Return bars when a person looks at a terminal, lines when not."""
    return BarDisplay() if sys.stderr.isatty() else LineDisplay()


class BarDisplay:
    """Three bars: photos, upload, model."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(bar_width=32),
            TextColumn("{task.percentage:>5.1f}%"),
            TextColumn("{task.fields[says]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            refresh_per_second=8,
        )
        self._photos = self._bar("photos")
        self._upload = self._bar("upload")
        self._model = self._bar("model")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """Add a line above the bars."""
        self._bars.console.print(line, highlight=False)

    def show(self, progress: ScanProgress) -> None:
        """Move the bars."""
        self._update(self._photos, progress.frames_done, progress.frames_planned, photos_line(progress))
        if progress.sync:
            self._update(
                self._upload, progress.sync.bytes_confirmed, progress.sync.bytes_known, upload_line(progress)
            )
        if progress.job:
            self._update(self._model, progress.job.percent, 100, model_line(progress))

    def _bar(self, name: str) -> TaskID:
        return self._bars.add_task(name, total=1, says="", start=False)

    def _update(self, bar: TaskID, done: float, total: float, says: str) -> None:
        if total > 0 and not self._bars.tasks[bar].started:
            self._bars.start_task(bar)
        self._bars.update(bar, completed=done, total=max(total, 1), says=says)
        if total > 0 and done >= total:
            self._bars.stop_task(bar)


class LineDisplay:
    """A line whenever something worth one has changed, for logs and pipes."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def say(self, line: str) -> None:
        """Print the line."""
        print(line, file=sys.stderr, flush=True)

    def show(self, progress: ScanProgress) -> None:
        """Print every tenth of the photos and every stage of the job, once."""
        tenth = progress.frames_done * 10 // max(progress.frames_planned, 1)
        if progress.frames_done:
            self._once("photos", str(tenth), f"photos  {photos_line(progress)}")
        if progress.sync and progress.sync.last_error:
            self._once("upload", progress.sync.last_error, f"upload  {progress.sync.last_error}")
        if progress.job and progress.job.stage:
            self._once("model", str(progress.job.stage), f"model   {model_line(progress)}")

    def _once(self, topic: str, state: str, line: str) -> None:
        if self._said.get(topic) != state:
            self._said[topic] = state
            self.say(line)


def photos_line(progress: ScanProgress) -> str:
    """Say photos, angle, phase and verdicts in one line."""
    retakes = f", {progress.retakes} retaken" if progress.retakes else ""
    done = f"{progress.frames_done} of {progress.frames_planned}"
    return f"{done} at {progress.angle_deg:6.1f}°  {progress.phase}{retakes}"


def upload_line(progress: ScanProgress) -> str:
    """Say how much is on the service."""
    sync = progress.sync
    if sync is None:
        return ""
    trouble = f"  {sync.last_error}" if sync.last_error else ""
    return f"{sync.bytes_confirmed / MEGABYTE:.1f} of {sync.bytes_known / MEGABYTE:.1f} MB{trouble}"


def model_line(progress: ScanProgress) -> str:
    """Say the job's state, stage and percent."""
    job = progress.job
    if job is None:
        return ""
    return f"{job.stage or job.state} {job.percent:.0f}%"
