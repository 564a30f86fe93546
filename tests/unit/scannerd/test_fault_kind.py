"""Every class of fault has one kind, said by the class and never read from a message."""

import contextlib
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import drivers
import scannerd
from drivers.hardware_fault import HardwareFault
from drivers.protocols import AxisNotHomed, CameraTimeout, CameraUnusable, DriverError
from scannerd.fault_kind import FaultKind, fault_kind_of
from scannerd.scan.platter_finder import MatUnseen
from scannerd.scan.viewpoint_fault import ViewpointFault
from scannerd.store.durable import StoreFault, StoreFull
from scannerd.store.journal import JournalBroken

NOT_LOADED = ("__main__", ".site")


def _load_everything() -> None:
    """Subclasses are only known once their modules are."""
    for package in (drivers, scannerd):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(NOT_LOADED):
                # What needs libcamera loads only on a Pi or a bench, and has no faults of its own.
                with contextlib.suppress(ModuleNotFoundError):
                    importlib.import_module(module.name)


def _classes(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for subclass in root.__subclasses__():
        yield from _classes(subclass)


def test_every_fault_of_hardware_and_store_has_a_kind() -> None:
    _load_everything()
    found = [*_classes(DriverError), *_classes(StoreFault)]
    assert len(found) > 10
    for kind in found:
        assert fault_kind_of(kind("anything")) is not FaultKind.INSIDE, kind


def test_the_daemon_knows_every_kind_that_drivers_know() -> None:
    assert {kind.value for kind in HardwareFault} <= {kind.value for kind in FaultKind}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CameraTimeout("late"), FaultKind.CAMERA_SILENT),
        (CameraUnusable("none"), FaultKind.CAMERA_UNUSABLE),
        (AxisNotHomed("where"), FaultKind.POSITION_LOST),
        (MatUnseen("hidden"), FaultKind.MAT_LOST),
        (DriverError("pins"), FaultKind.HARDWARE),
        (StoreFull("full"), FaultKind.DISK_FULL),
        (StoreFault("card"), FaultKind.DISK_FAULT),
        (JournalBroken("line 3"), FaultKind.STORE_DAMAGED),
        (ViewpointFault("frame 7: late", FaultKind.CAMERA_SILENT), FaultKind.CAMERA_SILENT),
        (ZeroDivisionError("oops"), FaultKind.INSIDE),
    ],
)
def test_the_class_says_the_kind(error: Exception, kind: FaultKind) -> None:
    assert fault_kind_of(error) is kind
