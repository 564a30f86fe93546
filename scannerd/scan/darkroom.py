"""Frames on their way to the disk: judged, developed, kept and journaled while the table moves on.

Three loops, each with a thread of its own, so that one frame is judged while the one before is being written. Frames
leave in the order in which they came, so the journal tells the scan in the order in which it happened. A photo counts
before its raw file, ten times as large, is begun: no photo waits for another's raw file. At most `BACKLOG` frames are
in hand; whoever brings more has to wait.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from drivers.raw_picture import Raw
from offload.logs.fields import about
from offload.wire.bundle import FrameEntry
from scannerd.events import CoverageChanged, Event, FrameJudged, FrameStored, StepTimes
from scannerd.quality.gates import Gates
from scannerd.quality.look import Afterthought, Look, Verdict
from scannerd.scan.development import develop
from scannerd.scan.onlookers import Onlookers, Sight
from scannerd.scan.slip import SlipVerdict
from scannerd.scan.taken import Rejected, Taken
from scannerd.store.developed import DevelopedPhoto
from scannerd.store.durable import StoreFull
from scannerd.store.stored_scan import StoredScan
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

T = TypeVar("T")

BACKLOG = 3
"""One that is judged, one that is written, one that has just come: 18 MB each at 12 megapixels, 37 MB with what the
sensor saw."""


@dataclass
class _InHand:
    taken: Taken
    verdict: asyncio.Future[Look] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(frozen=True)
class DarkroomPorts:
    """What the darkroom tells the outside."""

    publish: Callable[[Event], None]
    saw: Callable[[Taken, Sight], None]
    """Hears of every look, before anything is kept."""
    now_s: Callable[[], float]
    """The hardware's clock."""
    want_again: Callable[[int], None]
    """Asks for another photo of a viewpoint that has one."""


class Darkroom:
    """Of one run of one scan."""

    def __init__(
        self,
        scan: StoredScan,
        gates: Gates,
        onlookers: Onlookers,
        judging: WorkerThread,
        storing: WorkerThread,
        ports: DarkroomPorts,
        raws: WorkerThread | None = None,
    ) -> None:
        """`raws` writes raw files; who has no such photos needs none."""
        self._scan = scan
        self._gates = gates
        self._onlookers = onlookers
        self._judging = judging
        self._storing = storing
        self._ports = ports
        self._raws = raws or storing
        self._to_judge: asyncio.Queue[_InHand] = asyncio.Queue()
        self._to_store: asyncio.Queue[tuple[_InHand, Look, DevelopedPhoto]] = asyncio.Queue()
        self._to_keep_raw: asyncio.Queue[tuple[_InHand, FrameEntry, Raw]] = asyncio.Queue()
        self._in_hand: list[_InHand] = []
        self._changed = asyncio.Event()
        self._stuck: StoreFull | None = None
        self.rejected: deque[Rejected] = deque()
        """Viewpoints to go back to."""

    @property
    def in_hand(self) -> frozenset[int]:
        """Viewpoints whose frames are on their way."""
        return frozenset(held.taken.viewpoint.index for held in self._in_hand)

    @property
    def has_room(self) -> bool:
        """Whether another frame may be handed in."""
        return len(self._in_hand) < BACKLOG

    def reads_mat(self, camera: int) -> bool:
        """Whether a photo of this camera has told where the platter stands."""
        return camera in self._onlookers.mat_readers

    def put(self, taken: Taken) -> "asyncio.Future[Look]":
        """Hand a frame in and return its coming verdict.

        A verdict of `retake` or `ask` also puts the frame among the rejected ones, unless it is kept anyway.
        """
        held = _InHand(taken)
        self._in_hand.append(held)
        self._to_judge.put_nowait(held)
        return held.verdict

    async def progress(self) -> None:
        """Return once one more frame has left. Raises StoreFull while the disk is full; frames stay in hand."""
        if self._stuck is None:
            await self._changed.wait()
        if self._stuck is not None:
            raise self._stuck

    def go_on(self) -> None:
        """Somebody made room on the disk: try the frame in hand again."""
        self._stuck = None
        self._tell()

    async def judge_frames(self) -> None:
        """Judge and develop what is handed in, until cancelled."""
        while True:
            held = await self._to_judge.get()
            taken = held.taken
            sight = await self._judging.run(partial(self._look_at, taken))
            look = sight.look
            self._ports.saw(taken, sight)
            self._publish_verdict(taken, look)
            for thought in look.afterthoughts:
                await self._take_back(thought)
            if sight.slip.correct:
                await self._storing.run(partial(self._note_slip, taken, sight.slip))
            if look.verdict is Verdict.ACCEPT or (taken.keep_anyway and not taken.is_jammed):
                self._gates.learn(look)
                self._to_store.put_nowait((held, look, await self._developed(taken, look)))
            else:
                await self._reject(held, look)

    async def store_frames(self) -> None:
        """Keep what was developed, until cancelled. Raises StoreFault."""
        while True:
            held, look, photo = await self._to_store.get()
            taken = held.taken
            entry, times = await self._once_there_is_room(self._storing, taken, partial(self._write, taken, photo))
            raw = taken.shot.frame.raw
            if raw is None:
                self._done(held, look)
            else:
                held.verdict.set_result(look)
                self._to_keep_raw.put_nowait((held, entry, raw))
            self._publish_stored(entry, look, times)

    async def keep_raws(self) -> None:
        """Keep the raw files of photos that count, until cancelled. Raises StoreFault."""
        while True:
            held, entry, raw = await self._to_keep_raw.get()
            write = partial(self._scan.write_raw, entry, raw)
            file = await self._once_there_is_room(self._raws, held.taken, write)
            await self._storing.run(partial(self._scan.count_raw, entry, file))
            LOG.info("raw: %d kB", file.size_bytes // 1000, extra=self._about(held.taken))
            self._leave(held)

    def _look_at(self, taken: Taken) -> Sight:
        """In the judging thread."""
        with taken.stages.stage("judge", self._ports.now_s):
            return self._onlookers.see(taken, self._gates.judge(taken.shot.frame, taken.viewpoint))

    async def _developed(self, taken: Taken, look: Look) -> DevelopedPhoto:
        photo = await self._judging.run(partial(develop, self._scan.plan, taken, look, self._ports.now_s))
        report = await self._judging.run(partial(self._onlookers.count, taken, look))
        if report is not None:
            self._ports.publish(CoverageChanged(self._scan.plan.scan_id, report))
        return photo

    async def _once_there_is_room(self, thread: WorkerThread, taken: Taken, write: Callable[[], T]) -> T:
        while True:
            try:
                return await thread.run(write)
            except StoreFull as full:
                LOG.warning("%s", full, extra=self._about(taken))
                self._stuck = full
                self._tell()
                while self._stuck is not None:
                    await self._changed.wait()

    def _write(self, taken: Taken, photo: DevelopedPhoto) -> tuple[FrameEntry, StepTimes]:
        """In the storing thread."""
        with taken.stages.stage("write", self._ports.now_s):
            photo = self._scan.write(photo)
        times = step_times(taken)
        return self._scan.count(photo, times, taken.stages.as_seconds()), times

    async def _reject(self, held: _InHand, look: Look) -> None:
        await self._storing.run(partial(self._note_rejection, held.taken, look))
        self.rejected.append(Rejected(held.taken, look))
        self._done(held, look)

    def _note_rejection(self, taken: Taken, look: Look) -> None:
        """In the storing thread."""
        LOG.warning("attempt %d: %s", taken.attempt, look.reason, extra=self._about(taken))
        self._scan.note(
            "judged",
            index=taken.viewpoint.index,
            attempt=taken.attempt,
            verdict=look.verdict,
            reason=look.reason,
        )

    async def _take_back(self, thought: Afterthought) -> None:
        """An earlier photo counts until a better one is there, which is wanted now."""
        entry = self._scan.frames.get(thought.place.index)
        if entry is None:
            return
        reason = thought.finding.says
        LOG.warning("taken again: %s", reason, extra=about(scan=self._scan.plan.scan_id, frame=entry.index))
        await self._storing.run(partial(self._scan.note, "retake", index=entry.index, reason=reason))
        self._ports.publish(
            FrameJudged(
                self._scan.plan.scan_id,
                entry.index,
                entry.angle_deg,
                entry.attempt,
                Verdict.RETAKE,
                reason,
                entry.sharpness or 0.0,
            )
        )
        self._ports.want_again(entry.index)

    def _note_slip(self, taken: Taken, slip: SlipVerdict) -> None:
        """In the storing thread."""
        self._scan.note(
            "slip",
            index=taken.viewpoint.index,
            seen_deg=slip.seen_deg,
            slipped_deg=round(slip.slipped_deg, 4),
            offset_deg=round(slip.offset_deg, 4),
            jammed=slip.jammed,
        )

    def _publish_verdict(self, taken: Taken, look: Look) -> None:
        self._ports.publish(
            FrameJudged(
                self._scan.plan.scan_id,
                taken.viewpoint.index,
                taken.arrival.angle_deg,
                taken.attempt,
                look.verdict,
                look.reason,
                look.sharpness,
            )
        )

    def _publish_stored(self, entry: FrameEntry, look: Look, times: StepTimes) -> None:
        done, planned = len(self._scan.frames), len(self._scan.viewpoints)
        LOG.info(
            "photo %d of %d at %.2f°: %d kB, %s, %.2f s (floor %.2f s)",
            done,
            planned,
            entry.angle_deg,
            entry.file.size_bytes // 1000,
            look.reason,
            times.total_s,
            times.floor_s,
            extra=about(scan=self._scan.plan.scan_id, frame=entry.index),
        )
        self._ports.publish(
            FrameStored(
                scan_id=self._scan.plan.scan_id,
                index=entry.index,
                angle_deg=entry.angle_deg,
                attempt=entry.attempt,
                size_bytes=entry.file.size_bytes,
                sharpness=look.sharpness,
                times=times,
                frames_done=done,
                frames_planned=planned,
            )
        )

    def _about(self, taken: Taken) -> dict[str, object]:
        return about(scan=self._scan.plan.scan_id, frame=taken.viewpoint.index)

    def _done(self, held: _InHand, look: Look) -> None:
        held.verdict.set_result(look)
        self._leave(held)

    def _leave(self, held: _InHand) -> None:
        self._in_hand.remove(held)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def step_times(taken: Taken) -> StepTimes:
    """Return what one viewpoint took; judging and storing happened while the table moved on.

    A photo that was taken beside another one's took only its own capture.
    """
    arrival, shot, stages = taken.arrival, taken.shot, taken.stages
    capture_s, floor_s = shot.capture_s, shot.floor_capture_s
    moving_s = settle_s = 0.0
    if not shot.beside:
        moving_s, settle_s = arrival.arrived_s - arrival.began_s, shot.settle_s
        floor_s += arrival.floor_move_s + settle_s
    return StepTimes(
        move_s=moving_s,
        settle_s=settle_s,
        capture_s=capture_s,
        wait_s=stages.waited_s,
        judge_s=stages.seconds("judge"),
        store_s=stages.seconds("encode") + stages.seconds("hash") + stages.seconds("write"),
        floor_s=floor_s,
    )
