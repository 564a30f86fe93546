import json
from datetime import UTC, datetime

import pytest

from offload.wire.jobs import Job, JobState, Stage, SyncState
from offload.wire.link import Hindrance, Hitch, LinkState
from scannerd.board.board import DONE_SHOWN_S, Board
from scannerd.board.state import Leg, Mood
from scannerd.control.messages import EventMessage
from scannerd.coverage.report import CoverageReport, Proposal, ProposalKind
from scannerd.event_bus import EventBus, Numbered
from scannerd.events import (
    CommandAnswered,
    CoverageChanged,
    FrameStored,
    LinkChanged,
    Outcome,
    PhaseChanged,
    ScanEnded,
    ScanPaused,
    ScanStarted,
    StepTimes,
    SyncProgressed,
    UnfinishedScanFound,
    Warned,
)
from scannerd.fault_kind import FaultKind
from scannerd.requests import Answer, AnswerStatus
from scannerd.scan.phases import Phase
from scannerd.scan.plan import viewpoints_on

NOW = datetime(2026, 5, 1, tzinfo=UTC)


class Bench:
    """A board, its bus, and a watch that tests turn on."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.bus = EventBus()
        self.board = Board(self.bus, "table", monotonic_s=lambda: self.now_s)

    def start(self, photos: int = 10) -> None:
        self.bus.publish(PhaseChanged(Phase.PREPARING, "cup"))
        self.bus.publish(ScanStarted("cup", 0, photos))

    def photo(self, done: int, planned: int = 10, after_s: float = 2.0) -> None:
        self.bus.publish(PhaseChanged(Phase.MOVING, "cup", done - 1, 36.0 * (done - 1)))
        self.now_s += after_s
        self.bus.publish(FrameStored("cup", done - 1, 0.0, 1, 1000, 0.4, StepTimes(), done, planned))

    def end(self, outcome: Outcome, error: str | None = None) -> None:
        self.bus.publish(PhaseChanged(Phase.IDLE))
        self.bus.publish(ScanEnded("cup", outcome, 5, 10, 0, error))

    def sync(self, **values: object) -> None:
        self.bus.publish(SyncProgressed("cup", SyncState(scan_id="cup", updated_at=NOW, **values)))  # type: ignore[arg-type]


def job(state: JobState, percent: float = 0.0, error: str | None = None) -> Job:
    return Job(
        job_id="job",
        scan_id="cup",
        bundle_sha256="0" * 64,
        state=state,
        stage=Stage.SWEEP,
        percent=percent,
        error=error,
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_progress_and_the_time_that_is_left_follow_the_photos(bench: Bench) -> None:
    bench.start()
    scan = bench.board.state().scan
    assert scan is not None
    assert scan.remaining_s is None, "nobody knows before the first photo"
    for done in range(1, 5):
        bench.photo(done)
    scan = bench.board.state().scan
    assert scan is not None
    assert (scan.frames_done, scan.percent, scan.index, scan.elapsed_s, scan.remaining_s) == (4, 40.0, 3, 8.0, 12.0)
    assert bench.board.mood is Mood.SCANNING


def test_a_pause_is_elapsed_time_but_makes_no_photo_slower(bench: Bench) -> None:
    bench.start()
    bench.photo(1)
    bench.bus.publish(PhaseChanged(Phase.PAUSED, "cup"))
    bench.bus.publish(ScanPaused("cup"))
    assert bench.board.mood is Mood.PAUSED
    bench.now_s += 600
    bench.photo(2)
    scan = bench.board.state().scan
    assert scan is not None
    assert (scan.elapsed_s, scan.remaining_s) == (604.0, 16.0)


def test_a_question_is_shown_until_somebody_goes_on(bench: Bench) -> None:
    bench.start()
    bench.bus.publish(PhaseChanged(Phase.PAUSED, "cup"))
    bench.bus.publish(ScanPaused("cup", "frame 3: too dark"))
    state = bench.board.state()
    assert state.scan is not None
    assert (state.mood, state.scan.question) == (Mood.ASKING, "frame 3: too dark")
    bench.photo(1)
    state = bench.board.state()
    assert state.scan is not None
    assert (state.mood, state.scan.question) == (Mood.SCANNING, None)


def test_a_fault_stays_until_the_scan_goes_on(bench: Bench) -> None:
    bench.start()
    bench.end(Outcome.FAILED, "no camera")
    state = bench.board.state()
    assert (state.mood, state.fault, state.interrupted, state.scan) == (Mood.FAULT, "no camera", "cup", None)
    bench.start()
    state = bench.board.state()
    assert (state.mood, state.fault, state.interrupted) == (Mood.SCANNING, None, None)


def test_a_scan_on_its_way_is_shown_leg_by_leg_until_its_model_is_news(bench: Bench) -> None:
    bench.sync(bytes_confirmed=25, bytes_known=100)
    legs = [bench.board.state().uploads[0].leg]
    assert bench.board.state().uploads[0].percent == 25.0
    for state in (JobState.QUEUED, JobState.RUNNING, JobState.COMPLETED):
        bench.sync(job=job(state, 40.0))
        legs.append(bench.board.state().uploads[0].leg)
        assert bench.board.mood is Mood.UPLOADING
    assert legs == [Leg.UPLOADING, Leg.QUEUED, Leg.RECONSTRUCTING, Leg.FETCHING]
    bench.sync(job=job(JobState.COMPLETED), results_in_place=True)
    assert (bench.board.mood, bench.board.state().uploads) == (Mood.DONE, ())
    bench.now_s += DONE_SHOWN_S + 1
    assert bench.board.mood is Mood.IDLE


def test_news_ends_as_soon_as_somebody_does_something(bench: Bench) -> None:
    bench.sync(bytes_known=1)
    bench.sync(results_in_place=True)
    assert bench.board.mood is Mood.DONE
    bench.bus.publish(CommandAnswered("Home", "rest", Answer("id", AnswerStatus.ACCEPTED)))
    assert bench.board.mood is Mood.IDLE


def test_a_job_that_failed_is_shown_with_its_error_and_keeps_nobody_waiting(bench: Bench) -> None:
    bench.sync(job=job(JobState.FAILED, error="too few poses"))
    (upload,) = bench.board.state().uploads
    assert (upload.leg, upload.error, bench.board.mood) == (Leg.FAILED, "too few poses", Mood.IDLE)


def test_unfinished_scans_are_offered_until_they_go_on(bench: Bench) -> None:
    bench.bus.publish(UnfinishedScanFound("jug", 3, 10))
    bench.bus.publish(UnfinishedScanFound("cup", 3, 10))
    assert bench.board.state().unfinished == ("jug", "cup")
    bench.start()
    assert bench.board.state().unfinished == ("jug",)


def test_only_the_latest_warnings_are_kept(bench: Bench) -> None:
    for number in range(100):
        bench.bus.publish(Warned(f"warning {number}"))
    assert [remark.message for remark in bench.board.state().warnings] == [f"warning {n}" for n in range(90, 100)]


def test_the_state_is_json_and_says_which_events_are_in_it(bench: Bench) -> None:
    bench.start()
    state = bench.board.state()
    assert state.seq == bench.bus.seq == 2
    assert type(state).model_validate_json(state.model_dump_json()) == state


def test_coverage_is_shown_with_the_scan_and_in_percent():
    bus = EventBus()
    board = Board(bus, "bench")
    report = CoverageReport(
        side=0,
        photos=12,
        covered_share=0.7,
        weak_share=0.1,
        unseen_share=0.2,
        underside_share=0.15,
        map=((0.5, None),),
        proposal=Proposal(ProposalKind.RING, viewpoints_on(12), 0.123, 55.0, "one more turn"),
    )
    bus.publish(ScanStarted("cup", 0, 36))
    bus.publish(CoverageChanged("cup", report))
    scan = board.state().scan
    assert scan is not None
    assert scan.coverage is not None
    assert (scan.coverage.covered_percent, scan.coverage.underside_percent) == (70.0, 15.0)
    assert scan.coverage.proposal is not None
    assert (scan.coverage.proposal.photos, scan.coverage.proposal.gain_percent) == (12, 12.3)
    message = EventMessage.of(Numbered(1, datetime.now(UTC), CoverageChanged("cup", report)))
    told = json.loads(message.model_dump_json())
    assert told["type"] == "coverage_changed"
    assert told["data"]["report"]["proposal"]["kind"] == "ring"
    assert told["data"]["report"]["proposal"]["viewpoints"][1]["angle_deg"] == 30.0


def test_a_fault_is_shown_with_its_kind_until_the_scan_goes_on(bench: Bench) -> None:
    bench.start()
    bench.bus.publish(PhaseChanged(Phase.IDLE))
    bench.bus.publish(ScanEnded("cup", Outcome.FAILED, 5, 10, 0, "no image", FaultKind.CAMERA_SILENT))
    state = bench.board.state()
    assert (state.fault, state.fault_kind) == ("no image", FaultKind.CAMERA_SILENT)
    assert state.last_scan is not None
    assert state.last_scan.fault_kind is FaultKind.CAMERA_SILENT
    bench.start()
    assert bench.board.state().fault_kind is None


def test_a_question_about_a_fault_says_which_until_it_is_answered(bench: Bench) -> None:
    bench.start()
    bench.bus.publish(PhaseChanged(Phase.PAUSED, "cup"))
    bench.bus.publish(ScanPaused("cup", "free the platter, then Resume", FaultKind.TURNTABLE_JAMMED))
    scan = bench.board.state().scan
    assert scan is not None
    assert (bench.board.mood, scan.fault_kind) == (Mood.ASKING, FaultKind.TURNTABLE_JAMMED)
    bench.bus.publish(PhaseChanged(Phase.MOVING, "cup", 3, 30.0))
    scan = bench.board.state().scan
    assert scan is not None
    assert (scan.question, scan.fault_kind) == (None, None)


def test_a_mended_fault_is_a_remark_of_its_kind(bench: Bench) -> None:
    bench.bus.publish(Warned("0.9° lost", "cup", FaultKind.STEPS_LOST))
    assert bench.board.state().warnings[-1].fault_kind is FaultKind.STEPS_LOST


def test_how_the_way_to_the_service_is_and_the_latest_of_many_uploads(bench: Bench) -> None:
    for number in range(50):
        sync = SyncState(scan_id=f"s{number}", bytes_known=10, updated_at=NOW)
        bench.bus.publish(SyncProgressed(sync.scan_id, sync))
    waits = Hindrance(hitch=Hitch.QUIET_HOURS, says="quiet hours until 06:00", since=NOW)
    bench.bus.publish(LinkChanged(LinkState(waiting=50, waits=waits, updated_at=NOW)))
    state = bench.board.state()
    assert [upload.scan_id for upload in state.uploads] == [f"s{number}" for number in range(30, 50)]
    assert state.link is not None
    assert state.link.waits == waits
    bench.bus.publish(LinkChanged(None))
    assert bench.board.state().link is None
