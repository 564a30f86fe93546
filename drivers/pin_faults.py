"""What gpiozero says of a pin, in the name of the device and of its section in config.toml."""

from collections.abc import Iterator
from contextlib import contextmanager

from gpiozero import GPIOZeroError

from drivers.protocols import DriverError


@contextmanager
def claiming_pin(name: str, section: str | None = None) -> Iterator[None]:
    """Raise DriverError where the pin cannot be had; `section` where it is not called as the device is."""
    try:
        yield
    except GPIOZeroError as error:
        raise DriverError(f"{name}: {error}; check [{section or name}] pin and who else uses GPIO") from error


@contextmanager
def driving_pin(name: str) -> Iterator[None]:
    """Raise DriverError where the pin was lost."""
    try:
        yield
    except GPIOZeroError as error:
        raise DriverError(f"{name}: {error}; restart the daemon to claim the pin again") from error
