"""A virtual machine with a kernel of its own: booted from a Debian root that is not changed, commands run inside.

Its time is the instructions that it has carried out (QEMU's icount), two nanoseconds each: about a Pi Zero 2 W.
However busy the computer beneath is, nothing in it comes late and no deadline in it runs out; where everybody in it
waits, its clock jumps to the next timer. Hence its disks are memory, read by instructions: real ones would be late.
Its time also jumps, by minutes, between two commands from outside: what waits does so within one command.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

BOOT_LIMIT_S = 600.0
PATIENCE_S = 1800.0
"""What the machine's time may lag behind ours in one command."""
POWER_OFF_LIMIT_S = 5.0
POLL_S = 0.1
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "apt-get": "apt",
    "mke2fs": "e2fsprogs",
    "make": "make",
    "gcc-12": "gcc-12",
}
"""Program → Debian's package."""
PROCESSOR = "Nehalem,+rdrand"
"""The least that our wheels run on. What QEMU 7.2 makes of newer ones' gathering loads crashes numpy's argsort."""
COMMAND_LINE = "console=ttyS0 quiet panic=-1 mitigations=off systemd.show_status=0 systemd.unit=basic.target"


def why_not() -> str | None:
    """Return what keeps this computer from running such a machine; None when nothing does."""
    if os.uname().machine != "x86_64":
        return f"the recipe is for x86_64, not for {os.uname().machine}"
    missing = {tool: package for tool, package in TOOLS.items() if _program(tool) is None}
    if missing:
        return f"no {', '.join(missing)} (apt install {' '.join(missing.values())})"
    return None if os.geteuid() == 0 else "not root, whom debootstrap asks for"


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


class VirtualMachine:
    """A running machine."""

    def __init__(self, port: socket.socket, log: Path) -> None:
        self._port = port
        self._log = log
        self._heard = b""

    def run(self, *command: str, limit_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside; the caller looks at its exit code. `limit_s` is of the machine's time."""
        self._port.sendall(json.dumps({"command": command, "limit_s": limit_s}).encode() + b"\n")
        answer = self.hear(limit_s + PATIENCE_S)
        return subprocess.CompletedProcess(command, answer["code"], answer["out"], answer["err"])

    def output(self, *command: str, limit_s: float = 120.0) -> str:
        """Run a command that must succeed; return what it printed, without the last line break."""
        done = self.run(*command, limit_s=limit_s)
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout.rstrip("\n")

    def shell(self, script: str, limit_s: float = 120.0) -> str:
        """Run a line of shell that must succeed; return what it printed."""
        return self.output("sh", "-ec", script, limit_s=limit_s)

    def hear(self, limit_s: float) -> dict[str, Any]:
        """Return the next thing that the machine says."""
        deadline = time.monotonic() + limit_s
        while b"\n" not in self._heard:
            self._port.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                more = self._port.recv(65536)
            except TimeoutError:
                more = b""
            assert more, (
                f"the machine did not answer in {limit_s:.0f} s; its console:\n{self._log.read_text()[-4000:]}"
            )
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def booted(kernel: Path, disks: tuple[Path, Path], folder: Path) -> Iterator[VirtualMachine]:
    """Boot, yield, pull the plug. `disks` are the root and what is below /srv/project; neither image is changed."""
    log, port = folder / "console.txt", folder / "ear"
    with log.open("w") as said:
        machine = subprocess.Popen(
            _qemu(kernel, disks, port), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        with _connected(port, machine, log) as ear:
            guest = VirtualMachine(ear, log)
            assert guest.hear(BOOT_LIMIT_S) == {"hears": True}
            yield guest
    finally:
        machine.terminate()
        with suppress(subprocess.TimeoutExpired):
            machine.wait(POWER_OFF_LIMIT_S)
        machine.kill()
        machine.wait()


def _qemu(kernel: Path, disks: tuple[Path, Path], port: Path) -> list[str]:
    memory = [
        part
        for number, disk in enumerate(disks)
        for part in (
            "-object", f"memory-backend-file,id=disk{number},mem-path={disk},size={disk.stat().st_size},share=off",
            "-device", f"nvdimm,id=nvdimm{number},memdev=disk{number}",
        )
    ]  # fmt: skip
    # setpriv: the kernel ends it should the test be killed without a chance to clean up.
    return [
        "setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64",
        "-machine", "pc,nvdimm=on", "-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off", "-rtc", "clock=vm",
        "-cpu", PROCESSOR, "-smp", "1", "-m", "1024,slots=2,maxmem=8G", "-nodefaults", "-no-reboot",
        "-display", "none", "-serial", "stdio",
        "-kernel", str(kernel / "vmlinuz"), "-initrd", str(kernel / "initrd"), "-append", COMMAND_LINE,
        *memory,
        "-device", "virtio-serial-pci", "-chardev", f"socket,id=ear,path={port},server=on,wait=off",
        "-device", "virtserialport,chardev=ear,name=ear",
    ]  # fmt: skip


@contextmanager
def _connected(port: Path, machine: subprocess.Popen[bytes], log: Path) -> Iterator[socket.socket]:
    deadline = time.monotonic() + BOOT_LIMIT_S
    with socket.socket(socket.AF_UNIX) as ear:
        while True:
            assert machine.poll() is None, f"qemu ended with {machine.returncode}:\n{log.read_text()}"
            try:
                ear.connect(str(port))
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < deadline, "qemu does not listen"
                time.sleep(POLL_S)
            else:
                break
        yield ear
