"""One virtual machine for each file of these tests: booting takes time, but one that idles takes most of a core."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from debian_root import debian_root
from guest_disks import PROGRAM, checkout_disk, installed_disk
from guest_kernel import guest_kernel
from machine import refusal
from virtual_machine import VirtualMachine, booted, why_not

TAKE_OVER = f"""
cd /opt/scannerd/lib/python3.11/site-packages
for name in {" ".join(PROGRAM)}; do mount --bind /srv/project/$name $name; done
cp /srv/project/systemd/scannerd* /etc/systemd/system/
cp /srv/project/udev/60-scanner.rules /etc/udev/rules.d/ && udevadm control --reload
ip link set lo up
systemctl mask --runtime scannerd.service
"""
"""This checkout in place of what was installed. A turntable that is plugged in would start the daemon, which has its
own tests."""
PLUG_IN = "import sys; sys.path.insert(0, '/srv/project/tests/support'); import guest_pins; guest_pins.plug_in()"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = why_not()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.vm)
            item.add_marker(pytest.mark.slow)
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"THE VIRTUAL MACHINE DOES NOT RUN HERE: {missing}"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualMachine]:
    """A machine with the header of a Raspberry Pi and the scanner installed; the checkout is /srv/project."""
    if (said := refusal(debian_root())) is not None:
        pytest.skip(f"THE VIRTUAL MACHINE DOES NOT RUN HERE: what it boots is installed by systemd-nspawn: {said}")
    disks = (installed_disk(), checkout_disk(tmp_path_factory.mktemp("disks")))
    with booted(guest_kernel(), disks, tmp_path_factory.mktemp("vm")) as running:
        running.shell(TAKE_OVER)
        running.output("python3", "-c", PLUG_IN)
        yield running
