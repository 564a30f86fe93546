"""The bus of a video device, read off the kernel's own way of showing it."""

from pathlib import Path

import pytest

from drivers import v4l2_bus

RPI5 = "devices/platform/axi/1000120000.pcie/1f00200000.usb/xhci-hcd.0"


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(v4l2_bus, "VIDEO_NODES", tmp_path / "class/video4linux")
    return tmp_path


def show(sysfs: Path, node: str, place: str) -> None:
    """The class's entry is a link to a folder below the device, as in a real /sys."""
    own = sysfs / place / "video4linux" / node
    own.mkdir(parents=True)
    (own / "device").symlink_to("../..")
    (sysfs / "class/video4linux").mkdir(parents=True, exist_ok=True)
    (sysfs / "class/video4linux" / node).symlink_to(own)


def test_a_controller_s_two_buses_are_two_and_a_hub_is_none_of_its_own(sysfs: Path) -> None:
    show(sysfs, "video0", f"{RPI5}/usb1/1-1/1-1:1.0")
    show(sysfs, "video2", f"{RPI5}/usb1/1-2/1-2.4/1-2.4:1.0")
    show(sysfs, "video4", f"{RPI5}/usb2/2-1/2-1:1.0")
    assert [v4l2_bus.bus_of(f"/dev/video{number}") for number in (0, 2, 4)] == ["usb1", "usb1", "usb2"]


def test_a_link_to_a_device_is_followed(sysfs: Path, tmp_path: Path) -> None:
    show(sysfs, "video7", f"{RPI5}/usb3/3-1/3-1:1.0")
    (tmp_path / "video7").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "video7")
    assert v4l2_bus.bus_of(str(tmp_path / "by-id")) == "usb3"


def test_what_the_kernel_does_not_show_counts_as_one_bus(sysfs: Path) -> None:
    show(sysfs, "video0", "devices/platform/vivid.0")
    assert v4l2_bus.bus_of("/dev/video0") == v4l2_bus.bus_of("/dev/video99") == v4l2_bus.UNTOLD
