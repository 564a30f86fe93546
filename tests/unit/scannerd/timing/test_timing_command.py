import json
from datetime import UTC, datetime

import pytest
from timed_journal import overlapped_scan, write_journal
from typer.testing import CliRunner

from offload.wire.bundle import CameraModel
from scannerd.__main__ import app
from scannerd.config import Config
from scannerd.scan.plan import plan_scan
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

CAMERA = CameraModel(make="bench", model="bench", focal_length_mm=9.0, pixel_pitch_um=1.55)


@pytest.fixture
def settings(tmp_path):
    store = ScanStore(StoreLayout(tmp_path / "store"))
    store.prepare()
    scan, _ = store.begin(plan_scan(Config(), CAMERA, "mug", datetime.now(UTC)))
    scan.close()
    file = tmp_path / "config.toml"
    file.write_text(f'[store]\nfolder = "{store.layout.root}"\n')
    return file, store.layout.scan("mug").path


def told(*arguments: str):
    return CliRunner().invoke(app, ["timing", *arguments])


def test_table_json_and_chart(settings, tmp_path):
    file, folder = settings
    write_journal(folder, overlapped_scan(6))
    table = told("mug", "--config", str(file))
    assert table.exit_code == 0
    assert "6 photos in 4.2 s" in table.stdout
    as_json = told("mug", "--json", "--config", str(file))
    assert json.loads(as_json.stdout)["photos"] == 6
    chart = tmp_path / "chart.svg"
    assert told("mug", "--plot", str(chart), "--config", str(file)).exit_code == 0
    assert chart.read_text().startswith("<svg ")


def test_what_cannot_be_shown_is_said_in_one_line(settings, tmp_path):
    file, folder = settings
    for arguments, says in (
        (["jug"], "scan jug: not in"),
        (["mug"], "no photo yet"),
        (["../store"], "../store"),
    ):
        done = told(*arguments, "--config", str(file))
        assert done.exit_code == 1
        assert says in done.stderr
        assert "Traceback" not in done.stderr
    write_journal(folder, overlapped_scan(2))
    nowhere = told("mug", "--plot", str(tmp_path / "none" / "x.svg"), "--config", str(file))
    assert nowhere.exit_code == 1
    assert "cannot be written" in nowhere.stderr
