"""What every front door can ask for, on the bench: retake, rings, jog, trash, forecast, viewfinder, catalogue."""

import asyncio
import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from scan_on_bench import OverheadCamera, bench_config, of, running, until

from drivers.bench.install import Bench
from offload.sync.choice import Choice
from offload.wire.bundle import Place
from scannerd.board.state import Mood
from scannerd.commands import (
    Cancel,
    CommandRefused,
    DeleteScan,
    Jog,
    Pause,
    Quality,
    RestoreScan,
    Resume,
    ResumeScan,
    Retake,
    SendFirst,
    SetLight,
    StartScan,
    Stop,
    Wishes,
)
from scannerd.config import OffloadSection
from scannerd.events import FrameJudged, FrameStored, Outcome, RetakeWanted, ScanEnded, ScanGivenUp, ScanPaused
from scannerd.quality.hindsight import Hindsight
from scannerd.quality.look import Afterthought, Aspect, Finding, Verdict
from scannerd.requests import AnswerStatus, Request
from scannerd.store.scans import ScanUnknown


async def test_a_photo_of_a_running_scan_is_taken_again_between_two_others(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=5)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 3)
        await daemon.submit(Retake(0))
        await daemon.submit(Retake(0, "cup"))
        seen = await until(events, ScanEnded)
        detail = daemon.catalogue.detail("cup")
    later = [stored.index for stored in of(FrameStored, seen)]
    assert later.count(0) == 1, "asking twice is asking once"
    assert sorted(later) == [0, 3, 4]
    assert later[-1] != 0, "not at the end, but between two others"
    assert [event.index for event in of(RetakeWanted, seen)] == [0, 0]
    ended = of(ScanEnded, seen)[0]
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 5)
    assert [view.status for view in detail.viewpoints] == ["stored"] * 5
    assert detail.state == "sealed"


async def test_a_photo_that_later_ones_speak_against_is_taken_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = "9.0% of the object's outline is cut off"
    thought = Afterthought(Place(index=0), Finding(Aspect.CUT_OFF, 0.09, 0.003, "", False, says))
    looks = iter([()] * 4 + [(thought,)])
    monkeypatch.setattr(Hindsight, "look_back", lambda *_: next(looks, ()))
    config = bench_config(tmp_path, views=7)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        seen = await until(events, ScanEnded)
        detail = daemon.catalogue.detail("cup")
    stored = [event.index for event in of(FrameStored, seen)]
    assert sorted(stored) == [0, 0, 1, 2, 3, 4, 5, 6]
    told = [event for event in of(FrameJudged, seen) if event.verdict is Verdict.RETAKE]
    assert [(event.index, event.reason) for event in told] == [(0, says)]
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED
    assert not of(ScanPaused, seen)
    assert [(view.status, view.verdict) for view in detail.viewpoints] == [("stored", "accept")] * 7


async def test_a_photo_of_a_paused_scan_can_be_wanted_again_and_a_sealed_one_not(
    bench: Bench, tmp_path: Path
) -> None:
    config = bench_config(tmp_path, views=4)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        await daemon.submit(Pause("cup"))
        await until(events, ScanPaused)
        with pytest.raises(CommandRefused, match="photos 0 to 3"):
            await daemon.submit(Retake(4))
        await daemon.submit(Retake(1))
        await daemon.submit(Resume("cup"))
        assert 1 in [stored.index for stored in of(FrameStored, await until(events, ScanEnded))]
        with pytest.raises(CommandRefused, match="sealed"):
            await daemon.submit(Retake(1, "cup"))


async def test_a_photo_of_an_unfinished_scan_is_taken_again_when_it_goes_on(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        await daemon.submit(Stop())
        await until(events, ScanEnded)
        await daemon.submit(Retake(0, "cup"))
        shown = daemon.catalogue.detail("cup").viewpoints[0]
        assert (shown.status, shown.retake_wanted) == ("stored", True), "it counts until there is another"
        await daemon.submit(ResumeScan("cup"))
        assert 0 in [stored.index for stored in of(FrameStored, await until(events, ScanEnded))]


async def test_between_rings_a_person_is_asked_to_move_the_camera(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", rings=2))
        asked = await until(events, ScanPaused)
        assert len(of(FrameStored, asked)) == 3
        assert "ring 2 of 2: move the camera" in str(of(ScanPaused, asked)[0].question)
        assert daemon.board.mood is Mood.ASKING
        await daemon.submit(Resume())
        seen = await until(events, ScanEnded)
        detail = daemon.catalogue.detail("cup")
    assert not of(ScanPaused, seen)
    assert of(ScanEnded, seen)[0].frames_done == 6
    assert [view.ring for view in detail.viewpoints] == [0, 0, 0, 1, 1, 1]
    assert [round(view.angle_deg) for view in detail.viewpoints] == [0, 120, 240, 420, 540, 660]


async def test_a_jog_turns_the_platter_and_lets_it_go(bench: Bench, tmp_path: Path) -> None:
    async with running(bench_config(tmp_path), bench) as daemon:
        platter = bench.world.platter
        before_deg = platter.settled_angle_deg
        await daemon.submit(Jog(30.0))
        await daemon.submit(Jog(-10.0))
        assert platter.settled_angle_deg - before_deg == pytest.approx(20.0, abs=2 * bench.step_deg)
        assert not bench.board.enabled
        with pytest.raises(CommandRefused, match="at most 360"):
            await daemon.submit(Jog(1000.0))


async def test_a_scanner_without_a_light_says_so(bench: Bench, tmp_path: Path) -> None:
    async with running(bench_config(tmp_path), bench) as daemon:
        with pytest.raises(CommandRefused, match=r"no light; set \[light\] driver"):
            await daemon.submit(SetLight(0.5))


async def test_a_deleted_scan_is_out_of_sight_and_comes_back(bench: Bench, tmp_path: Path) -> None:
    async with running(bench_config(tmp_path, views=3), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        with pytest.raises(CommandRefused, match="is running"):
            await daemon.submit(DeleteScan("cup"))
        await until(events, ScanEnded)
        await daemon.submit(DeleteScan("cup"))
        with pytest.raises(ScanUnknown):
            daemon.catalogue.detail("cup")
        with pytest.raises(CommandRefused, match="in the trash"):
            await daemon.submit(StartScan("cup"))
        await daemon.submit(RestoreScan("cup"))
        assert daemon.catalogue.detail("cup").state == "sealed"


async def test_a_person_chooses_the_scan_that_is_sent_first(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    with_service = config.model_copy(update={"offload": OffloadSection(url="http://127.0.0.1:9")})
    async with running(with_service, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await daemon.submit(SendFirst("cup"))
        with pytest.raises(ScanUnknown):
            await daemon.submit(SendFirst("jug"))
        await until(events, ScanEnded)
    choice = Choice(daemon.store.layout.scans)
    assert choice.refresh()
    assert choice.scan_id == "cup"
    assert daemon.store.scan_ids() == ["cup"]
    async with running(config, bench) as without:
        with pytest.raises(CommandRefused, match=r"\[offload\] url is empty"):
            await without.submit(SendFirst("cup"))


async def test_a_command_for_another_scan_than_the_running_one_is_refused(bench: Bench, tmp_path: Path) -> None:
    async with running(bench_config(tmp_path, views=3), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        with pytest.raises(CommandRefused, match="jug is not running; cup is"):
            await daemon.submit(Pause("jug"))
        await until(events, ScanEnded)


async def test_a_scan_that_an_earlier_start_left_can_be_cancelled(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored)
    async with running(config, bench) as daemon:
        assert daemon.board.state().unfinished == ("cup",)
        events = daemon.events.subscribe()
        await daemon.submit(Cancel("cup"))
        await until(events, ScanGivenUp)
        assert daemon.board.state().unfinished == ()
        assert daemon.catalogue.detail("cup").state == "cancelled"


async def test_a_request_repeated_after_a_restart_starts_no_second_scan(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    request = Request(StartScan(), "from-the-tablet-1", "mqtt")
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        first, second = await asyncio.gather(daemon.ask(request), daemon.ask(request))
        await until(events, ScanEnded)
    async with running(config, bench) as daemon:
        third = await daemon.ask(request)
        assert daemon.store.scan_ids() == [first.scan_id]
    assert [answer.status for answer in (first, second, third)] == [AnswerStatus.ACCEPTED] * 3
    assert {first.scan_id, second.scan_id, third.scan_id} == {first.scan_id}
    assert third.repeated


async def test_the_forecast_says_what_the_wishes_take_and_whether_it_fits(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=36)
    async with running(config, bench) as daemon:
        one, three = daemon.forecast(Wishes()), daemon.forecast(Wishes(rings=3))
        assert (one.photos, three.photos, one.fits) == (36, 108, True)
        assert three.minutes == pytest.approx(3 * one.minutes, rel=0.1)
        assert daemon.forecast(Wishes(views=12)).minutes < one.minutes
    greedy = config.model_copy(update={"store": config.store.model_copy(update={"reserve_mb": 10**6})})
    async with running(greedy, bench) as daemon:
        full = daemon.forecast(Wishes())
        assert not full.fits
        assert "delete old scans" in str(full.reason)


async def test_a_finer_model_is_asked_of_the_service(bench: Bench, tmp_path: Path) -> None:
    async with running(bench_config(tmp_path, views=3), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", quality=Quality.FINE))
        await until(events, ScanEnded)
        assert daemon.store.plan("cup").options.voxel_mm == 0.5


def picture_of(jpeg: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(io.BytesIO(jpeg).getvalue(), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return np.asarray(pixels)


async def test_the_viewfinder_is_live_while_idle_and_shows_the_edges(bench: Bench, tmp_path: Path) -> None:
    async with running(bench_config(tmp_path), bench) as daemon:
        first = await daemon.viewfinder.picture()
        await daemon.submit(Jog(20.0))
        turned = await daemon.viewfinder.picture(newer_than=first.seq)
        edges = await daemon.viewfinder.picture(edges=True)
    plain = picture_of(first.jpeg)
    assert plain.shape == (240, 320, 3), "the companion of 640 x 480"
    assert np.abs(plain.astype(int) - picture_of(turned.jpeg)).mean() > 5, "the platter turned between the two"
    green = picture_of(edges.jpeg).astype(int)
    assert ((green[:, :, 1] - green[:, :, 2]) > 100).mean() > 0.01, "edges are drawn in green"


async def test_the_viewfinder_shows_a_scans_photos_and_takes_none_of_its_own(
    bench: Bench, tmp_path: Path, pictures: OverheadCamera
) -> None:
    async with running(bench_config(tmp_path, views=4), bench) as daemon:
        events = daemon.events.subscribe()
        before = pictures.pictures
        await daemon.submit(StartScan("cup"))
        seen = set()
        while daemon.running == "cup":
            picture = await daemon.viewfinder.picture(newer_than=max(seen, default=None))
            if picture.index is not None:
                seen.add(picture.seq)
        during = pictures.pictures - before
        await until(events, ScanEnded)
    assert len(seen) >= 2
    assert during <= 4 + 1, "the scan's own, and one that was looked at after its end"
