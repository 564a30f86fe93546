"""What an earlier run of the same demo left, told from every other scan in its folder."""

import json
from dataclasses import dataclass

from scannerd.demo.options import DemoOptions
from scannerd.events import StepTimes
from scannerd.store.durable import write_durably
from scannerd.store.history import history_of
from scannerd.store.journal import replay
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.summary import ScanState, ScanSummary, summary_of


@dataclass(frozen=True)
class ScanRecord:
    """What a scan's journal tells of the photos that count."""

    times: tuple[StepTimes, ...]
    """Of each stop."""
    retakes: int


class Leftover:
    """The note `demo.json`: which choices the last scan was begun with, and which scans are older than it."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._note = options.out / "demo.json"
        self._store = ScanStore(StoreLayout(options.out))

    def remember(self) -> None:
        """Note, before the button is pressed, that the scan to come is made with these choices. Raises StoreFault."""
        note = {"choices": self._options.fingerprint(), "older_scans": self._store.scan_ids()}
        write_durably(self._note, json.dumps(note).encode())

    def find(self) -> ScanSummary | None:
        """Return the scan to go on with: photos are missing, or its model is not back yet. None: begin anew."""
        older = self._older_scans()
        newer = [] if older is None else [scan for scan in self._store.scan_ids() if scan not in older]
        last = summary_of(self._store, newer[-1]) if newer else None
        return last if last is not None and _goes_on(last) else None

    def record(self, scan_id: str) -> ScanRecord:
        """Return how long each stop of the scan took and how many photos were retaken. Raises StoreFault."""
        lines, _ = replay(self._store.layout.scan(scan_id).journal)
        times = {
            line.body["frame"]["index"]: StepTimes(
                **{step: seconds for step, seconds in line.body["times"].items() if step != "stages"}
            )
            for line in lines
            if line.type == "frame" and "times" in line.body
        }
        frames = history_of(lines).frames
        # The other cameras take their photos beside the first one's.
        stops = [index for index, frame in frames.items() if frame.camera == 0]
        taken = tuple(times[index] for index in stops if index in times)
        return ScanRecord(taken, sum(frame.attempt - 1 for frame in frames.values()))

    def _older_scans(self) -> set[str] | None:
        """Return the scans that are not this demo's, or None if the note is of other choices, absent or damaged."""
        try:
            note = json.loads(self._note.read_bytes())
            return set(note["older_scans"]) if note["choices"] == self._options.fingerprint() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _goes_on(scan: ScanSummary) -> bool:
    """A job that failed would fail again with the same photos: then only a new scan helps."""
    job = scan.sync.job if scan.sync else None
    failed = job is not None and job.state.final and not job.results
    waits_for_model = scan.state is ScanState.SEALED and not scan.results_in_place and not failed
    return scan.state is ScanState.UNFINISHED or waits_for_model
