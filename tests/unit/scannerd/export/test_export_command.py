from pathlib import Path

from turntable_scan import taken_scan
from turntable_seen import BenchTurn
from typer.testing import CliRunner

from scannerd.__main__ import app


def test_export_writes_a_folder_and_says_what_is_in_it(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[store]\nfolder = "{tmp_path / "store"}"\n')
    taken_scan(tmp_path / "store", [BenchTurn(views=8)])
    words = ["export", "barrel", "--format", "colmap", "--config", str(config), "--to"]
    result = CliRunner().invoke(app, [*words, str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "20 files, 8 photos, 8 poses" in result.output
    assert (tmp_path / "out/sparse/0/images.txt").exists()
    again = CliRunner().invoke(app, [*words, str(tmp_path / "out")])
    assert again.exit_code == 1
    assert "is not empty; name a new folder" in again.output
