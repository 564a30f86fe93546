"""Other settings while the daemon runs, on the bench: what is truly photographed and how the platter truly turns."""

import asyncio
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gpiozero import DigitalOutputDevice
from scan_on_bench import OverheadCamera, bench_config

from drivers.bench.install import Bench
from drivers.protocols import Axis
from scannerd.app import Daemon
from scannerd.commands import Cancel, Jog, Pause, Resume, StartScan
from scannerd.config import SECTIONS, Config
from scannerd.event_bus import Subscription
from scannerd.events import ConfigRejected, ConfigTaken, Event, FrameStored, Outcome, ScanEnded, ScanPaused
from scannerd.hardware import build_hardware
from scannerd.settings.desk import ConfigRefused
from scannerd.settings.file import ConfigFaults
from scannerd.store.durable import StoreFault
from scannerd.store.layout import StoreLayout
from scannerd.work.hardware_exchange import HardwareLost


def changed(config: Config, section: str, **keys: Any) -> Config:
    return config.model_copy(update={section: getattr(config, section).model_copy(update=keys)})


def daemon_on(config: Config, bench: Bench, file: Path | None = None) -> Daemon:
    return Daemon(config, build_hardware(config, bench.clock), config_file=file)


async def until(events: Subscription, kind: type[Event]) -> Any:
    async with asyncio.timeout(60):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError(f"the daemon went down before a {kind.__name__}")


async def test_quality_acts_between_two_photos_of_a_running_scan(
    bench: Bench, pictures: OverheadCamera, tmp_path: Path
) -> None:
    pictures.brightness = 1.5
    config = bench_config(tmp_path, 30, "max_clipped_fraction = 1.0")
    async with daemon_on(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored)
        taken = await daemon.reload(changed(config, "quality", max_clipped_fraction=0.01))
        assert taken == ConfigTaken(("[quality] max_clipped_fraction",))
        paused = await until(events, ScanPaused)
        assert "is blown out, limit 1%" in paused.question
        await daemon.submit(Cancel())
        await until(events, ScanEnded)


async def test_the_plan_of_a_running_scan_stays_and_the_next_one_is_new(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    async with daemon_on(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await daemon.reload(changed(changed(config, "scan", views=3), "device", name="by the window"))
        assert (await until(events, ScanEnded)).frames_planned == 4
        await daemon.submit(StartScan("mug"))
        assert (await until(events, ScanEnded)).frames_planned == 3
        assert daemon.store.plan("mug").device == "by the window"


async def test_devices_are_not_exchanged_while_a_scan_has_them(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=30)
    async with daemon_on(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await daemon.submit(Pause())
        new = changed(changed(config, "camera", exposure_us=10_000), "quality", ask_a_person=False)
        with pytest.raises(ConfigRefused) as refusal:
            await daemon.reload(new)
        assert "[camera] exposure_us: scan cup is" in str(refusal.value)
        assert "change them after its end" in str(refusal.value)
        assert daemon.config == config, "the old settings stay as a whole"
        assert (await until(events, ConfigRejected)).problems == (str(refusal.value),)
        await daemon.submit(Cancel())
        await daemon.submit(Resume())
        await until(events, ScanEnded)
        await daemon.reload(new)
        assert daemon.config == new


async def test_an_idle_table_gets_its_devices_anew(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with daemon_on(config, bench) as daemon:
        await daemon.submit(Jog(40.0))
        assert bench.angle_deg == pytest.approx(40, abs=1)
        new = changed(changed(config, "turntable", invert=True), "camera", exposure_us=9_000)
        assert len((await daemon.reload(new)).changed) == 2
        await daemon.submit(Jog(40.0))
        assert bench.angle_deg == pytest.approx(0, abs=1), "the platter now turns the other way"
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        assert (await until(events, ScanEnded)).outcome is Outcome.COMPLETED
        assert daemon.store.plan("cup").exposure_us == 9_000
        assert StoreLayout(tmp_path).scan("cup").manifest.exists()
    assert not bench.board.enabled


async def test_the_new_button_is_heard_and_the_old_one_is_not(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with daemon_on(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.reload(changed(config, "button", debounce_s=0.01))
        await asyncio.to_thread(bench.finger.press, 0.05)
        assert (await until(events, ScanEnded)).outcome is Outcome.COMPLETED
        assert len(daemon.store.scan_ids()) == 1, "one press is one scan"
        await daemon.reload(changed(config, "button", driver="none"))
        await asyncio.to_thread(bench.finger.press, 0.05)
        await daemon.reload(changed(config, "button", debounce_s=0.03))
        assert len(daemon.store.scan_ids()) == 1


async def test_devices_that_cannot_be_had_leave_the_old_ones_at_work(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with daemon_on(config, bench) as daemon:
        too_large = changed(changed(config, "camera", width_px=9000, height_px=6000), "turntable", invert=True)
        with pytest.raises(ConfigRefused) as refusal:
            await daemon.reload(too_large)
        assert "imx477" in str(refusal.value)
        assert "the old settings stay" in str(refusal.value)
        assert daemon.config == config
        await daemon.submit(Jog(40.0))
        assert bench.angle_deg == pytest.approx(40, abs=1)
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        assert (await until(events, ScanEnded)).outcome is Outcome.COMPLETED


class StolenAxis:
    """`Axis` whose STEP pin another program takes as soon as it is free."""

    def __init__(self, axis: Axis) -> None:
        self._axis = axis
        self.thief: DigitalOutputDevice | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._axis, name)

    async def close(self) -> None:
        await self._axis.close()
        self.thief = self.thief or DigitalOutputDevice(17)


async def test_a_device_that_is_lost_for_good_ends_the_daemon(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    sound = build_hardware(config, bench.clock)
    axis = StolenAxis(sound.axis)
    daemon = Daemon(config, replace(sound, axis=axis))

    async def live() -> None:
        async with daemon, asyncio.timeout(60):
            with pytest.raises(HardwareLost, match="GPIO17"):
                await daemon.reload(changed(config, "turntable", invert=True))
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as fallen:
        await live()
    assert fallen.group_contains(HardwareLost), "systemd starts it again, and again, until the pin is free"
    axis.thief.close()


async def test_what_needs_a_restart_is_taken_then_and_said_now(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with daemon_on(config, bench) as daemon:
        new = changed(changed(config, "web", port=9999), "scan", views=5)
        taken = await daemon.reload(new)
        assert (taken.changed, taken.restart) == (("[web] port", "[scan] views"), ("[web] port",))
        assert (daemon.config.web.port, daemon.config.scan.views) == (8740, 5)
        assert (await daemon.reload(daemon.config)).changed == ()


def written(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(f'# ours\n[store]\nfolder = "{tmp_path}"\n[camera]\nwidth_px = 640\nheight_px = 480\n')
    file.chmod(0o640)
    return file


async def test_the_file_is_read_again_and_a_bad_one_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    file = written(tmp_path)
    config = bench_config(tmp_path)
    async with daemon_on(config, bench, file) as daemon:
        await daemon.settings.reload_file()
        in_force = daemon.config
        assert in_force.mat.columns == 15
        file.write_text("[scan]\nviews = 2\nsetle_s = 1\n")
        events = daemon.events.subscribe()
        with pytest.raises(ConfigFaults):
            await daemon.settings.reload_file()
        assert len((await until(events, ConfigRejected)).problems) == 2
        assert daemon.config == in_force


async def test_a_change_is_in_the_file_and_in_force_or_neither(bench: Bench, tmp_path: Path) -> None:
    file = written(tmp_path)
    async with daemon_on(bench_config(tmp_path), bench, file) as daemon:
        taken = await daemon.settings.change({"scan": {"views": 5}})
        assert "[scan] views" in taken.changed
        assert daemon.config.scan.views == 5
        assert file.read_text().startswith("# ours\n[store]")
        assert file.read_text().endswith("[scan]\nviews = 5\n")
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        before = file.read_text()
        with pytest.raises(ConfigFaults, match="views = 1"):
            await daemon.settings.change({"scan": {"views": 1}})
        await daemon.submit(StartScan("cup"))
        with pytest.raises(ConfigRefused, match="exposure_us"):
            await daemon.settings.change({"camera": {"exposure_us": 500}})
        assert file.read_text() == before
        sections = {section.name: section for section in await daemon.settings.sections()}
        assert next(key.value for key in sections["scan"].keys if key.name == "views") == 5


async def test_a_file_that_cannot_be_written_takes_the_change_back(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with daemon_on(config, bench, tmp_path / "gone" / "config.toml") as daemon:
        with pytest.raises(StoreFault):
            await daemon.settings.change({"scan": {"views": 5}})
        assert daemon.config == config


async def test_defaults_without_a_file_cannot_be_changed(bench: Bench, tmp_path: Path) -> None:
    async with daemon_on(bench_config(tmp_path), bench) as daemon:
        with pytest.raises(ConfigRefused, match="start it with --config"):
            await daemon.settings.change({"scan": {"views": 5}})
        assert {section.name for section in await daemon.settings.sections()} == set(SECTIONS)
