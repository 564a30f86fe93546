"""The rules, judged by the real udevadm on USB devices that umockdev puts into its /sys.

`udevadm verify` came with systemd 254 and is used where there is one; `udevadm test` names every line it cannot read.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

RULES = Path(__file__).resolve().parents[2] / "udev" / "60-scanner.rules"
MISSING = [tool for tool in ("udevadm", "umockdev-run", "unshare") if shutil.which(tool) is None]
USB = "/devices/pci0000:00/0000:00:14.0/usb1"
OWN_RULE = """SUBSYSTEM=="tty", ATTRS{serial}=="PRINTER", ENV{SCANNER_TURNTABLE}="0"
SUBSYSTEM=="tty", ATTRS{idVendor}=="dead", ENV{SCANNER_TURNTABLE}="1"
"""
GROUPS = "root:x:0:\ntty:x:5:\ndialout:x:20:\nvideo:x:44:\ngpio:x:997:\nspi:x:996:\n"
# Its own mounts: udevadm reads rules from /run, keeps its database there and makes links in /dev. The machine's stay.
IN_ITS_OWN_RUN = (
    "mount -t tmpfs none /dev && mknod -m 0666 /dev/null c 1 3 && mkdir /dev/pts && "
    "mount -t devpts -o ptmxmode=0666 none /dev/pts && ln -s pts/ptmx /dev/ptmx && "
    'mount -t tmpfs none /run && mkdir -p /run/udev/rules.d && cp "$1"/* /run/udev/rules.d/ && '
    'mount --bind "$1/../group" /etc/group && '
    'exec umockdev-run --device "$2" -- udevadm test --action=add "$3"'
)

pytestmark = [
    pytest.mark.skipif(
        bool(MISSING), reason=f"NO {', '.join(MISSING)}: rules are not tested (apt install umockdev udev)"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: the rules are not tested, mounts of its own are needed"),
]


@dataclass(frozen=True)
class Port:
    """A serial port over USB, as the kernel shows it."""

    vendor: str
    product: str
    serial: str | None = None
    socket: int = 2
    name: str = "ttyUSB0"

    @property
    def path(self) -> str:
        return f"{USB}/1-{self.socket}/1-{self.socket}:1.0/{self.name}/tty/{self.name}"

    def description(self) -> str:
        interface = f"{USB}/1-{self.socket}/1-{self.socket}:1.0"
        serial = f"A: serial={self.serial}\n" if self.serial else ""
        return (
            f"P: {self.path}\nN: {self.name}\nE: DEVNAME=/dev/{self.name}\nE: MAJOR=188\nE: MINOR=0\n"
            f"E: SUBSYSTEM=tty\nA: dev=188:0\n\n"
            f"P: {interface}/{self.name}\nE: SUBSYSTEM=usb-serial\nA: port_number=0\n\n"
            f"P: {interface}\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_interface\nA: bInterfaceNumber=00\n"
            f"A: bInterfaceClass=ff\nA: bInterfaceSubClass=01\n\n"
            f"P: {USB}/1-{self.socket}\nN: bus/usb/001/00{self.socket}\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\n"
            f"E: DEVNAME=/dev/bus/usb/001/00{self.socket}\nA: idVendor={self.vendor}\nA: idProduct={self.product}\n"
            f"A: manufacturer=Maker\nA: product=Board\n{serial}A: bcdDevice=0264\nA: dev=189:{self.socket}\n"
            f"A: busnum=1\nA: devnum={self.socket}\n\n"
            f"P: {USB}\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\n\n"
            f"P: /devices/pci0000:00/0000:00:14.0\nE: SUBSYSTEM=pci\n\n"
        )


@dataclass(frozen=True)
class Verdict:
    """What udev would do with a device."""

    output: str
    properties: dict[str, str]

    @property
    def links(self) -> set[str]:
        return set(self.properties.get("DEVLINKS", "").split())

    @property
    def mode(self) -> str | None:
        found = re.findall(r"60-scanner\.rules:\d+ MODE (\d+)", self.output)
        return found[-1] if found else None


def judged(folder: Path, description: str, path: str, own_rule: str = "") -> Verdict:
    rules = folder / "rules"
    rules.mkdir()
    shutil.copy(RULES, rules)
    (rules / "59-own.rules").write_text(own_rule)
    (folder / "group").write_text(GROUPS)
    device = folder / "device.umockdev"
    device.write_text(description)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", IN_ITS_OWN_RUN, "sh", str(rules), str(device), f"/sys{path}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    properties = dict(line.split("=", 1) for line in done.stdout.splitlines() if re.match(r"[.\w]+=", line))
    return Verdict(done.stdout + done.stderr, properties)


def judged_port(folder: Path, port: Port, own_rule: str = "") -> Verdict:
    return judged(folder, port.description(), port.path, own_rule)


def test_udevadm_understands_every_line(tmp_path: Path) -> None:
    output = judged_port(tmp_path, Port("1a86", "7523")).output
    assert [line for line in output.splitlines() if re.match(r"/run\S*60-scanner\.rules:\d+", line)] == []
    verify = subprocess.run(["udevadm", "verify", str(RULES)], capture_output=True, text=True, timeout=60)
    if "Unknown command" in verify.stderr:
        print("NO udevadm verify BEFORE SYSTEMD 254: the rules were read by udevadm test alone")
    else:
        assert verify.returncode == 0, verify.stdout + verify.stderr


@pytest.mark.parametrize(
    ("vendor", "product"),
    [
        ("1a86", "7523"),
        ("1a86", "55d4"),
        ("10c4", "ea60"),
        ("0403", "6001"),
        ("067b", "2303"),
        ("2341", "0043"),
        ("2a03", "0043"),
        ("16c0", "0483"),
        ("0483", "5740"),
        ("2e8a", "000a"),
        ("303a", "1001"),
        ("1d50", "6015"),
    ],
)
def test_a_board_that_speaks_grbl_is_the_turntable_and_wants_the_daemon(
    tmp_path: Path, vendor: str, product: str
) -> None:
    verdict = judged_port(tmp_path, Port(vendor, product, serial="A50285BI"))
    assert {"/dev/scanner-turntable", "/dev/scanner-turntable-by-id/Maker_Board_A50285BI"} <= verdict.links
    assert verdict.properties["SYSTEMD_WANTS"] == "scannerd.service"
    assert ":systemd:" in verdict.properties["TAGS"]
    assert verdict.properties["ID_MM_DEVICE_IGNORE"] == "1"
    assert verdict.mode == "0660"


def test_two_equal_boards_without_serial_numbers_keep_names_apart_by_socket(tmp_path: Path) -> None:
    links = []
    for socket in (2, 3):
        folder = tmp_path / str(socket)
        folder.mkdir()
        links.append(judged_port(folder, Port("1a86", "7523", socket=socket)).links)
    by_path = [{link for link in some if link.startswith("/dev/scanner-turntable-by-path/")} for some in links]
    assert all(by_path), links
    assert not by_path[0] & by_path[1]


def test_other_serial_devices_are_left_alone(tmp_path: Path) -> None:
    verdict = judged_port(tmp_path, Port("1366", "0105"))
    assert not any("scanner" in link for link in verdict.links)
    assert "SYSTEMD_WANTS" not in verdict.properties


@pytest.mark.parametrize(
    ("port", "is_turntable"),
    [(Port("1a86", "7523", serial="PRINTER"), False), (Port("dead", "0001"), True)],
    ids=["a printer with a turntable's chip", "a turntable with an unknown chip"],
)
def test_a_rule_of_ones_own_has_the_last_word(tmp_path: Path, port: Port, is_turntable: bool) -> None:
    verdict = judged_port(tmp_path, port, OWN_RULE)
    assert ("/dev/scanner-turntable" in verdict.links) is is_turntable
    assert ("SYSTEMD_WANTS" in verdict.properties) is is_turntable


@pytest.mark.parametrize("tells", ['ATTRS{serial}=="LIFT"', 'KERNELS=="1-2"'], ids=["serial number", "socket"])
def test_the_lifts_board_is_the_one_that_a_rule_names_and_no_turntable(tmp_path: Path, tells: str) -> None:
    verdict = judged_port(
        tmp_path, Port("1a86", "7523", serial="LIFT"), f'SUBSYSTEM=="tty", {tells}, ENV{{SCANNER_LIFT}}="1"\n'
    )
    assert {"/dev/scanner-lift", "/dev/scanner-lift-by-id/Maker_Board_LIFT"} <= verdict.links
    assert not any("scanner-turntable" in link for link in verdict.links)
    assert verdict.properties["SYSTEMD_WANTS"] == "scannerd.service"
    assert verdict.properties["ID_MM_DEVICE_IGNORE"] == "1"
    assert verdict.mode == "0660"


def test_a_usb_camera_has_a_stable_name_and_its_second_node_none(tmp_path: Path) -> None:
    usb = Port("046d", "0825", serial="CAM1", name="none").description().split("P: ")
    parents = "".join(f"P: {block}" for block in usb if block and "/none" not in block.split("\n")[0])
    for index in (0, 1):
        path = f"{USB}/1-2/1-2:1.0/video4linux/video{index}"
        node = (
            f"P: {path}\nN: video{index}\nE: DEVNAME=/dev/video{index}\nE: MAJOR=81\nE: MINOR={index}\n"
            f"E: SUBSYSTEM=video4linux\nA: index={index}\nA: dev=81:{index}\n\n"
        )
        folder = tmp_path / str(index)
        folder.mkdir()
        verdict = judged(folder, node + parents, path)
        named = {link for link in verdict.links if "scanner-camera" in link}
        wanted = {"/dev/scanner-camera", "/dev/scanner-camera-by-id/Maker_Board_CAM1"}
        assert named == (wanted if index == 0 else set())
        assert verdict.mode == "0660"


@pytest.mark.parametrize(
    ("subsystem", "name", "group_number"),
    [("dma_heap", "linux,cma", 44), ("media", "media0", 44), ("gpio", "gpiochip0", 997)],
)
def test_the_cameras_and_motors_devices_belong_to_their_group(
    tmp_path: Path, subsystem: str, name: str, group_number: int
) -> None:
    path = f"/devices/platform/soc/{name}"
    node = (
        f"P: {path}\nN: {name}\nE: DEVNAME=/dev/{name}\nE: MAJOR=254\nE: MINOR=0\nE: SUBSYSTEM={subsystem}\n"
        f"A: dev=254:0\n\n"
    )
    verdict = judged(tmp_path, node, path)
    assert re.search(rf"60-scanner\.rules:\d+ GROUP {group_number}\b", verdict.output), verdict.output
    assert verdict.mode == "0660"
