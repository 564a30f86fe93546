"""Runs a plan: every viewpoint that has no photo yet gets one, then the scan is sealed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from drivers.picture import Planes
from drivers.protocols import DriverError, Retryable
from offload.logs.fields import about
from scannerd.config import QualitySection
from scannerd.events import Event, FrameJudged, FrameStored, Outcome, ScanPaused, ScanSealed, StepTimes
from scannerd.quality.gate import Gate, Judgement
from scannerd.quality.look import Verdict
from scannerd.scan.control import RunCancelled, RunControl, RunStopped
from scannerd.scan.phases import Phase
from scannerd.scan.plan import Viewpoint
from scannerd.scan.station import Arrival, EnterPhase, Shot, Station
from scannerd.store.contact_sheet import write_contact_sheet
from scannerd.store.developed import TakenPhoto
from scannerd.store.scans import StoredScan
from scannerd.store.seal import Seal
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)


ShowPhoto = Callable[[Planes, int, float], None]
"""Hears of every photo before it is judged, in the worker's thread: its companion, viewpoint, degrees."""


class ViewpointFault(RuntimeError):
    """No photo could be taken from one viewpoint. The message names it and what the driver said."""


@dataclass
class Kept:
    """A photo that will be stored, with what it took so far."""

    shot: Shot
    judgement: Judgement
    attempt: int
    times: StepTimes


class ScanRunner:
    """One run over one scan. Pause, cancel and stop act between viewpoints."""

    def __init__(
        self,
        scan: StoredScan,
        station: Station,
        gate: Gate,
        control: RunControl,
        worker: WorkerThread,
        enter: EnterPhase,
        publish: Callable[[Event], None],
        *,
        ask_a_person: bool = True,
        show: ShowPhoto = lambda small, index, angle_deg: None,
    ) -> None:
        self._scan = scan
        self._station = station
        self._gate = gate
        self._control = control
        self._worker = worker
        self._enter = enter
        self._publish = publish
        self._ask_a_person = ask_a_person
        self._show = show
        self._scan_id = scan.plan.scan_id
        self._ring: int | None = None
        self._new_quality: QualitySection | None = None
        self.retakes = 0

    def take_quality(self, quality: QualitySection) -> None:
        """Judge by these limits from the next viewpoint on."""
        self._new_quality = quality

    async def run(self) -> Outcome:
        """Take what is missing and seal. Raises ViewpointFault, DriverError, StoreFault; what is stored stays."""
        try:
            while (viewpoint := await self._next()) is not None:
                await self._visit(viewpoint)
            await self._seal()
        except RunCancelled:
            await self._worker.run(lambda: self._scan.note("cancelled"))
            return Outcome.CANCELLED
        except RunStopped:
            return Outcome.STOPPED
        return Outcome.COMPLETED

    async def _next(self) -> Viewpoint | None:
        """Return where to go now, None when every photo is there; people's wishes are heard before each."""
        await self._boundary()
        again = self._control.next_retake()
        if again is not None:
            return self._scan.viewpoints[again]
        viewpoint = next(iter(self._scan.missing()), None)
        if viewpoint is not None and viewpoint.ring != self._ring:
            await self._begin_ring(viewpoint.ring)
            self._control.raise_if_over()
        return viewpoint

    async def _begin_ring(self, ring: int) -> None:
        """Ask for the camera to be moved, unless this ring's photos have begun already."""
        begun = {self._scan.viewpoints[index].ring for index in self._scan.frames}
        if self._ask_a_person and ring not in begun and (begun or self._ring is not None):
            await self._pause(
                f"ring {ring + 1} of {self._scan.plan.rings}: move the camera higher or lower, aim it at the "
                "middle of the object, leave the object where it is; then go on"
            )
        self._ring = ring

    async def _boundary(self) -> None:
        self._control.raise_if_over()
        if self._control.pause_wanted:
            await self._pause(None)
            self._control.raise_if_over()
        if self._new_quality is not None:
            self._gate.take(self._new_quality)
            self._ask_a_person = self._new_quality.ask_a_person
            self._new_quality = None

    async def _pause(self, question: str | None) -> None:
        self._control.pause()
        self._enter(Phase.PAUSED)
        self._publish(ScanPaused(self._scan_id, question))
        LOG.info("paused%s", f": {question}" if question else "", extra=about(scan=self._scan_id))
        await self._control.wait_for_resume()

    async def _visit(self, viewpoint: Viewpoint) -> None:
        """Take the photo of one viewpoint and store it."""
        try:
            arrival = await self._station.move_to(viewpoint)
            kept = await self._take(viewpoint, arrival)
        except DriverError as error:
            where = f"frame {viewpoint.index} at {viewpoint.angle_deg:.1f}°"
            raise ViewpointFault(f"{where}: {error}") from error
        await self._store(viewpoint, arrival, kept)

    async def _take(self, viewpoint: Viewpoint, arrival: Arrival) -> Kept:
        """Take photos until one is good enough, or a person has said to keep what comes."""
        times = StepTimes(move_s=arrival.move_s, floor_s=arrival.floor_move_s + self._scan.plan.settle_s)
        keep_anyway = False
        attempt = 0
        while True:
            attempt += 1
            last_try = attempt > self._scan.plan.max_retakes
            shot = await self._shoot(viewpoint, attempt, may_retry=not last_try)
            if shot is None:
                continue
            judgement, judge_s = await self._judge(viewpoint, shot)
            times = replace(
                times,
                settle_s=times.settle_s + shot.settle_s,
                capture_s=times.capture_s + shot.capture_s,
                judge_s=times.judge_s + judge_s,
                floor_s=times.floor_s if attempt > 1 else times.floor_s + shot.floor_capture_s,
            )
            self._tell(viewpoint, arrival, judgement, attempt)
            if judgement.verdict is Verdict.ACCEPT or keep_anyway:
                return Kept(shot, judgement, attempt, times)
            await self._note_retake(viewpoint, judgement, attempt)
            if judgement.verdict is Verdict.ASK or last_try:
                if not self._ask_a_person:
                    return Kept(shot, judgement, attempt, times)
                await self._pause(f"frame {viewpoint.index} at {arrival.angle_deg:.1f}°: {judgement.reason}")
                keep_anyway = True
                if judgement.verdict is Verdict.ASK:
                    self._gate.tolerate_exposure()
            self.retakes += 1

    async def _shoot(self, viewpoint: Viewpoint, attempt: int, *, may_retry: bool) -> Shot | None:
        """Return a shot, or None after a fault of the kind that the next attempt may not have."""
        try:
            return await self._station.shoot(viewpoint, attempt)
        except Retryable as fault:
            if not may_retry:
                raise
            LOG.warning("attempt %d: %s", attempt, fault, extra=self._about(viewpoint))
            self.retakes += 1
            return None

    async def _judge(self, viewpoint: Viewpoint, shot: Shot) -> tuple[Judgement, float]:
        self._enter(Phase.JUDGING, viewpoint.index, viewpoint.angle_deg)
        began_s = self._station.clock.now_s()
        judgement = await self._worker.run(lambda: self._look_at(shot, viewpoint))
        return judgement, self._station.clock.now_s() - began_s

    def _about(self, viewpoint: Viewpoint) -> dict[str, object]:
        return about(scan=self._scan_id, frame=viewpoint.index)

    def _look_at(self, shot: Shot, viewpoint: Viewpoint) -> Judgement:
        """In the worker's thread."""
        self._show(shot.frame.small, viewpoint.index, viewpoint.angle_deg)
        return self._gate.judge(shot.frame.photo.rgb())

    def _tell(self, viewpoint: Viewpoint, arrival: Arrival, judgement: Judgement, attempt: int) -> None:
        self._publish(
            FrameJudged(
                self._scan_id,
                viewpoint.index,
                arrival.angle_deg,
                attempt,
                judgement.verdict,
                judgement.reason,
                judgement.sharpness,
            )
        )

    async def _note_retake(self, viewpoint: Viewpoint, judgement: Judgement, attempt: int) -> None:
        body = {
            "index": viewpoint.index,
            "attempt": attempt,
            "verdict": judgement.verdict,
            "reason": judgement.reason,
        }
        await self._worker.run(lambda: self._scan.note("judged", **body))
        LOG.warning("attempt %d: %s", attempt, judgement.reason, extra=self._about(viewpoint))

    async def _store(self, viewpoint: Viewpoint, arrival: Arrival, kept: Kept) -> None:
        self._enter(Phase.STORING, viewpoint.index, viewpoint.angle_deg)
        began_s = self._station.clock.now_s()
        frame = kept.shot.frame
        photo = TakenPhoto(
            viewpoint=viewpoint,
            photo=frame.photo,
            small=frame.small,
            angle_deg=arrival.angle_deg,
            exposure_us=frame.exposure_us,
            analogue_gain=frame.analogue_gain,
            taken_at=kept.shot.taken_at,
            sharpness=kept.judgement.sharpness,
            attempt=kept.attempt,
        )
        entry = await self._worker.run(lambda: self._scan.append(photo, kept.times))
        self._gate.learn(kept.judgement)
        times = replace(kept.times, store_s=self._station.clock.now_s() - began_s)
        done, planned = len(self._scan.frames), len(self._scan.viewpoints)
        LOG.info(
            "photo %d of %d at %.2f°: %d kB, %s, %.2f s (floor %.2f s)",
            done,
            planned,
            arrival.angle_deg,
            entry.file.size_bytes // 1000,
            kept.judgement.reason,
            times.total_s,
            times.floor_s,
            extra=self._about(viewpoint),
        )
        self._publish(
            FrameStored(
                scan_id=self._scan_id,
                index=entry.index,
                angle_deg=entry.angle_deg,
                attempt=entry.attempt,
                size_bytes=entry.file.size_bytes,
                sharpness=kept.judgement.sharpness,
                times=times,
                frames_done=done,
                frames_planned=planned,
            )
        )

    async def _seal(self) -> None:
        self._enter(Phase.SEALING)
        seal = await self._worker.run(self._write_seal)
        LOG.info("sealed: %d photos, %.1f MB", seal.frames, seal.total_bytes / 1e6, extra=about(scan=self._scan_id))
        self._publish(ScanSealed(self._scan_id, seal.manifest_sha256, seal.frames, seal.total_bytes))

    def _write_seal(self) -> Seal:
        """In the worker's thread. The sheet comes first: whoever sees the seal sees everything."""
        write_contact_sheet(self._scan.folder, self._scan.frames)
        return self._scan.seal(datetime.now(UTC))
