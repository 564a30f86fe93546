from functools import partial
from pathlib import Path
from typing import Any

import pytest
from scan_on_bench import SPEED, OverheadCamera, running

from drivers.bench.install import install_bench
from scannerd.demo.bench_options import BenchOptions, bench_config, bench_mechanics, bench_wiring, on_bench
from scannerd.demo.setting import demo_lift
from scannerd.demo.turntables import serial_lift, serial_turntable
from scannerd.settings.file import ConfigFaults, read_config
from scannerd.settings.text import documented_toml


def config_file(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text)
    return file


def test_without_a_file_the_store_is_in_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = bench_config(BenchOptions())
    assert config.store.folder == tmp_path / "out" / "bench"
    assert config.device.name == "bench"
    assert (config.web.address, config.web.port) == ("127.0.0.1", 8740), "a laptop is no shop"
    assert config.web.socket == tmp_path / "out" / "bench" / "scannerd.sock"
    assert bench_config(BenchOptions(port=0)).web.port == 0


def test_the_command_line_beats_the_file_and_the_file_the_defaults(tmp_path: Path) -> None:
    text = '[device]\nname = "shop"\n[store]\nfolder = "/srv/scans"\nreserve_mb = 7\n[scan]\nviews = 9\n'
    file = config_file(tmp_path, text)
    as_filed = bench_config(BenchOptions(config=file))
    assert (as_filed.store.folder, as_filed.scan.views) == (Path("/srv/scans"), 9)
    config = bench_config(BenchOptions(config=file, store=tmp_path / "here", views=5, width_px=640, height_px=480))
    assert config.store.folder == tmp_path / "here"
    assert (config.device.name, config.store.reserve_mb, config.scan.views) == ("shop", 7, 5)
    assert (config.camera.width_px, config.camera.height_px) == (640, 480)


def test_but_for_its_store_the_bench_is_what_the_file_says_so_that_a_reload_changes_what_was_changed(
    tmp_path: Path,
) -> None:
    file = config_file(tmp_path, "[scan]\nviews = 9\n")
    assert bench_config(BenchOptions(config=file)) == read_config(file)


@pytest.mark.parametrize("kind", ["grbl", "marlin", "table"])
async def test_a_reload_takes_what_was_changed_and_leaves_a_serial_table_as_the_bench_has_it(
    tmp_path: Path, kind: Any
) -> None:
    file = config_file(tmp_path, '[lift]\ndriver = "marlin"\naxis = "Y"\n')
    options = BenchOptions(config=file, store=tmp_path / "store", views=9, turntable=kind)
    config = bench_config(options)
    table, arm = serial_turntable(config), serial_lift(config)
    with install_bench(OverheadCamera(), SPEED, turntable=table, lift_controller=arm) as bench:
        async with running(config, bench, config_file=file, fit=partial(on_bench, options)) as daemon:
            motors = daemon.hardware.motors
            assert (await daemon.settings.reload_file()).changed == ()
            taken = await daemon.settings.change({"scan": {"rings": 2}})
            assert taken.changed == ("[scan] rings",)
            assert daemon.config.scan.views == 9, "as the command line says"
            assert daemon.hardware.motors == motors, "the very same"
            assert len(motors) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (BenchOptions(views=2), "views = 2: use a whole number, 3 to 720"),
        (BenchOptions(width_px=641), "width_px = 641: use a whole number, 160 to 9248, a multiple of 2"),
    ],
)
def test_a_wish_out_of_bounds_is_a_fault_of_the_command_line(options: BenchOptions, says: str) -> None:
    with pytest.raises(ConfigFaults) as caught:
        bench_config(options)
    assert str(caught.value) == f"the command line, 1 problem\n  {says}"


def test_a_photo_size_that_the_calibrated_lens_is_not_for_is_a_fault(tmp_path: Path) -> None:
    lens = tmp_path / "lens.json"
    lens.write_text('{"width_px": 800, "height_px": 600, "fx_px": 1, "fy_px": 1, "cx_px": 400, "cy_px": 300}')
    text = f'[intrinsics]\nfile = "{lens}"\n[camera]\nwidth_px = 800\nheight_px = 600\n'
    with pytest.raises(ConfigFaults, match="for photos of 800x600, the camera is set to 640x480"):
        bench_config(BenchOptions(config=config_file(tmp_path, text), width_px=640, height_px=480))


def test_the_bench_is_built_as_the_config_says(tmp_path: Path) -> None:
    text = (
        "[turntable]\nstep_pin = 4\nmicrosteps = 8\ngear_ratio = 2.0\ninvert = true\n[button]\npin = 6\n"
        "[led]\ndriver = 'none'\n[light]\ndriver = 'gpio'\npin = 13\n"
    )
    config = bench_config(BenchOptions(config=config_file(tmp_path, text)))
    wiring, mechanics = bench_wiring(config), bench_mechanics(config)
    assert (wiring.step_pin, wiring.button_pin, wiring.dir_high_turns) == (4, 6, -1)
    assert (wiring.led_pin, wiring.light_pin) == (None, 13)
    assert (mechanics.steps_per_turn, mechanics.microsteps) == (3200, 8)
    assert documented_toml(config)


def test_the_bench_has_the_lift_that_the_config_says(tmp_path: Path) -> None:
    assert bench_wiring(bench_config(BenchOptions(store=tmp_path))).lift is None
    text = '[lift]\ndriver = "stepper_gpio"\nstep_pin = 12\nstep_deg = 0.02\ninvert = true\nhome_deg = 15\n'
    config = bench_config(BenchOptions(config=config_file(tmp_path, text)))
    wiring, lift = bench_wiring(config).lift, demo_lift(config)
    assert wiring is not None
    assert (wiring.step_pin, wiring.dir_high_raises) == (12, -1)
    assert (lift.step_deg, lift.start_deg) == (0.02, 15)


@pytest.mark.parametrize("kind", ["grbl", "marlin", "table"])
def test_a_serial_turntable_has_its_port_in_the_store(tmp_path: Path, kind: Any) -> None:
    config = bench_config(BenchOptions(store=tmp_path, turntable=kind))
    wiring = serial_turntable(config)
    assert wiring is not None
    assert (wiring.kind, wiring.port) == (kind, tmp_path / "dev" / "scanner-turntable")
    assert config.turntable.port == str(wiring.port)
    assert serial_turntable(bench_config(BenchOptions(store=tmp_path))) is None


@pytest.mark.parametrize("shares", [True, False], ids=["the turntable's board", "a board of its own"])
def test_a_serial_lift_is_where_the_config_has_it(tmp_path: Path, shares: bool) -> None:
    port = "/dev/scanner-turntable" if shares else "/dev/scanner-lift"
    text = (
        f'[turntable]\ndriver = "marlin"\n[lift]\ndriver = "marlin"\naxis = "Y"\ninvert = true\nport = "{port}"\n'
        f'[store]\nfolder = "{tmp_path}"\n'
    )
    config = bench_config(BenchOptions(config=config_file(tmp_path, text)))
    table, own = serial_turntable(config), serial_lift(config)
    assert table is not None
    assert bench_wiring(config).lift is None, "no pins"
    if shares:
        assert own is None
        assert table.beside is not None
        assert (table.beside.letter, table.beside.turns) == ("Y", -1)
        assert config.lift.port == config.turntable.port == str(table.port)
    else:
        assert table.beside is None
        assert own is not None
        assert (own.kind, own.moves, own.letter) == ("marlin", "lift", "Y")
        assert own.port == tmp_path / "dev" / "scanner-lift"


def test_one_board_with_two_languages_or_one_letter_cannot_be(tmp_path: Path) -> None:
    same = '[turntable]\ndriver = "grbl"\n[lift]\nport = "/dev/scanner-turntable"\n'
    with pytest.raises(ConfigFaults, match=r"\[lift\] driver = \"marlin\": \[turntable\] has the same port"):
        bench_config(BenchOptions(config=config_file(tmp_path, same + 'driver = "marlin"\n')))
    with pytest.raises(ConfigFaults, match=r"\[lift\] axis = \"X\": turns the platter already"):
        bench_config(BenchOptions(config=config_file(tmp_path, same + 'driver = "grbl"\n')))
    with pytest.raises(ConfigFaults, match=r"\[lift\] baud = 9600: the same port"):
        bench_config(BenchOptions(config=config_file(tmp_path, same + 'driver = "grbl"\naxis = "Y"\nbaud = 9600\n')))
