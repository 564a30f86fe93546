import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_story import a_photo

from offload.wire.bundle import CameraModel
from offload.wire.jobs import Job, JobState, SyncState
from scannerd.demo.leftover import Leftover
from scannerd.demo.options import DemoOptions
from scannerd.demo.setting import demo_config
from scannerd.events import StepTimes
from scannerd.scan.plan import plan_scan, planned_camera
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.summary import ScanState

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def options(tmp_path: Path) -> DemoOptions:
    return DemoOptions(tmp_path, views=8)


def begin(options: DemoOptions, scan_id: str) -> Path:
    """Remember the choices and begin a scan, as the demo does when it presses the button."""
    Leftover(options).remember()
    store = ScanStore(StoreLayout(options.out))
    store.prepare()
    camera = CameraModel(make="bench", model="imx477", focal_length_mm=9.0, pixel_pitch_um=1.55)
    config = demo_config(options)
    others = tuple(planned_camera(other, camera, None) for other in config.cameras)
    scan, _ = store.begin(plan_scan(config, camera, scan_id, NOW, others=others))
    scan.close()
    return scan.folder.path


def seal(scan: Path) -> None:
    """The store tells a sealed scan by its manifest being there."""
    (scan / "manifest.json").write_text("{}")


def write_job(scan: Path, state: JobState) -> None:
    job = Job(
        job_id="j",
        scan_id=scan.name,
        bundle_sha256="0" * 64,
        state=state,
        error="why",
        created_at=NOW,
        updated_at=NOW,
    )
    (scan / "sync.json").write_text(SyncState(scan_id=scan.name, job=job, updated_at=NOW).model_dump_json())


def found(options: DemoOptions) -> tuple[str, ScanState] | None:
    scan = Leftover(options).find()
    return None if scan is None else (scan.scan_id, scan.state)


def test_an_empty_folder_has_nothing_to_go_on_with(options: DemoOptions) -> None:
    assert found(options) is None


def test_the_scan_of_the_same_choices_is_gone_on_with(options: DemoOptions) -> None:
    begin(options, "cup")
    assert found(options) == ("cup", ScanState.UNFINISHED)


def test_a_sealed_scan_waits_for_its_model(options: DemoOptions) -> None:
    scan = begin(options, "cup")
    seal(scan)
    assert found(options) == ("cup", ScanState.SEALED)
    write_job(scan, JobState.RUNNING)
    assert found(options) == ("cup", ScanState.SEALED)
    (scan / "results").mkdir()
    assert found(options) is None


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_a_scan_whose_job_ended_badly_is_not_tried_again(options: DemoOptions, state: JobState) -> None:
    scan = begin(options, "cup")
    seal(scan)
    write_job(scan, state)
    assert found(options) is None


@pytest.mark.parametrize("changed", [{"views": 9}, {"voxel_mm": 2.0}, {"width_px": 800}, {"mesh": Path("other.obj")}])
def test_other_choices_begin_anew(options: DemoOptions, changed: dict[str, object]) -> None:
    begin(options, "cup")
    assert found(replace(options, **changed)) is None  # type: ignore[arg-type]


def test_an_older_scan_of_other_choices_is_left_alone(options: DemoOptions) -> None:
    begin(options, "cup")
    mug = replace(options, views=9)
    scan = begin(mug, "mug")
    (scan / "results").mkdir()
    seal(scan)
    assert found(mug) is None, "the cup is unfinished, but it is not what stands on the table now"


def test_a_scan_that_was_refused_leaves_the_older_one_alone(options: DemoOptions) -> None:
    begin(options, "cup")
    Leftover(replace(options, views=9)).remember()
    assert found(replace(options, views=9)) is None


def test_cameras_that_photograph_beside_the_first_make_no_stop_shorter(tmp_path: Path) -> None:
    options = DemoOptions(tmp_path, views=3, width_px=160, height_px=120, cameras=2)
    begin(options, "cup")
    stop, beside = StepTimes(move_s=1.0, capture_s=0.5, floor_s=1.2), StepTimes(capture_s=0.1, floor_s=0.1)
    with ScanStore(StoreLayout(tmp_path)).open("cup") as scan:
        assert len(scan.viewpoints) == 6
        for view in scan.viewpoints:
            scan.keep(a_photo(scan, view, view.index), beside if view.camera else stop)
    assert Leftover(options).record("cup").times == (stop, stop, stop)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", json.dumps({"choices": {}}).encode()])
def test_a_damaged_note_is_as_good_as_none(options: DemoOptions, content: bytes) -> None:
    begin(options, "cup")
    (options.out / "demo.json").write_bytes(content)
    assert found(options) is None
