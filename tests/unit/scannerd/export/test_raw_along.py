"""Raw files go along where somebody asks and the scan has them, and the export says which there are."""

from dataclasses import replace
from pathlib import Path

import pytest
from turntable_scan import SCAN_ID, raw_of, taken_scan
from turntable_seen import BenchTurn
from typer.testing import CliRunner

from scannerd.__main__ import app
from scannerd.export.photo_set import photo_set
from scannerd.export.programs import Program, exported
from scannerd.export.raw_along import raw_files
from scannerd.export.to_folder import write_export
from scannerd.store.scans import ScanStore

TURN = BenchTurn(views=8)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ScanStore:
    return taken_scan(tmp_path_factory.mktemp("store"), [TURN], raws=range(6))


@pytest.mark.parametrize("program", Program)
def test_they_are_linked_beside_the_photos_that_they_belong_to(
    store: ScanStore, tmp_path: Path, program: Program
) -> None:
    folder = tmp_path / "out"
    write_export(exported(photo_set(store, SCAN_ID), program, folder, raw=True), folder)
    assert {file.name: file.read_bytes() for file in (folder / "raw").iterdir()} == {
        f"{index:04d}.cr2": raw_of(index) for index in range(6)
    }
    kept = store.layout.scan(SCAN_ID).frame(3).with_suffix(".cr2")
    assert (folder / "raw/0003.cr2").samefile(kept)
    # What a program takes for photos are the photos alone.
    assert not [file.name for file in (folder / "images").iterdir() if file.suffix == ".cr2"]
    assert "6 raw files in raw/, 2 photos have none." in (folder / "README.txt").read_text()


def test_who_does_not_ask_gets_none_and_is_told_that_there_are_some(store: ScanStore, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_export(exported(photo_set(store, SCAN_ID), Program.COLMAP, folder), folder)
    assert not (folder / "raw").exists()
    assert (
        "6 raw files of these photos are not in here: export with --raw, or with the switch on the page."
        in (folder / "README.txt").read_text()
    )


def test_several_cameras_keep_their_folders_apart(store: ScanStore) -> None:
    one = photo_set(store, SCAN_ID)
    shown = [replace(photo, name=f"{index % 2}-side/{photo.name}") for index, photo in enumerate(one.photos)]
    assert [file.name for file in raw_files(shown)][:2] == ["raw/0-side/0000.cr2", "raw/1-side/0001.cr2"]


def test_a_scan_that_kept_none_is_exported_all_the_same_and_said_so(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[store]\nfolder = "{tmp_path / "store"}"\n')
    taken_scan(tmp_path / "store", [TURN])
    words = ["export", SCAN_ID, "--format", "colmap", "--config", str(config), "--to", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*words, "--raw"])
    assert result.exit_code == 0, result.output
    said = "no raw files: the scan kept none (scannerd scan --raw device, or [camera] raw, keeps them)"
    assert said in result.output
    assert f"N{said[1:]}." in (tmp_path / "out/README.txt").read_text()
