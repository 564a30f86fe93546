"""The stand-in for libcamera, judged through the picamera2 that is installed."""

import ast
import importlib
import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero import Device

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench

STANDINS = ("libcamera", "pykms", "prctl")
EXPLAINED = {
    "libcamera.FrameBufferAllocator": "only LibcameraAllocator uses it, which picamera2 itself calls legacy",
    "libcamera.controls.get": "picamera2.py: a local dictionary that has the name of the imported module",
}
REPOSITORY = Path(__file__).resolve().parents[2]


def names_used(source: str) -> set[str]:
    """Return every dotted name that a module takes from one of the stand-ins."""
    tree = ast.parse(source)
    local_names, used = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            local_names |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in STANDINS}
        elif isinstance(node, ast.ImportFrom) and node.module in STANDINS:
            local_names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            used |= {f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if parts and isinstance(node, ast.Name) and node.id in local_names:
            used.add(".".join([local_names[node.id], *parts]))
    return used


def exists(dotted: str) -> bool:
    module, *attributes = dotted.split(".")
    found: Any = importlib.import_module(module)
    for attribute in attributes:
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True


def test_every_symbol_that_picamera2_uses_is_there_or_explained(bench: Bench) -> None:
    package = importlib.util.find_spec("picamera2")
    assert package is not None
    assert package.submodule_search_locations
    sources = Path(package.submodule_search_locations[0]).rglob("*.py")
    used = set().union(*(names_used(source.read_text()) for source in sources))
    assert len(used) > 80, "the walk must have found picamera2's imports"
    missing = {name for name in used if not exists(name)}
    assert missing == set(EXPLAINED)


@pytest.fixture
def picamera2(bench: Bench) -> Iterator[Any]:
    camera = importlib.import_module("picamera2").Picamera2()
    yield camera
    camera.close()


def started(camera: Any, **configuration: Any) -> Any:
    main = {"size": (320, 240), "format": configuration.pop("format", "BGR888")}
    camera.configure(camera.create_still_configuration(main=main, raw=None, **configuration))
    camera.start()
    return camera


def test_a_new_exposure_takes_some_frames(picamera2: Any) -> None:
    camera = started(picamera2, buffer_count=3, controls={"ExposureTime": 20_000, "AnalogueGain": 1.0})
    while camera.capture_metadata()["ExposureTime"] < 19_900:
        pass
    camera.set_controls({"ExposureTime": 5_000})
    seen = [camera.capture_metadata()["ExposureTime"] for _ in range(12)]
    late = next(index for index, exposure_us in enumerate(seen) if exposure_us < 5_100)
    assert 3 <= late <= 8
    assert all(exposure_us > 19_900 for exposure_us in seen[:late])
    assert all(exposure_us == pytest.approx(5_000, rel=0.01) for exposure_us in seen[late:])


def test_without_a_lock_the_automatic_hunts(picamera2: Any) -> None:
    camera = started(picamera2, buffer_count=3)
    assert len({camera.capture_metadata()["ExposureTime"] for _ in range(6)}) > 2


def test_flush_waits_for_an_exposure_after_the_call(picamera2: Any) -> None:
    camera = started(picamera2, buffer_count=3, controls={"ExposureTime": 20_000})
    called_ns = time.monotonic_ns()
    request = camera.capture_request(flush=True)
    metadata = request.get_metadata()
    request.release()
    assert metadata["SensorTimestamp"] - 1000 * metadata["ExposureTime"] >= called_ns


def test_an_unknown_control_is_refused(picamera2: Any) -> None:
    with pytest.raises(RuntimeError, match="LensPosition is not advertised"):
        picamera2.set_controls({"LensPosition": 1.0})


def test_the_modes_of_the_sensor(picamera2: Any) -> None:
    modes = {mode["size"]: mode["fps"] for mode in picamera2.sensor_modes}
    assert modes == {(2028, 1520): 40.0, (4056, 3040): 10.0}
    assert picamera2.sensor_resolution == (4056, 3040)


def test_a_format_that_is_not_simulated_is_refused(picamera2: Any) -> None:
    with pytest.raises(RuntimeError, match="Invalid camera configuration"):
        started(picamera2, format="NV12")


def test_a_picture_larger_than_the_sensor_is_adjusted(picamera2: Any) -> None:
    configuration = picamera2.create_still_configuration(main={"size": (8000, 6000)}, raw=None)
    picamera2.configure(configuration)
    assert picamera2.camera_configuration()["main"]["size"] == (4056, 3040)


@pytest.mark.parametrize(
    ("pixel_format", "channels", "red", "blue"), [("RGB888", 3, 2, 0), ("XBGR8888", 4, 0, 2), ("XRGB8888", 4, 2, 0)]
)
def test_formats_lie_in_memory_as_libcamera_names_them(
    picamera2: Any, pixel_format: str, channels: int, red: int, blue: int
) -> None:
    controls = {"ExposureTime": 20_000, "AnalogueGain": 1.0, "ColourGains": (2.1, 0.95)}
    camera = started(picamera2, format=pixel_format, controls=controls)
    request = camera.capture_request(flush=True)
    pixel = request.make_array("main")[10, 10]
    request.release()
    assert len(pixel) == channels
    assert (pixel[red], pixel[blue]) == (pytest.approx(99, abs=1), pytest.approx(49, abs=1))


def test_a_stopped_camera_starts_again(picamera2: Any) -> None:
    started(picamera2, buffer_count=3)
    picamera2.stop()
    picamera2.start()
    assert picamera2.capture_metadata()["ExposureTime"] > 0


def test_a_second_user_is_turned_away(picamera2: Any) -> None:
    libcamera = importlib.import_module("libcamera")
    (camera,) = libcamera.CameraManager.singleton().cameras
    with pytest.raises(RuntimeError, match="busy"):
        camera.acquire()


def test_there_is_one_bench_a_process(bench: Bench, card: GreyCard) -> None:
    path = list(sys.path)
    with pytest.raises(RuntimeError, match="installed in this process already"):
        install_bench(card)
    assert sys.path == path, "a failed installation takes itself back"


def test_a_closed_bench_leaves_nothing_in_place(card: GreyCard) -> None:
    path, factory = list(sys.path), Device.pin_factory
    bench = install_bench(card)
    kernel = importlib.import_module("picamera2.dma_heap")
    assert kernel.fcntl is not importlib.import_module("fcntl")
    bench.close()
    bench.close()
    assert sys.path == path
    assert Device.pin_factory is factory
    assert kernel.fcntl is importlib.import_module("fcntl")
    assert importlib.import_module("libcamera").CameraManager.singleton().cameras == []


def test_a_daemon_does_not_find_the_simulated_libcamera(tmp_path: Path) -> None:
    program = """
import scannerd, drivers.registry
try:
    import libcamera
except ModuleNotFoundError:
    print("absent")
else:
    print(libcamera.__file__)
"""
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert not found.startswith(str(REPOSITORY)), found
