import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import piexif
import pytest
from developed_photos import develop

from drivers.picture import Planes
from offload.wire.bundle import CameraModel, Manifest, StoredFile
from offload.wire.sidecar import FrameSidecar
from scannerd.config import Config
from scannerd.events import StepTimes
from scannerd.scan.plan import ScanPlan, Viewpoint, plan_scan
from scannerd.settings.file import parse_config
from scannerd.store.background import BackgroundFacts, BackgroundPlate
from scannerd.store.contact_sheet import write_contact_sheet
from scannerd.store.developed import DevelopedPhoto, TakenPhoto, file_of
from scannerd.store.durable import StoreFault, StoreFull
from scannerd.store.journal import replay
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanExists, ScanStore, ScanUnknown
from scannerd.store.space import photo_bytes
from scannerd.store.stored_scan import StoredScan
from scannerd.store.summary import ScanState, summaries, summary_of

CAMERA = CameraModel(make="Raspberry Pi", model="imx477", focal_length_mm=9.0, pixel_pitch_um=3.925)
WHEN = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
CONFIG = parse_config("[camera]\nwidth_px = 640\nheight_px = 480\n[scan]\nviews = 4\n")


def a_plan(scan_id: str = "cup", config: Config = CONFIG) -> ScanPlan:
    return plan_scan(config, CAMERA, scan_id, WHEN)


def a_photo(scan: StoredScan, index: int, seed: int = 0) -> DevelopedPhoto:
    pixels = np.random.default_rng(seed + index).integers(0, 255, (480, 640, 3), np.uint8)
    pixels[:, :, 0] = 250
    view = scan.viewpoints[index]
    photo = Planes.from_rgb(pixels)
    small, angle_deg = photo.shrunk(320, 240), view.angle_deg + 0.01
    return develop(TakenPhoto(view, photo, small, angle_deg, 19_987.0, 1.5, WHEN, sharpness=0.4), scan.plan)


@pytest.fixture
def store(tmp_path: Path) -> ScanStore:
    store = ScanStore(StoreLayout(tmp_path))
    store.prepare()
    return store


def filled(store: ScanStore, scan_id: str = "cup") -> StoredScan:
    scan, remark = store.begin(a_plan(scan_id))
    assert remark is None
    for index in range(4):
        scan.keep(a_photo(scan, index))
    return scan


def test_a_sealed_scan_is_a_valid_bundle_whose_every_hash_is_right(store: ScanStore) -> None:
    with filled(store) as scan:
        write_contact_sheet(scan.folder, scan.frames)
        seal = scan.seal(WHEN)
    data = scan.folder.manifest.read_bytes()
    manifest = Manifest.model_validate_json(data)
    assert manifest.canonical_bytes() == data, "what was put together is what the wire's own type encodes to"
    assert hashlib.sha256(data).hexdigest() == manifest.digest() == seal.manifest_sha256
    assert (seal.frames, seal.total_bytes) == (4, sum(file.size_bytes for file in manifest.files()))
    assert [file.name for file in manifest.extras] == ["contact_sheet.jpg"]
    for file in manifest.files():
        photo = (scan.folder.path / file.name).read_bytes()
        assert (hashlib.sha256(photo).hexdigest(), len(photo)) == (file.sha256, file.size_bytes)
    assert [frame.index for frame in manifest.frames] == [0, 1, 2, 3]
    sheet = cv2.imread(str(scan.folder.contact_sheet))
    assert sheet is not None
    assert sheet.shape[1] > 2 * 320
    assert summary_of(store, "cup").state is ScanState.SEALED


def test_a_photo_keeps_its_colours_and_carries_exif(store: ScanStore) -> None:
    with filled(store) as scan:
        path = scan.folder.frame(2)
    tags = piexif.load(str(path))
    assert tags["0th"][piexif.ImageIFD.Make] == b"Raspberry Pi"
    assert tags["0th"][piexif.ImageIFD.Model] == b"imx477"
    numerator, denominator = tags["Exif"][piexif.ExifIFD.FocalLength]
    assert numerator / denominator == 9.0
    numerator, denominator = tags["Exif"][piexif.ExifIFD.ExposureTime]
    assert numerator / denominator == pytest.approx(0.019987)
    assert tags["Exif"][piexif.ExifIFD.ISOSpeedRatings] == 150
    local = tags["Exif"][piexif.ExifIFD.DateTimeOriginal] + b" " + tags["Exif"][piexif.ExifIFD.OffsetTimeOriginal]
    assert datetime.strptime(local.decode(), "%Y:%m:%d %H:%M:%S %z") == WHEN.replace(microsecond=0)
    image = cv2.imread(str(path))
    assert image is not None
    assert image.shape == (480, 640, 3)
    assert image[:, :, 2].mean() > 230 > image[:, :, 0].mean(), "red went in, red comes out"


def test_the_journal_line_comes_after_the_photo_and_names_its_hash(store: ScanStore) -> None:
    with filled(store) as scan:
        lines = [json.loads(line) for line in scan.folder.journal.read_bytes().splitlines()]
    frames = [line["frame"] for line in lines if line["type"] == "frame"]
    assert len(frames) == 4
    for frame in frames:
        photo = (scan.folder.path / frame["file"]["name"]).read_bytes()
        assert hashlib.sha256(photo).hexdigest() == frame["file"]["sha256"]


def test_a_scan_goes_on_with_exactly_what_is_missing(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan())
    for index in (0, 2):
        scan.keep(a_photo(scan, index))
    scan.close()
    with store.open("cup") as again:
        assert [view.index for view in again.missing()] == [1, 3]
        with pytest.raises(StoreFault, match="photos 1, 3 are missing"):
            again.seal(WHEN)


def test_a_photo_without_its_line_does_not_count_and_leaves_no_trace(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan())
    scan.keep(a_photo(scan, 0))
    scan.close()
    scan.folder.frame(1).write_bytes(b"written, then the power went")
    (scan.folder.frames / ".0002.jpg.part").write_bytes(b"half")
    with store.open("cup") as again:
        assert [view.index for view in again.missing()] == [1, 2, 3]
        assert not (scan.folder.frames / ".0002.jpg.part").exists()
        again.keep(a_photo(again, 1))
        assert again.verify_frames() == ()


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_photo_counts_no_more(store: ScanStore, damage: str) -> None:
    filled(store).close()
    path = store.layout.scan("cup").frame(1)
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[1000] ^= 1
        path.write_bytes(data)
    elif damage == "cut":
        path.write_bytes(data[:1000])
    else:
        path.unlink()
    with store.open("cup") as scan:
        assert scan.verify_frames() == (1,)
        assert [view.index for view in scan.missing()] == [1]
    with store.open("cup") as scan:
        assert [view.index for view in scan.missing()] == [1], "the journal remembers"


def test_the_latest_photo_of_a_viewpoint_is_the_one_that_counts(store: ScanStore) -> None:
    with filled(store) as scan:
        again = scan.keep(a_photo(scan, 3, seed=99))
    with store.open("cup") as scan:
        assert scan.frames[3] == again
        assert scan.verify_frames() == ()


def files_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def with_sidecars(scan: StoredScan, index: int, seed: int = 0) -> DevelopedPhoto:
    plain = a_photo(scan, index, seed)
    made = {f"frames/{index:04d}.{kind}": f"{kind} {seed}".encode() for kind in ("mask.png", "edges.png")}
    said = FrameSidecar(
        index=index, verdict="accept", reason=f"{seed}", commanded_angle_deg=0, exposure_us=1, analogue_gain=1
    )
    made[f"frames/{index:04d}.json"] = said.canonical_bytes()
    sidecars = tuple(file_of(name, data) for name, data in made.items())
    return replace(plain, entry=plain.entry.model_copy(update={"sidecars": sidecars}), files=plain.files | made)


def test_a_photo_and_its_sidecars_are_kept_replaced_and_sealed_together(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan())
    with scan:
        for index in range(4):
            scan.keep(with_sidecars(scan, index), StepTimes(move_s=1), {"move": (0.0, 1.0)})
        entry = scan.keep(with_sidecars(scan, 2, seed=7))
        assert [file.name for file in entry.files()] == [
            "frames/0002_2.jpg", "frames/0002_2.mask.png", "frames/0002_2.edges.png", "frames/0002_2.json",
        ]  # fmt: skip
        assert scan.frames[2] == entry
        assert scan.verify_frames() == ()
        scan.seal(WHEN)
        manifest = Manifest.model_validate_json(scan.folder.manifest.read_bytes())
        assert len(manifest.files()) == 16
        assert {file.name for file in manifest.files()} == {f"frames/{n}" for n in files_of(scan.folder.frames)}
        assert files_of(scan.folder.thumbnails) == {"0000.jpg", "0001.jpg", "0002_2.jpg", "0003.jpg"}
    times = [line.body["times"] for line in replay(scan.folder.journal)[0] if "times" in line.body]
    assert times[0]["stages"] == {"move": [0.0, 1.0]}


def test_the_earlier_photo_counts_until_the_later_ones_line_is_on_the_disk(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan())
    first = scan.keep(with_sidecars(scan, 0))
    scan.close()
    later = with_sidecars(scan, 0, seed=1).as_take(2)
    for name, data in later.files.items():  # The power goes when all its files are there, and its line is not.
        (scan.folder.path / name).write_bytes(data)
    with store.open("cup") as again:
        assert again.frames[0] == first
        assert again.verify_frames() == ()
        assert len(files_of(scan.folder.frames)) == 4, "what does not count is gone"


def test_a_damaged_sidecar_costs_its_photo(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan())
    with scan:
        scan.keep(with_sidecars(scan, 1))
        (scan.folder.frames / "0001.mask.png").write_bytes(b"")
        assert scan.verify_frames() == (1,)


def test_a_wish_for_another_photo_outlives_a_restart_and_the_photo_counts_meanwhile(store: ScanStore) -> None:
    with filled(store) as scan:
        scan.note("retake", index=1)
    with store.open("cup") as scan:
        assert (scan.missing(), scan.retakes_wanted, scan.complete) == ((), (1,), False)
        scan.keep(a_photo(scan, 1, seed=5))
        assert (scan.retakes_wanted, scan.complete) == ((), True)


def test_viewpoints_that_were_added_and_locked_settings_are_the_scans_own(store: ScanStore) -> None:
    more = tuple(Viewpoint(index=4 + number, angle_deg=45.0 + number, ring=1) for number in range(2))
    with filled(store) as scan:
        scan.note("locked", settings={"exposure_us": 1.0})
        scan.note("locked", settings={"exposure_us": 19_000.0})
        with pytest.raises(ValueError, match=r"viewpoints \[5\] do not go on from 3"):
            scan.extend(more[1:])
        scan.extend(more)
    assert summary_of(store, "cup").frames_planned == 6
    with store.open("cup") as scan:
        assert scan.viewpoints == (*scan.plan.viewpoints, *more)
        assert scan.missing() == more
        assert scan.locked_settings_of(0) == {"exposure_us": 19_000.0}
        for view in more:
            scan.keep(a_photo(scan, view.index))
        assert scan.seal(WHEN).frames == 6
    manifest = Manifest.model_validate_json(scan.folder.manifest.read_bytes())
    assert [(frame.index, frame.ring) for frame in manifest.frames[-2:]] == [(4, 1), (5, 1)]


def test_a_seal_that_outlived_its_journal_line_is_told_by_the_journal_again(store: ScanStore) -> None:
    with filled(store) as scan:
        digest = scan.seal(WHEN).manifest_sha256
    journal = scan.folder.journal
    journal.write_bytes(journal.read_bytes().rstrip(b"\n").rpartition(b"\n")[0] + b"\n")
    store.prepare()
    last = replay(journal)[0][-1]
    assert (last.type, last.body) == ("sealed", {"manifest_sha256": digest})


def test_names_are_taken_once_and_unknown_names_are_told(store: ScanStore) -> None:
    filled(store).close()
    with pytest.raises(ScanExists, match="exists already"):
        store.begin(a_plan())
    with pytest.raises(ScanUnknown, match="the latest there: cup"):
        store.open("jug")


def test_a_scan_that_was_never_born_is_swept_up(store: ScanStore) -> None:
    unborn = store.layout.unborn("cup")
    unborn.frames.mkdir(parents=True)
    unborn.plan.write_text("{")
    store.prepare()
    assert store.scan_ids() == []
    assert list(store.layout.scans.iterdir()) == []


def test_a_scan_that_would_not_fit_is_refused_with_both_numbers(tmp_path: Path) -> None:
    free = 100_000_000
    store = ScanStore(StoreLayout(tmp_path), reserve_bytes=80_000_000, free_bytes=lambda _: free)
    store.prepare()
    with pytest.raises(StoreFull, match=r"need up to 4\d MB; 20 MB are free beside the reserve of 80 MB"):
        store.begin(a_plan())
    assert store.scan_ids() == []


def test_the_forecast_is_never_below_what_noise_takes(store: ScanStore) -> None:
    """Pure noise is the worst picture there is; the forecast may be more, and not much more than any real photo."""
    with filled(store) as scan:
        largest = max(frame.file.size_bytes for frame in scan.frames.values())
    assert photo_bytes(a_plan()) < 2 * largest


def test_a_disk_that_fills_up_during_a_scan_keeps_everything_so_far(tmp_path: Path) -> None:
    plan = a_plan()
    free = [1_000_000_000]
    store = ScanStore(StoreLayout(tmp_path), reserve_bytes=0, free_bytes=lambda _: free[0])
    store.prepare()
    scan, _ = store.begin(plan)
    scan.keep(a_photo(scan, 0))
    free[0] = photo_bytes(plan) - 1
    with pytest.raises(StoreFull, match="free some space, then resume: everything so far is kept"):
        scan.require_room()
    scan.close()
    free[0] = 1_000_000_000
    with store.open("cup") as again:
        assert [view.index for view in again.missing()] == [1, 2, 3]
        assert again.verify_frames() == ()


def a_plate(plan: ScanPlan, exposure_us: float = 20_000) -> BackgroundFacts:
    digest = hashlib.sha256(b"plate").hexdigest()
    return BackgroundFacts(
        file=StoredFile(name="background.jpg", sha256=digest, size_bytes=5),
        camera=plan.camera,
        photo_width_px=plan.photo_width_px,
        photo_height_px=plan.photo_height_px,
        exposure_us=exposure_us,
        analogue_gain=1.0,
        taken_at=WHEN,
    )


def test_a_background_taken_the_same_way_travels_with_the_scan(store: ScanStore) -> None:
    BackgroundPlate(store.layout).keep(b"plate", a_plate(a_plan(), exposure_us=20_400))
    with filled(store) as scan:
        scan.seal(WHEN)
    manifest = Manifest.model_validate_json(scan.folder.manifest.read_bytes())
    assert manifest.background is not None
    assert (scan.folder.path / manifest.background.name).read_bytes() == b"plate"
    BackgroundPlate(store.layout).keep(b"other", a_plate(a_plan()))
    assert scan.folder.background.read_bytes() == b"plate", "a new plate does not reach into old scans"


def test_a_background_of_another_exposure_or_size_is_left_out_and_said(store: ScanStore) -> None:
    plan = a_plan()
    BackgroundPlate(store.layout).keep(b"plate", a_plate(plan, exposure_us=30_000))
    scan, remark = store.begin(plan)
    scan.close()
    assert remark is not None
    assert "exposed 30000 µs at gain 1, photos are exposed 20000 µs" in remark
    assert not scan.folder.background.exists()
    small = parse_config("[camera]\nwidth_px = 320\nheight_px = 240\n")
    scan, remark = store.begin(a_plan("jug", small))
    scan.close()
    assert remark is not None
    assert "it has 640x480 px, photos have 320x240" in remark


def test_a_background_that_was_exchanged_by_a_power_cut_does_not_count(store: ScanStore) -> None:
    BackgroundPlate(store.layout).keep(b"plate", a_plate(a_plan()))
    store.layout.background.write_bytes(b"newer plate, its facts were not written")
    assert BackgroundPlate(store.layout).facts() is None


def test_summaries_tell_each_scan_and_why_one_is_broken(store: ScanStore) -> None:
    filled(store, "one").close()
    with store.begin(a_plan("two"))[0] as scan:
        scan.keep(a_photo(scan, 0))
        scan.note("cancelled")
    store.layout.scan("one").journal.write_bytes(b"nonsense\nnonsense\n")
    one, two = summaries(store)
    assert one.state is ScanState.BROKEN
    assert "line 1 is not entry 0" in one.line()
    assert two.line() == "two: cancelled, 1 of 4 photos"
