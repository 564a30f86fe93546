"""One run of a scan from the motor's first current to its last: prepare, run, release, and say how it ended."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from drivers.picture import Planes
from drivers.protocols import Axis, CameraSettings, DriverError
from offload.logs.fields import about
from scannerd.config import Config, QualitySection
from scannerd.config_light import WHITE, shares_of
from scannerd.events import (
    CoverageChanged,
    Event,
    FramesLost,
    LightChanged,
    Outcome,
    PhaseChanged,
    ScanEnded,
    ScanStarted,
    Warned,
)
from scannerd.fault_kind import FaultKind, fault_kind_of
from scannerd.hardware import Hardware
from scannerd.quality.gates import Gates
from scannerd.quality.look import Verdict
from scannerd.scan.camera_lift import CameraLift
from scannerd.scan.camera_lock import lock_camera
from scannerd.scan.control import RunControl
from scannerd.scan.darkroom import Darkroom, DarkroomPorts
from scannerd.scan.emergency import NO_EMERGENCY, EmergencyMemory, EmergencyWatch
from scannerd.scan.eye import Eye
from scannerd.scan.flicker import Flicker
from scannerd.scan.motor_rest import MotorRest
from scannerd.scan.onlookers import Onlookers, Sight
from scannerd.scan.pauses import MakeRoom, Pauses, no_room
from scannerd.scan.phases import Phase, PhaseTracker
from scannerd.scan.plan import Viewpoint
from scannerd.scan.platter_finder import PlatterFinder
from scannerd.scan.retakes import Retakes
from scannerd.scan.rhythm import Rhythm
from scannerd.scan.runner import ProposalPort, ScanRunner
from scannerd.scan.settle import Settle, SettleLimits
from scannerd.scan.slip import SlipVerdict
from scannerd.scan.standing import Standing
from scannerd.scan.station import Station
from scannerd.scan.taken import Taken
from scannerd.scan.viewpoint_fault import ViewpointFault
from scannerd.scan.visits import Visits
from scannerd.store.durable import StoreFault
from scannerd.store.stored_scan import StoredScan
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

SWUNG_DEG = 0.1
"""A photo that is believed to show a platter at rest, and shows it so far from where it should be, was none."""

ShowPhoto = Callable[[Planes, int, float, int], None]
"""Sees the companion of every photo once it was judged: picture, viewpoint, degrees, number of the camera."""


def _as_it_is(settings: CameraSettings) -> CameraSettings:
    return settings


@dataclass(frozen=True)
class Zero:
    """Which scan's angles the axis counts in, and what to add to them."""

    scan_id: str
    offset_deg: float


class ScanSession:
    """Prepares the hardware for one scan, runs it and lets the motor go, whatever happens."""

    def __init__(
        self,
        scan: StoredScan,
        hardware: Hardware,
        config: Config,
        worker: WorkerThread,
        phases: PhaseTracker,
        publish: Callable[[Event], None],
        known_zero: Zero | None,
        show: ShowPhoto = lambda small, index, angle_deg, camera: None,
        lift: CameraLift | None = None,
        low_voltage: Callable[[], str | None] = lambda: None,
        make_room: MakeRoom = no_room,
        emergency: EmergencyWatch = NO_EMERGENCY,
    ) -> None:
        """`known_zero` is given when this process has moved the axis for this very scan before.

        `low_voltage` says why the motor should rest now; None while it need not. `make_room` is asked when the disk
        is full.
        """
        self.control = RunControl()
        for index in scan.retakes_wanted:
            self.control.retake(index)
        self.scan = scan
        self.zero = known_zero
        self._hardware = hardware
        self._emergency = emergency
        self._lift = lift
        self._worker = worker
        self._judging = WorkerThread("judging")
        self._raws = WorkerThread("raws")
        self._phases = phases
        self._publish = publish
        self._show = show
        self._is_locked = False
        """The cameras, for this run; one that is started anew locks itself again."""
        self._flicker = Flicker.of(config.light, scan.plan.light_level, scan.plan.light_colour or WHITE)
        self._station = self._new_station()
        self._camera_sections = config.every_camera
        if known_zero is not None:
            self._station.offset_deg = known_zero.offset_deg
        quality, speed_deg_s = config.quality, config.turntable.max_speed_deg_s
        self._onlookers = Onlookers(scan, quality.max_slip_deg, speed_deg_s, lifted=lift is not None)
        self._runner = self._new_runner(config, low_voltage, make_room)

    def take_quality(self, quality: QualitySection) -> None:
        """Judge by these limits from the next viewpoint on."""
        self._runner.take_quality(quality)

    async def run(self) -> ScanEnded:
        """Return how it ended; only a cancellation is passed on, after the motor was released."""
        outcome, error, kind = Outcome.STOPPED, None, None
        try:
            await self._prepare()
            outcome = await self._runner.run()
        except (DriverError, ViewpointFault, StoreFault) as fault:
            outcome, error, kind = Outcome.FAILED, str(fault), fault_kind_of(fault)
            LOG.error("failed: %s", fault, extra=about(scan=self._scan_id))
        except Exception as fault:
            outcome, error = Outcome.FAILED, f"fault inside the daemon: {fault!r}; see the log"
            kind = FaultKind.INSIDE
            LOG.exception("failed inside the daemon", extra=about(scan=self._scan_id))
        finally:
            if error is not None:
                await self._note_failure(error, kind)
            self._judging.close()
            self._raws.close()
            self.scan.close()
            self.zero = Zero(self._scan_id, self._station.offset_deg) if self.zero else None
            await self._release()
        return self.ended(outcome, error, kind)

    def ended(self, outcome: Outcome, error: str | None = None, kind: FaultKind | None = None) -> ScanEnded:
        """Return the event for an end of this run."""
        done, planned = len(self.scan.frames), len(self.scan.viewpoints)
        LOG.info("%s with %d of %d photos", outcome, done, planned, extra=about(scan=self._scan_id))
        return ScanEnded(self._scan_id, outcome, done, planned, self._runner.retakes, error, kind)

    def _new_station(self) -> Station:
        plan, hardware = self.scan.plan, self._hardware
        limits = SettleLimits(plan.settle_s, plan.settle_cap_s, plan.adaptive_settle)
        eyes = []
        for number, camera in enumerate(hardware.cameras):
            own = plan.of_camera(number)
            settle = Settle(limits, own.photo_width_px, hardware.clock.from_monotonic_s)
            eyes.append(Eye(camera, settle, self._flicker.steady if own.metered else _as_it_is))
        rhythm = Rhythm(hardware.camera.description.readout_s)
        return Station(hardware.axis, eyes, hardware.clock, rhythm, self._enter)

    def _new_runner(self, config: Config, low_voltage: Callable[[], str | None], make_room: MakeRoom) -> ScanRunner:
        scan, quality = self.scan, config.quality
        self._gates = gates = Gates(quality, scan.plan.mat, len(self._hardware.cameras))
        ports = DarkroomPorts(self._publish, self._saw, self._hardware.clock.now_s, self.control.retake)
        proposal = ProposalPort(self._sum_up, config.scan.propose_wait_s) if config.scan.propose else None
        darkroom = Darkroom(scan, gates, self._onlookers, self._judging, self._worker, ports, self._raws)
        rest = MotorRest(self._motors, self.control, config.turntable.idle_release_s)
        enter, publish = self._enter, self._publish
        pauses = Pauses(scan, self._station, darkroom, self.control, rest, enter, publish, low_voltage, make_room)
        pauses.emergency = EmergencyMemory(self._emergency)
        standing, station, control, worker = Standing(scan, self._lift), self._station, self.control, self._worker
        visits = Visits(scan, station, darkroom, control, publish, standing, self._find_platter, pauses)
        ask = quality.ask_a_person
        retakes = Retakes(scan, station, gates, darkroom, worker, enter, pauses, visits, ask_a_person=ask)
        return ScanRunner(
            scan,
            station,
            gates,
            darkroom,
            control,
            worker,
            enter,
            publish,
            standing,
            pauses,
            visits,
            retakes,
            proposal=proposal,
        )

    def _saw(self, taken: Taken, sight: Sight) -> None:
        viewpoint = taken.viewpoint
        self._show(taken.shot.frame.small, viewpoint.index, taken.arrival.angle_deg, viewpoint.camera)
        self._station.eyes[viewpoint.camera].settle.look_at(sight.look.mask)
        swung = abs(sight.slip.slipped_deg) > SWUNG_DEG
        if taken.shot.believed and (swung or sight.look.verdict is Verdict.RETAKE):
            self._station.distrust()
        self._mind_slip(taken, sight.slip)
        if sight.stands_still:
            self._warn(
                f"frame {viewpoint.index}: the last photos look alike although the motor turned: look whether "
                "the platter turns; where it does not, free it and start anew. With a mat it is seen and mended",
                FaultKind.TURNTABLE_JAMMED,
            )

    def _mind_slip(self, taken: Taken, slip: SlipVerdict) -> None:
        """Count with the platter's true angle from now on, and tell; a jam is told by the frame's verdict."""
        if not slip.correct:
            return
        self._station.offset_deg = slip.offset_deg
        if not slip.jammed:
            self._warn(
                f"frame {taken.viewpoint.index}: the platter stands at {slip.seen_deg:.2f}°, "
                f"{taken.arrival.angle_deg:.2f}° commanded: {slip.slipped_deg:+.2f}° corrected",
                FaultKind.STEPS_LOST,
            )
        if slip.warning is not None:
            self._warn(slip.warning, FaultKind.STEPS_LOST)

    async def _sum_up(self) -> str | None:
        report = await self._judging.run(self._onlookers.sum_up)
        if report is None:
            return None
        self._publish(CoverageChanged(self._scan_id, report))
        return report.proposal.says if report.proposal is not None else None

    @property
    def _motors(self) -> list[Axis]:
        return self._hardware.motors

    @property
    def _scan_id(self) -> str:
        return self.scan.plan.scan_id

    def _enter(self, phase: Phase, index: int | None = None, angle_deg: float | None = None) -> None:
        self._phases.enter(phase)
        self._publish(PhaseChanged(phase, self._scan_id, index, angle_deg))

    async def _prepare(self) -> None:
        # Whoever sees that the daemon does something sees which scan: to hash a long one's photos takes a while.
        self._publish(ScanStarted(self._scan_id, len(self.scan.frames), len(self.scan.viewpoints)))
        self._enter(Phase.PREPARING)
        if self.scan.begun_before:
            await self._verify()
            await self._worker.run(lambda: self.scan.note("resumed", frames=len(self.scan.frames)))
            await self._judging.run(self._remember)
        done, planned = len(self.scan.frames), len(self.scan.viewpoints)
        LOG.info("begins with %d of %d photos", done, planned, extra=about(scan=self._scan_id))
        if self._lift is not None:
            await self._lift.remember()
        self._light_up()

    def _light_up(self) -> None:
        """Shine as the scan's first photos saw it. Raises DriverError."""
        light, level = self._hardware.light, self.scan.plan.light_level
        if light is not None and level is not None:
            colour = self.scan.plan.light_colour
            light.set_level(level, shares_of(colour or WHITE))
            self._publish(LightChanged(level, colour))

    async def _verify(self) -> None:
        lost = await self._worker.run(self.scan.verify_frames)
        if lost:
            self._publish(FramesLost(self._scan_id, lost, len(self.scan.frames), len(self.scan.viewpoints)))
        for index in await self._worker.run(self.scan.want_raws):
            self.control.retake(index)

    async def _find_platter(self, viewpoint: Viewpoint) -> None:
        """Know the platter's angle before the first move, or once its motor was off: a hand may have turned it.

        A scan that goes on looks, a new one begins at 0.
        """
        if self._phases.phase is not Phase.PREPARING:
            self._enter(Phase.PREPARING)
        if not self._is_locked:
            for number, section in enumerate(self._camera_sections):
                camera = self._hardware.cameras[number]
                await lock_camera(self.scan, camera, section, self._worker, self._flicker, number)
            self._is_locked = True
        await self._station.unshift()
        if self.scan.frames:
            finder = PlatterFinder(self.scan, self._hardware, self._worker, self._warn)
            known_deg = self._station.offset_deg if self.zero else None
            self._station.offset_deg = await finder.offset_deg(viewpoint, known_deg)
        else:
            await self._begin_at(viewpoint.angle_deg)
        self.zero = Zero(self._scan_id, self._station.offset_deg)
        offset_deg = self._station.offset_deg
        self._onlookers.recount(offset_deg, offset_deg + self._hardware.axis.angle_deg)

    async def _begin_at(self, angle_deg: float) -> None:
        """Let the scan's angles begin here; an index gives them back to whoever goes on, also without a mat."""
        homing = await self._hardware.axis.home()
        offset_deg = self._station.offset_deg = angle_deg - self._hardware.axis.angle_deg
        if homing.found_by != "here":
            await self._worker.run(lambda: self.scan.note("indexed", offset_deg=offset_deg))

    def _remember(self) -> None:
        """In the judging thread: what this scan's photos are like, from those that are there already."""
        self._onlookers.remember(lambda frame, sidecar: self._gates.remember(frame, sidecar.findings))

    def _warn(self, message: str, kind: FaultKind | None = None) -> None:
        LOG.warning("%s", message, extra=about(scan=self._scan_id))
        self._publish(Warned(message, self._scan_id, kind))

    async def _note_failure(self, error: str, kind: FaultKind | None) -> None:
        try:
            await self._worker.run(lambda: self.scan.note("failed", error=error, fault_kind=kind))
        except StoreFault as fault:
            LOG.warning("the journal could not take the failure: %s", fault, extra=about(scan=self._scan_id))

    async def _release(self) -> None:
        for motor in self._motors:
            try:
                await motor.release()
            except DriverError as fault:
                self._warn(f"the motor could not be released: {fault}")
        try:
            await self._station.unshift()
        except DriverError as fault:
            self._warn(f"the camera kept the settings of a bracket: {fault}; take the next scan after a restart")
