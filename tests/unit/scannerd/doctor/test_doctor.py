"""The doctor before a healthy bench, and before one that something is wrong with: faults are put into the world."""

import dataclasses
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import scan_on_bench
from typer.testing import CliRunner

from drivers.bench.install import Bench
from drivers.bench.supply import SimulatedSupply
from drivers.gpio_lines import chip_at, held_lines
from scannerd.config import Config
from scannerd.doctor import command
from scannerd.doctor.account import account
from scannerd.doctor.checklist import CHECKLIST
from scannerd.doctor.checks import camera, configuration, disk, intrinsics, pins, power, serial_ports
from scannerd.doctor.finding import Finding, Verdict, well
from scannerd.doctor.patient import Machine, Patient
from scannerd.doctor.rounds import Check, go_round
from scannerd.doctor.table import has_something_to_do, json_of
from scannerd.settings.file import parse_config, read_leniently
from scannerd.store.lock import StoreLock, lock_holder


@pytest.fixture
def supply(tmp_path: Path) -> SimulatedSupply:
    return SimulatedSupply(tmp_path / "sys")


@pytest.fixture
def on_bench(bench: Bench, supply: SimulatedSupply, tmp_path: Path) -> Patient:
    (tmp_path / "dev").mkdir()
    machine = Machine(dev=tmp_path / "dev", sys=supply.sysfs, simulated=True)
    return Patient(scan_on_bench.bench_config(tmp_path / "store"), machine=machine, clock=bench.clock)


def changed(patient: Patient, section: str, **values: object) -> Patient:
    inner = getattr(patient.config, section).model_copy(update=values)
    return dataclasses.replace(patient, config=patient.config.model_copy(update={section: inner}))


def by_name(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def test_a_healthy_bench_has_no_row_to_act_on_but_the_machine_s_own_clock(on_bench: Patient) -> None:
    rounds = go_round(on_bench, CHECKLIST)
    assert not rounds.hanging
    wrong = [row for row in rounds.findings if row.verdict is Verdict.ACT and row.check != "clock synchronised"]
    assert wrong == []
    found = {row.check: row for row in rounds.findings}
    assert list(found) == [row for check in CHECKLIST for row in check.rows], "each row, in order"
    assert "(imx477), 640x480 px" in found["camera"].seen
    assert found["mat seen"].seen == "36 of 36 corners"
    assert found["pin factory"].seen == "simulated: the bench's own"
    assert found["MQTT broker"].seen == "not checked: [mqtt] enabled = false"
    assert found["supply voltage"].verdict is Verdict.WELL


def test_an_unplugged_camera_and_nothing_else_is_missed(on_bench: Patient, bench: Bench) -> None:
    libcamera = pytest.importorskip("libcamera")
    libcamera.unplug()
    found = by_name(camera.look(on_bench))
    assert found["camera"].verdict is Verdict.ACT
    assert found["camera"].todo
    assert found["mat seen"].verdict is Verdict.NOT_CHECKED


def test_a_camera_that_hangs_holds_up_no_other_check_and_its_rows_say_so(on_bench: Patient) -> None:
    released = threading.Event()

    def hang(_: Patient) -> Iterator[Finding]:
        yield well("first", "there")
        released.wait(120)

    rounds = go_round(
        on_bench, [Check(("first", "second"), 2, hang), Check(configuration.ROWS, 60, configuration.look)]
    )
    assert [(row.check, row.verdict) for row in rounds.findings] == [
        ("first", Verdict.WELL),
        ("second", Verdict.ACT),
        ("settings", Verdict.WELL),
    ]
    assert rounds.findings[1].seen == "no answer in 2 s"
    assert rounds.hanging
    released.set()


def test_a_check_that_fails_is_one_row(on_bench: Patient) -> None:
    def fall(_: Patient) -> Iterator[Finding]:
        raise ZeroDivisionError("by its own fault")
        yield

    rounds = go_round(on_bench, [Check(("one",), 60, fall)])
    assert rounds.findings[0].seen == "ZeroDivisionError: by its own fault"
    assert has_something_to_do(rounds)
    assert json.loads(json_of(rounds))["well"] is False


def test_a_covered_mat_is_seen_to_be_covered(on_bench: Patient, pictures: scan_on_bench.OverheadCamera) -> None:
    pictures.brightness = 0.0
    found = by_name(camera.look(changed(on_bench, "camera", metering="configured")))
    assert found["camera"].verdict is Verdict.WELL
    assert found["mat seen"].verdict is Verdict.ACT
    assert found["mat seen"].seen == "0 of 36 corners"


def test_another_mat_than_the_settings_say(on_bench: Patient) -> None:
    other = changed(on_bench, "mat", columns=15, rows=15, dictionary="DICT_5X5_250")
    assert by_name(camera.look(other))["mat seen"].verdict is Verdict.ACT


def test_a_size_that_the_camera_cannot_do(on_bench: Patient) -> None:
    found = by_name(camera.look(changed(on_bench, "camera", width_px=9248, height_px=6944)))
    assert found["camera"].verdict is Verdict.ACT
    assert "9248x6944" in found["camera"].expected


def test_low_voltage_now_and_before(on_bench: Patient, supply: SimulatedSupply) -> None:
    supply.set_low(True)
    assert by_name(power.look(on_bench))["supply voltage"].seen == "below 4.63 V at this moment"
    supply.set_low(False)
    after = by_name(power.look(on_bench))["supply voltage"]
    assert (after.verdict, after.seen) == (Verdict.ACT, "was below 4.63 V since it was switched on")


def test_a_hot_processor(on_bench: Patient) -> None:
    zone = on_bench.machine.sys / "class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "temp").write_text("84000\n")
    assert by_name(power.look(on_bench))["temperature"].verdict is Verdict.ACT
    (zone / "temp").write_text("51000\n")
    assert by_name(power.look(on_bench))["temperature"].seen == "51 °C"


def test_a_device_that_the_daemon_s_user_may_not_open(on_bench: Patient) -> None:
    chip = on_bench.machine.dev / "gpiochip0"
    chip.touch()
    chip.chmod(0o660)
    nobody = account("nobody")
    assert nobody is not None
    row = by_name(pins.look(dataclasses.replace(on_bench, account=nobody)))["rights to devices"]
    assert row.verdict is Verdict.ACT
    assert f"{chip}: -rw-rw----" in row.seen
    assert row.todo.startswith("sudo usermod -aG ")
    chip.chmod(0o666)
    assert (
        by_name(pins.look(dataclasses.replace(on_bench, account=nobody)))["rights to devices"].verdict is Verdict.WELL
    )
    member = dataclasses.replace(nobody, groups=nobody.groups | {chip.stat().st_gid})
    chip.chmod(0o660)
    assert member.may_use(chip)


def test_a_full_disk_and_a_store_that_is_not_the_daemon_s(on_bench: Patient, tmp_path: Path) -> None:
    reserve_mb = int(shutil.disk_usage(tmp_path).free / 1e6) + 1000
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(0o755)
    nobody = account("nobody")
    assert nobody is not None
    full = dataclasses.replace(changed(on_bench, "store", reserve_mb=min(reserve_mb, 1_000_000)), account=nobody)
    found = by_name(disk.look(full))
    assert found["disk space"].verdict is Verdict.ACT
    assert found["store"].seen == f"{tmp_path / 'store'}: nobody may not write"
    mine = by_name(disk.look(on_bench))
    assert mine["store"].verdict is Verdict.WELL
    assert list((tmp_path / "store").iterdir()) == [], "the probe is gone"


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("36 35 98:0 / {at} rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw", Verdict.WELL),
        ("36 35 98:0 / {at} ro,noatime - ext4 /dev/mmcblk0p2 ro", Verdict.ACT),
        ("36 35 0:44 / {at} rw - tmpfs tmpfs rw", Verdict.ACT),
        ("36 35 0:44 / {at} rw - vfat /dev/sda1 rw", Verdict.ACT),
        ("36 35 0:44 / {at} rw - cifs //nas/scans rw", Verdict.ACT),
    ],
)
def test_kinds_of_file_systems(on_bench: Patient, tmp_path: Path, line: str, verdict: Verdict) -> None:
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    root = "25 1 98:0 / / rw - ext4 /dev/root rw\n"
    (proc / "self/mountinfo").write_text(root + line.format(at=tmp_path) + "\n")
    machine = dataclasses.replace(on_bench.machine, proc=proc)
    row = by_name(disk.look(dataclasses.replace(on_bench, machine=machine)))["file system"]
    assert row.verdict is verdict, row


def test_a_faulty_file_has_one_row_for_each_problem_and_what_is_sound_counts(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[scan]\nviews = 1\n[turntable]\ngear_rato = 3\n[device]\nname = "mine"\n')
    config, problems = read_leniently(file)
    assert config.device.name == "mine"
    rows = list(configuration.look(Patient(config, file, problems)))
    assert [row.verdict for row in rows] == [Verdict.ACT, Verdict.ACT]
    assert "did you mean gear_ratio?" in " ".join(row.seen for row in rows)


def test_a_lens_of_another_size_or_of_long_ago(on_bench: Patient, tmp_path: Path) -> None:
    file = tmp_path / "lens.json"
    file.write_text(json.dumps(lens := {"width_px": 640, "height_px": 480, "fx_px": 900, "fy_px": 900} | CENTRE))
    mine = changed(on_bench, "intrinsics", file=file)
    assert [row.verdict for row in intrinsics.look(mine)] == [Verdict.WELL]
    os.utime(file, (0, 0))
    assert [row.verdict for row in intrinsics.look(mine)] == [Verdict.ACT]
    file.write_text(json.dumps(lens | {"width_px": 1280}))
    assert [row.verdict for row in intrinsics.look(mine)] == [Verdict.ACT]


CENTRE = {"cx_px": 320, "cy_px": 240, "distortion": [0, 0, 0, 0, 0]}


def test_serial_ports_are_named(on_bench: Patient) -> None:
    (on_bench.machine.dev / "ttyUSB0").touch()
    (on_bench.machine.dev / "scanner-turntable").symlink_to("ttyUSB0")
    (row,) = serial_ports.look(on_bench)
    dev = on_bench.machine.dev
    assert row.seen == f"{dev}/scanner-turntable is ttyUSB0, {dev}/ttyUSB0"


def test_who_holds_a_lock_is_told_without_touching_it(tmp_path: Path) -> None:
    assert lock_holder(tmp_path / "lock") is None
    lock = StoreLock(tmp_path / "lock")
    assert lock_holder(tmp_path / "lock") == os.getpid()
    lock.close()
    assert lock_holder(tmp_path / "lock") is None


def test_what_is_no_gpio_chip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").touch()
    with pytest.raises(OSError, match="ioctl"):
        chip_at(tmp_path / "gpiochip0")


@pytest.mark.skipif(not Path("/dev/gpiochip0").exists(), reason="NO GPIO CHIP on this machine: lines are not asked")
def test_lines_of_a_real_chip() -> None:
    chip = chip_at(Path("/dev/gpiochip0"))
    assert chip.lines > 0
    assert {line.pin for line in held_lines(chip, range(chip.lines))} <= set(range(chip.lines))


def test_the_command_tells_by_table_json_and_exit_code(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    settings = f'[store]\nfolder = "{tmp_path}/store"\n[web]\nsocket = "{tmp_path}/none.sock"\n'
    good.write_text(settings)
    bad.write_text(settings + "[scan]\nviews = 1\n")
    told = CliRunner().invoke(command.app, ["--config", str(bad), "--json"])
    assert told.exit_code == 1
    assert json.loads(told.stdout)["findings"][0]["verdict"] == "act"
    shown = CliRunner().invoke(command.app, ["--config", str(good)])
    assert "what to do" in shown.stdout
    assert "not checked" in shown.stdout


def test_defaults_are_no_problem() -> None:
    assert [row.verdict for row in configuration.look(Patient(Config()))] == [Verdict.WELL]
    assert parse_config("") == Config()
