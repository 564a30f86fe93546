"""What people are shown of scans, read beside the store that writes them."""

from pathlib import Path

import numpy as np
import pytest
import store_story

from drivers.raw_picture import RawFile
from scannerd.scan.plan import Viewpoint
from scannerd.store.catalogue import Catalogue
from scannerd.store.photo import read_small
from scannerd.store.scans import ScanStore, ScanUnknown
from scannerd.store.stored_scan import StoredScan
from scannerd.store.thumbnails import whole_thumbnail
from scannerd.store.trash import Trash


@pytest.fixture
def store(tmp_path: Path) -> ScanStore:
    return store_story.a_store(tmp_path)


def take(scan: StoredScan, index: int, seed: int = 0) -> None:
    scan.keep(store_story.a_photo(scan, scan.viewpoints[index], seed))


def test_it_reads_on_where_it_was(store: ScanStore) -> None:
    catalogue = Catalogue(store)
    with store.begin(store_story.a_plan("cup"))[0] as scan:
        assert catalogue.detail("cup").frames_done == 0
        take(scan, 0)
        scan.note("judged", index=1, attempt=1, verdict="retake", reason="blurred")
        assert catalogue.detail("cup").viewpoints[1].reason == "blurred"
        take(scan, 1)
        scan.note("retake", index=0)
        detail = catalogue.detail("cup", running="cup")
        assert (detail.state, detail.frames_done, detail.retakes) == ("running", 2, 1)
        assert [view.retake_wanted for view in detail.viewpoints] == [True, False, False, False]
        scan.note("lost", index=1, reason="damaged")
        scan.extend([Viewpoint(index=4, angle_deg=10, ring=1)])
        detail = catalogue.detail("cup")
        assert (detail.frames_done, detail.frames_planned, detail.viewpoints[1].status) == (1, 5, "planned")
    assert detail == Catalogue(store).detail("cup"), "as if it were read at once"


def test_raw_files_count_as_long_as_their_photo_does(store: ScanStore) -> None:
    catalogue = Catalogue(store)
    with store.begin(store_story.a_plan("cup"))[0] as scan:
        for index in range(3):
            entry = scan.keep(store_story.a_photo(scan, scan.viewpoints[index], 0))
            scan.count_raw(entry, scan.write_raw(entry, RawFile(b"raw", ".nef")))
        assert catalogue.detail("cup").raw_files == 3
        take(scan, 0, seed=1)
        scan.note("lost", index=1, reason="damaged")
        assert catalogue.detail("cup").raw_files == 1
    assert catalogue.detail("cup") == Catalogue(store).detail("cup")


def test_a_line_that_is_torn_or_cut_off_again_does_not_count(store: ScanStore) -> None:
    catalogue = Catalogue(store)
    with store.begin(store_story.a_plan("cup"))[0] as scan:
        take(scan, 0)
    journal = scan.folder.journal
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"seq":2,"at":"x","type":"lost","ind')
    assert catalogue.detail("cup").frames_done == 1
    store.open("cup").close()
    assert journal.read_bytes() == whole
    assert catalogue.detail("cup").frames_done == 1


def test_a_new_scan_with_the_name_of_a_deleted_one_is_another_scan(store: ScanStore) -> None:
    catalogue = Catalogue(store)
    with store.begin(store_story.a_plan("cup"))[0] as scan:
        take(scan, 0)
    assert catalogue.detail("cup").frames_done == 1
    Trash(store.layout).put("cup")
    with pytest.raises(ScanUnknown):
        catalogue.detail("cup")
    store.begin(store_story.a_plan("cup"))[0].close()
    assert catalogue.detail("cup").frames_done == 0


def test_the_photo_that_counts_is_the_latest_one(store: ScanStore) -> None:
    catalogue = Catalogue(store)
    with store.begin(store_story.a_plan("cup"))[0] as scan:
        assert catalogue.photo("cup", 0) is None
        take(scan, 0)
        take(scan, 1)
        take(scan, 0, seed=1)
        photos = catalogue.photos("cup")
    assert [photo.name for photo in photos] == ["frames/0000_2.jpg", "frames/0001.jpg"]
    assert catalogue.photo("cup", 0) == photos[0]


@pytest.mark.parametrize("torn", [None, b"", b"\xff\xd8 half", bytes(500)])
def test_a_small_copy_that_a_power_cut_took_is_made_anew(store: ScanStore, torn: bytes | None) -> None:
    with store.begin(store_story.a_plan("cup"))[0] as scan:
        take(scan, 0)
        photo = scan.frames[0].file
    path = scan.folder.thumbnail_of(photo)
    before = read_small(path)
    path.unlink()
    if torn is not None:
        path.write_bytes(torn)
    after = read_small(whole_thumbnail(scan.folder, photo))
    assert after.shape == before.shape
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.8, "it shows the same"
