"""Whether the camera is there and does what [camera] says, and whether it sees the mat.

It is opened here only while no daemon has it; else the daemon's own viewfinder is looked at.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import cv2
import numpy as np

from drivers.clock import SystemClock
from drivers.picture import Plane
from drivers.protocols import Camera, CameraDescription, DriverError, Window
from drivers.registry import MissingLibrary
from offload.wire.bundle import MatSpec
from scannerd.control.terminal.client import DaemonSocket, NoDaemon, NotDone
from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import Patient, Running
from scannerd.hardware import build_camera
from scannerd.quality.mat_reading import MatReader

CAMERA, MAT = ROWS = ("camera", "mat seen")

MIDDLE = Window(0.25, 0.25, 0.5, 0.5)
LEAST_SHARE = 0.25
"""Of the mat's corners: with fewer in sight no photo tells where the platter stands once an object is on it."""


def look(patient: Patient) -> Iterator[Finding]:
    """Two rows, the camera's as soon as it is known."""
    if patient.running is not None:
        yield from _through_daemon(patient, patient.running)
        return
    with asyncio.Runner() as runner:
        looking = _here(patient)
        while (finding := runner.run(_next(looking))) is not None:
            yield finding
        runner.run(looking.aclose())


async def _next(findings: AsyncGenerator[Finding, None]) -> Finding | None:
    return await anext(findings, None)


async def _here(patient: Patient) -> AsyncGenerator[Finding, None]:
    wanted = _size_wanted(patient)
    try:
        async with _opened(patient) as camera:
            facts = camera.description
            yield _camera_row(facts, wanted)
            yield await _mat_row(camera, patient)
    except MissingLibrary as missing:
        if patient.machine.kind is None:
            yield not_checked(CAMERA, f"{patient.in_words}: {missing}")
        else:
            yield act(CAMERA, "its library is not installed", wanted, str(missing))
        yield not_checked(MAT, "no camera")
    except DriverError as fault:
        seen, _, todo = str(fault).partition("; ")
        yield act(CAMERA, seen, wanted, todo or "check the ribbon cable and [camera]")
        yield not_checked(MAT, "no camera")
    for number in range(1, len(patient.config.every_camera)):
        yield await _other_row(patient, number)


async def _other_row(patient: Patient, number: int) -> Finding:
    """Whether a further camera is there, too."""
    name, wanted = patient.config.camera_names[number], _size_wanted(patient, number)
    try:
        async with _opened(patient, number) as camera:
            row = _camera_row(camera.description, wanted)
            return replace(row, seen=f"{name}: {row.seen}")
    except MissingLibrary as missing:
        return act(CAMERA, f"{name}: its library is not installed", wanted, str(missing))
    except DriverError as fault:
        seen, _, todo = str(fault).partition("; ")
        return act(CAMERA, f"{name}: {seen}", wanted, todo or f"check the cable of camera {name} and its [[cameras]]")


@asynccontextmanager
async def _opened(patient: Patient, number: int = 0) -> AsyncIterator[Camera]:
    camera = build_camera(patient.config, number, patient.clock or SystemClock())
    try:
        await camera.open()
        yield camera
    finally:
        await camera.close()


def _camera_row(facts: CameraDescription, wanted: str) -> Finding:
    seen = f"{facts.make} {facts.model}, {facts.width_px}x{facts.height_px} px, focal length "
    return well(CAMERA, f"{seen}{facts.focal_length_mm:g} mm", wanted)


async def _mat_row(camera: Camera, patient: Patient) -> Finding:
    mat = patient.config.mat.spec()
    if mat is None:
        return not_checked(MAT, "[mat] used = false")
    reader = MatReader(mat)
    seen = _corners(reader, *await _picture(camera))
    if seen < LEAST_SHARE * _all_corners(mat) and patient.config.camera.metering == "once":
        # As a scan begins, too: the settings' exposure may be far from this room's light.
        await camera.meter(MIDDLE)
        seen = _corners(reader, *await _picture(camera))
    return _judged(seen, mat)


async def _picture(camera: Camera) -> tuple[Plane, Plane]:
    frame = await camera.capture()
    return frame.photo.y, frame.small.y


def _through_daemon(patient: Patient, running: Running) -> Iterator[Finding]:
    if running.device is None:
        yield not_checked(CAMERA, "the daemon that runs has it and cannot be asked")
        yield not_checked(MAT, "the daemon that runs has the camera")
        return
    seen = f"{running.device['camera']}, as the daemon says"
    yield well(CAMERA, seen, _size_wanted(patient))
    mat, socket = patient.config.mat.spec(), patient.config.web.socket
    if mat is None or socket is None:
        yield not_checked(MAT, "[mat] used = false")
        return
    try:
        with DaemonSocket(socket) as daemon:
            jpeg = daemon.picture("preview.jpg")
    except (NoDaemon, NotDone, json.JSONDecodeError) as reason:
        yield not_checked(MAT, f"the daemon shows no picture now: {reason}")
        return
    grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    brightness = np.asarray(grey, np.uint8)
    yield _judged(_corners(MatReader(mat), brightness, brightness), mat)


def _corners(reader: MatReader, photo: Plane, small: Plane) -> int:
    reading = reader.read(photo, small)
    return 0 if reading is None else len(reading.numbers)


def _judged(seen: int, mat: MatSpec) -> Finding:
    in_all = _all_corners(mat)
    told, expected = f"{seen} of {in_all} corners", f"at least {round(LEAST_SHARE * in_all)}; all of the empty mat"
    if seen >= LEAST_SHARE * in_all:
        return well(MAT, told, expected)
    return act(
        MAT,
        told,
        expected,
        "uncover and light the mat, aim the camera at it, and compare [mat] with what was printed",
    )


def _all_corners(mat: MatSpec) -> int:
    return (mat.columns - 1) * (mat.rows - 1)


def _size_wanted(patient: Patient, number: int = 0) -> str:
    camera = patient.config.every_camera[number]
    return f"{camera.driver}, {camera.width_px}x{camera.height_px} px"
