"""What can go wrong around the demo and the bench, outside the program: one line for people, no traceback."""

from drivers.bench.reach import HandOutOfReach
from drivers.bench.scene import MeshFileError
from drivers.protocols import DriverError
from scannerd.commands import CommandRefused
from scannerd.demo.aside import AsideFailed
from scannerd.demo.companions import CompanionFailed
from scannerd.store.durable import StoreFault


class DemoFailed(RuntimeError):
    """The demo did not end with a model. The message says where it stopped and why."""


FOR_PEOPLE = (
    AsideFailed,
    CommandRefused,
    CompanionFailed,
    DemoFailed,
    DriverError,
    HandOutOfReach,
    MeshFileError,
    OSError,
    StoreFault,
)


def in_words(error: Exception) -> str:
    """Return one of FOR_PEOPLE as a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}; what was scanned stays"
    return str(error)
