"""What a virtual machine boots: Debian's own kernel, and gpio-sim, which that kernel leaves out; kept between runs.

The packages are downloaded and unpacked, never installed. gpio-sim is built from the kernel's own source beside the
headers of the very same version: a simulated chip under the real /dev/gpiochip0.
"""

import re
import shutil
import tempfile
from pathlib import Path

from debian_root import checked, kept

IMAGE = "linux-image-amd64"
SERIES = "6.1"
"""Of bookworm's kernel; its source package has it in its name."""
SOURCES = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "kernel/irq/irq_sim.c")
MAKEFILE = "obj-m := gpio_simulated.o\ngpio_simulated-objs := gpio-sim.o irq_sim.o\n"
NOT_EXPORTED = "handle_simple_irq(irq_to_desc(irqnum))"
"""Modules cannot call irq_to_desc; the call beside it does the same for them."""
EXPORTED = "generic_handle_irq(irqnum)"
MODULES = (
    "virtio_pci", "nfit", "nd_pmem", "crc32c_generic", "ext4", "virtio_console", "gpio_simulated", "configfs",
    "dummy_hcd", "g_serial", "usb_f_acm", "cdc-acm", "softdog", "vivid",
)  # fmt: skip
"""The machine has these and what they need; everything else of the kernel package stays outside."""
INIT = """#!/bin/busybox sh
set -e
busybox mount -t proc none /proc
busybox mount -t sysfs none /sys
busybox mount -t devtmpfs none /dev
for module in virtio_pci nfit nd_pmem crc32c_generic ext4; do busybox modprobe $module; done
until test -b /dev/pmem0 && test -b /dev/pmem1; do busybox sleep 0.1; done
busybox mount -t ext4 -o noatime /dev/pmem0 /machine
busybox mkdir -p /machine/srv/project
busybox mount -t ext4 -o noatime /dev/pmem1 /machine/srv/project
busybox cp -r /lib/modules /machine/usr/lib/
busybox chroot /machine /sbin/depmod
busybox cp /ear.service /machine/etc/systemd/system/
busybox mkdir -p /machine/etc/systemd/system/sysinit.target.wants
busybox ln -s ../ear.service /machine/etc/systemd/system/sysinit.target.wants/
busybox umount /proc /sys
exec busybox switch_root /machine /sbin/init
"""
EAR = """[Unit]
DefaultDependencies=no
After=systemd-udevd.service systemd-udev-trigger.service
[Service]
Environment=PATH=/opt/scannerd/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=LANG=C.UTF-8 HOME=/root PYTHONUNBUFFERED=1
ExecStartPre=/sbin/modprobe virtio_console
ExecStartPre=/bin/sh -c "until test -e /dev/virtio-ports/ear; do sleep 0.1; done"
TimeoutStartSec=infinity
ExecStart=/usr/bin/python3 /srv/project/tests/support/guest_ear.py
OOMScoreAdjust=-900
"""
DOWNLOAD_LIMIT_S = 600
BUILD_LIMIT_S = 900


def guest_kernel() -> Path:
    """Return a folder with `vmlinuz` and `initrd`, made unless it is there for the version that apt has now."""
    release, versions = _release()
    made_from = (release, *versions, MAKEFILE, *MODULES, INIT, EAR)
    return kept("vm-kernel", made_from, lambda folder: _make(folder, release))


def _release() -> tuple[str, list[str]]:
    """Return the kernel's release (6.1.0-56-amd64) and what apt would download of it."""
    depends = checked(["apt-cache", "depends", IMAGE], BUILD_LIMIT_S).stdout
    found = re.search(r"Depends: linux-image-(\S+)", depends)
    assert found, f"apt knows no {IMAGE}: apt-get update first\n{depends}"
    policies = checked(
        ["apt-cache", "policy", f"linux-image-{found[1]}", f"linux-source-{SERIES}"], BUILD_LIMIT_S
    ).stdout
    return found[1], re.findall(r"Candidate: (\S+)", policies)


def _make(folder: Path, release: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        work = Path(scratch)
        _unpack(work, release)
        modules = work / "lib" / "modules" / release
        shutil.copy(_built(work, release), modules / "kernel")
        shutil.copy(work / "boot" / f"vmlinuz-{release}", folder / "vmlinuz")
        _depmod(work, release)
        _pack_initrd(work, modules, folder / "initrd")


def _unpack(work: Path, release: str) -> None:
    """Unpack the kernel, its headers and its source's archive under `work`."""
    headers = f"linux-headers-{release}"
    depends = checked(["apt-cache", "depends", headers], BUILD_LIMIT_S).stdout
    packages = [f"linux-image-{release}", headers, f"linux-source-{SERIES}", *re.findall(r"Depends: (\S+)", depends)]
    downloaded = work / "packages"
    downloaded.mkdir()
    checked(["apt-get", "download", "-qq", *packages], DOWNLOAD_LIMIT_S, folder=downloaded)
    for package in downloaded.iterdir():
        checked(["dpkg-deb", "-x", str(package), str(work)], BUILD_LIMIT_S)


def _built(work: Path, release: str) -> Path:
    """Build gpio-sim with the interrupts it simulates as one module."""
    source, build = work / "usr" / "src", work / "gpio-sim"
    build.mkdir()
    (build / "Makefile").write_text(MAKEFILE)
    wanted = [f"linux-source-{SERIES}/{path}" for path in SOURCES]
    archive = source / f"linux-source-{SERIES}.tar.xz"
    extract = ["tar", "-xJf", str(archive), "-C", str(build), "--occurrence=1", "--transform=s,.*/,,"]
    checked([*extract, *wanted], BUILD_LIMIT_S)
    interrupts = build / "irq_sim.c"
    text = interrupts.read_text()
    assert NOT_EXPORTED in text, (
        f"irq_sim.c of {release} does not call irq_to_desc any more: does it build unpatched?"
    )
    interrupts.write_text(text.replace(NOT_EXPORTED, EXPORTED))
    headers = source / f"linux-headers-{release}"
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src", str(source)))
    checked(["make", "-C", str(headers), f"M={build}", "modules"], BUILD_LIMIT_S)
    return build / "gpio_simulated.ko"


def _depmod(base: Path, release: str) -> None:
    checked(["busybox", "depmod", "-b", str(base), release], BUILD_LIMIT_S)


def _pack_initrd(work: Path, modules: Path, target: Path) -> None:
    root = work / "initrd"
    for name in ("proc", "sys", "dev", "machine", "bin"):
        (root / name).mkdir(parents=True)
    kept = root / "lib" / "modules" / modules.name
    for path in _with_needs(modules):
        (kept / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(modules / path, kept / path)
    for name in ("modules.builtin", "modules.order"):
        shutil.copy(modules / name, kept)
    _depmod(root, modules.name)
    shutil.copy(shutil.which("busybox") or "busybox", root / "bin" / "busybox")
    (root / "ear.service").write_text(EAR)
    init = root / "init"
    init.write_text(INIT)
    init.chmod(0o755)
    pack = f"cd '{root}' && find . | busybox cpio -o -H newc | gzip -1 >'{target}'"
    checked(["sh", "-ec", pack], BUILD_LIMIT_S)


def _with_needs(modules: Path) -> set[str]:
    """Return the paths of `MODULES` and of everything they need, as depmod found it."""
    needs: dict[str, list[str]] = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, needed = line.partition(":")
        needs[path] = needed.split()
    by_name = {Path(path).name.split(".")[0].replace("_", "-"): path for path in needs}
    found: set[str] = set()
    waiting = [by_name[name.replace("_", "-")] for name in MODULES]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += needs[path]
    return found
