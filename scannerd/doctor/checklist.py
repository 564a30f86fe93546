"""Every check, in the order of the table: what others rest on comes first."""

from scannerd.doctor.checks import (
    broker,
    camera,
    clock,
    configuration,
    daemon,
    disk,
    intrinsics,
    packages,
    pins,
    power,
    serial_ports,
    service,
    units,
)
from scannerd.doctor.rounds import Check

CHECKLIST = (
    Check(configuration.ROWS, 5.0, configuration.look),
    Check(daemon.ROWS, 5.0, daemon.look),
    Check(packages.ROWS, 45.0, packages.look),
    Check(pins.ROWS, 15.0, pins.look),
    # Starting the stream, and metering where the mat is too dark or too bright to be read.
    Check(camera.ROWS, 40.0, camera.look),
    Check(intrinsics.ROWS, 5.0, intrinsics.look),
    Check(serial_ports.ROWS, 5.0, serial_ports.look),
    Check(disk.ROWS, 10.0, disk.look),
    Check(power.ROWS, 5.0, power.look),
    Check(clock.ROWS, 5.0, clock.look),
    Check(broker.ROWS, 12.0, broker.look),
    Check(service.ROWS, 15.0, service.look),
    Check(units.ROWS, 12.0, units.look),
)
